export { applyPlan, type RunReport } from "./apply-plan.ts";
export type { ApplyOptions, EngineDeps } from "./run.ts";
