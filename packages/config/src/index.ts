export { loadStack } from "./load-stack.ts";
export type {
  LoadStackOptions,
  LoadStackResult,
  Move,
  SecretsConfig,
  StackConfig,
  StackOutput,
  StateModule,
} from "./stack.ts";
export type { ParsedTemplate, TemplateProblem } from "./template.ts";
// To come, signatures fixed:
// parseTemplate(text: string): ParsedTemplate
// stackDigestInput(stack: StackConfig): Json
// stackSchema(resourceTypes?: ReadonlyMap<string, JsonObject>): JsonObject
// createConfigValidator(): ConfigValidator   with   type ConfigValidator = typeof validateAgainstSchema   (keeps compiled schemas)
// validateAgainstSchema(config: {[key]: Value}, schema: JsonObject, options?: { address?: string; locate?: (pointer: string) => SourceLocation | undefined }): Diagnostic[]
