export { generateScenario } from "./generate-scenario.ts";
export { runScenario, type SimResult } from "./run-scenario.ts";
export type { Scenario } from "./scenario.ts";
