import { isJsonObject, pathToPointer, type Json, type JsonObject } from "./json.ts";

/**
 * One piece of a text with references: literal text, an environment variable, or an output of another resource
 * (`path` is `id` for the provider id, else an output key; an exact flat key wins over a dotted path).
 */
export type TemplatePart = string | { readonly env: string } | { readonly resource: string; readonly path: string };

/**
 * A value that is known only after substitution, inside a JSON tree: `{"$expr": [part, …]}`.
 * One part that is a reference keeps the type of what it refers to; several parts are joined as text.
 * Configuration keys named `$expr` are refused by the loaders, so the shape is unambiguous.
 */
export interface Expression {
  readonly $expr: readonly TemplatePart[];
}

/** A JSON tree that may hold expressions. `JsonObject` shape, so it can be stored as it is. */
export type Value = Json;

export function isExpression(value: unknown): value is Expression & JsonObject {
  return isJsonObject(value) && Array.isArray(value["$expr"]) && Object.keys(value).length === 1;
}

/** Each expression in the tree with its JSON pointer, in order of appearance. */
export function* expressionsIn(value: Value, path: readonly (string | number)[] = []): Generator<[string, Expression]> {
  if (value === null || typeof value !== "object") return;
  if (isExpression(value)) {
    yield [pathToPointer(path), value];
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* expressionsIn(item as Value, [...path, index]);
    return;
  }
  for (const [key, member] of Object.entries(value as JsonObject)) yield* expressionsIn(member, [...path, key]);
}

/** Names of the resources that the tree refers to, each once, in order of appearance. */
export function referencedResources(value: Value): string[] {
  const names = new Set<string>();
  for (const [, expression] of expressionsIn(value)) {
    for (const part of expression.$expr) {
      if (typeof part !== "string" && "resource" in part) names.add(part.resource);
    }
  }
  return [...names];
}

/** The text a user would write for an expression: `${db.host}`. */
export function renderExpression(expression: Expression): string {
  return expression.$expr
    .map((part) => {
      if (typeof part === "string") return part.replaceAll("${", () => "$${");
      return "env" in part ? `\${${part.env}}` : `\${${part.resource}.${part.path}}`;
    })
    .join("");
}
