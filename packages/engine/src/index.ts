export * from "./apply/index.ts";
export { compensateRun, type CompensateOptions, type CompensationReport } from "./compensate/compensate-run.ts";
export { finalizeOwed, type FinalizeError } from "./finalize/finalize.ts";
export * from "./plan/index.ts";
export * from "./ports/index.ts";
export * from "./recover/index.ts";
export { buildApplyResult } from "./report/apply-result.ts";
export { createSecretSet, type SecretSet } from "./report/redact.ts";
export { evaluate, outputOf, type Evaluated } from "./substitute/evaluate.ts";
