import type { Demand, Level } from "./scenario.ts";

export type Result = "passed" | "failed" | "skipped" | "not-applicable";

/** How one scenario went, for one sample or for the plugin as a whole. */
export interface ScenarioResult {
  readonly id: string;
  readonly title: string;
  /** Resource type of the sample; absent for what concerns the plugin as a whole. */
  readonly type?: string;
  readonly demand: Exclude<Demand, "off">;
  readonly result: Result;
  /** What was found, why it was skipped, or why it does not apply. */
  readonly message?: string;
  readonly durationMs: number;
}

export interface ConformanceReport {
  readonly plugin: string;
  readonly version: string;
  readonly directory: string;
  readonly level: Level;
  readonly results: readonly ScenarioResult[];
  readonly passed: number;
  /** What keeps the plugin from conforming: required scenarios that failed, and at level strict those that were skipped. */
  readonly failures: readonly ScenarioResult[];
  /** Advised scenarios that failed. */
  readonly warnings: readonly ScenarioResult[];
  readonly conforms: boolean;
}

export function summarize(
  head: Pick<ConformanceReport, "plugin" | "version" | "directory" | "level">,
  results: readonly ScenarioResult[],
): ConformanceReport {
  const failures = results.filter((each) => isFailure(each, head.level));
  return {
    ...head,
    results,
    passed: results.filter(({ result }) => result === "passed").length,
    failures,
    warnings: results.filter(({ result, demand }) => result === "failed" && demand === "advised"),
    conforms: failures.length === 0,
  };
}

/** What a plugin must do and nobody has seen it do is no conformance. */
export function isFailure({ result, demand }: ScenarioResult, level: Level): boolean {
  if (demand !== "required") return false;
  return result === "failed" || (result === "skipped" && level === "strict");
}
