export { ask } from "./decision.ts";
export type { Planned, PlanInput } from "./plan-input.ts";
export { planStack } from "./plan-stack.ts";
export { finalizerOwedReason } from "./finalizer-owed.ts";
export { isProtected } from "./protection.ts";
export { providerErrorCodes } from "./provider-failure.ts";
export { reservedKeys } from "./reserved-keys.ts";
export { dependenciesOf, sensitivePointersOf } from "./resolve.ts";
