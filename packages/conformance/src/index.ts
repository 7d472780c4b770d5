export { renderReport } from "./render-report.ts";
export type { ConformanceReport, Result, ScenarioResult } from "./report.ts";
export { runConformance, type ConformanceOptions } from "./run-conformance.ts";
export { levels, type Demand, type Level } from "./scenario.ts";
export { listScenarios, type ScenarioSummary } from "./list-scenarios.ts";
