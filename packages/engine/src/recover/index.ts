export { recoverRuns, type RecoverDeps, type RecoveryReport } from "./recover-runs.ts";
