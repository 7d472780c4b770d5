export { generateScenario } from "./generate-scenario.ts";
export { mutants, withMutant, type Mutant } from "./mutants.ts";
export { runScenario, type SimResult } from "./run-scenario.ts";
export type { Scenario } from "./scenario.ts";
export { shrinkScenario } from "./shrink-scenario.ts";
export { explainFailure, simulate, type Failure, type SimulateOptions } from "./simulate.ts";
