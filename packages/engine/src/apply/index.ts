export { applyPlan, type RunReport } from "./apply-plan.ts";
export { createDurations, type Durations } from "./durations.ts";
export type { ApplyOptions, EngineDeps } from "./run.ts";
