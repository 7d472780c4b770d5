import type { Demand } from "./scenario.ts";
import { scenarios } from "./scenarios/catalog.ts";

export interface ScenarioSummary {
  readonly id: string;
  readonly title: string;
  readonly contract: Demand;
  readonly strict: Demand;
  /** Run for every sample. */
  readonly perSample: boolean;
  /** May be declared as not applicable. */
  readonly waivable: boolean;
}

/** All scenarios in the order in which they run. */
export function listScenarios(): readonly ScenarioSummary[] {
  return scenarios.map(({ id, title, contract, strict, scope, waivable }) => ({
    id,
    title,
    contract,
    strict,
    perSample: scope === "sample",
    waivable: waivable === true,
  }));
}
