import { canonicalJson, isJsonObject, pathToPointer, type Json, type JsonObject } from "./json.ts";

/**
 * Something outside of a text: an environment variable, or an output of a resource (`path` is `id` for the provider id,
 * else an output key; an exact flat key wins over a dotted path). The environment name `var.x` is the sensitive variable x.
 */
export type Reference = { readonly env: string } | { readonly resource: string; readonly path: string };

/**
 * A reference inside a computed part. `as` and `key` are the names of resource and output in its text, where these are
 * others; `as` is `env.NAME` or `var.NAME` where the text has a variable in the place of what is referred to.
 */
export type ComputedReference = Reference & { readonly as?: string; readonly key?: string };

/** An expression in the language of `${{ … }}`. */
export interface ComputedPart {
  /** As written between the braces. */
  readonly computed: string;
  /** Everything it needs, each once. */
  readonly refs: readonly ComputedReference[];
  /** Values of variables that are known and no secret, by name. */
  readonly variables?: JsonObject;
}

/** One piece of a text with references: literal text, a reference, or a computed part. */
export type TemplatePart = string | Reference | ComputedPart;

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

/** References of an expression, those inside computed parts included, in order of appearance. */
export function* referencesIn(expression: Expression): Generator<ComputedReference> {
  for (const part of expression.$expr) {
    if (typeof part === "string") continue;
    if ("computed" in part) yield* part.refs;
    else yield part;
  }
}

/** Names of the resources that the tree refers to, each once, in order of appearance. */
export function referencedResources(value: Value): string[] {
  const names = new Set<string>();
  for (const [, expression] of expressionsIn(value)) {
    for (const reference of referencesIn(expression)) {
      if ("resource" in reference) names.add(reference.resource);
    }
  }
  return [...names];
}

/** The text a user would write for an expression: `${db.host}`, `${{ db.port + 1 }}`. */
export function renderExpression(expression: Expression): string {
  return expression.$expr
    .map((part) => {
      if (typeof part === "string") return part.replaceAll("${", () => "$${");
      if ("computed" in part) return `\${{${part.computed}}}`;
      return "env" in part ? `\${${part.env}}` : `\${${part.resource}.${part.path}}`;
    })
    .join("");
}

/** Text of a value inside other text: numbers as plain decimals, lists and maps as JSON. */
export function valueToText(value: Json): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return numberToText(value);
  return canonicalJson(value);
}

function numberToText(value: number): string {
  if (Number.isInteger(value)) return BigInt(value).toString();
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e-(\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign = "", first = "", rest = "", exponent] = match;
  return `${sign}0.${"0".repeat(Number(exponent) - 1)}${first}${rest}`;
}
