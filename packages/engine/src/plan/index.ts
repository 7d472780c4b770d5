export { planStack, type Planned, type PlanInput } from "./plan-stack.ts";
export { finalizerOwedReason, providerErrorCodes } from "./decide.ts";
export { isProtected } from "./protection.ts";
export { reservedKeys } from "./reserved-keys.ts";
export { dependenciesOf, sensitivePointersOf } from "./resolve.ts";
