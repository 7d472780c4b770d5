export { compute, type BoundedRun, type ComputeContext } from "./compute.ts";
export { ExpressionError } from "./expression-error.ts";
export { functionNames } from "./functions.ts";
export { readReferences, type NamedReference } from "./references.ts";
export { findClosing } from "./scan.ts";
