export { defineStack, type StackProgram } from "./define-stack.ts";
export type { StackDocument } from "./document.ts";
export type { StackGroup } from "./group.ts";
export { env, expr, literal, variable, type Computed, type Input, type Output, type Ref } from "./references.ts";
export type {
  ProviderOptions,
  Resource,
  ResourceConfig,
  ResourceOptions,
  ResourceOutputs,
  ResourceTypes,
  StackSettings,
  UncheckedProviders,
  VariableSettings,
} from "./types.ts";
