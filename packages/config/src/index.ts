export { boundExpressions } from "./bound-expressions.ts";
export { convertStack, type Converted } from "./convert/convert-stack.ts";
export { escapeText } from "./convert/escape-text.ts";
export { writeStackPart, type WrittenResource } from "./convert/write-part.ts";
export { stackDigestInput } from "./digest.ts";
export { parseDuration } from "./durations.ts";
export { secretsProvider } from "./generated-secrets.ts";
export { loadStack } from "./load-stack.ts";
export { checkContainerKeys } from "./schema/container-vocabulary.ts";
export { stackSchema } from "./schema/stack-schema.ts";
export { typeDeclarations, type TypeSchemas } from "./schema/type-declarations.ts";
export { validateAgainstSchema, type ValidateOptions } from "./schema/validate.ts";
export type {
  LoadStackOptions,
  LoadStackResult,
  Move,
  SecretsConfig,
  StackConfig,
  StackOutput,
  StackVariable,
  StateModule,
  VariableSources,
} from "./stack.ts";
export { editDistance, suggest, suggestHint } from "./suggest.ts";
export { parseTemplate, type ParsedTemplate, type TemplateProblem } from "./template.ts";
