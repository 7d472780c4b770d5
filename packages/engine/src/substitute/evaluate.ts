import type { BoundedRun } from "@wfctl/expressions";
import {
  getAtPointer,
  isExpression,
  pathToPointer,
  renderExpression,
  type Expression,
  type Json,
  type JsonObject,
  type ResourceRecord,
  type TemplatePart,
  type Value,
  valueToText,
} from "@wfctl/model";
import type { EnvironmentVariables } from "../ports/index.ts";
import { computePart, referenceText, resolveReference } from "./compute-part.ts";

export interface Resolved {
  readonly value: Json;
  readonly sensitive: boolean;
}

/** Where references get their values. Undefined means: not known (yet). */
export interface Scope {
  readonly env: EnvironmentVariables;
  readonly bounded: BoundedRun;
  output(resource: string, path: string): Resolved | undefined;
}

export interface Evaluated {
  readonly value: Json;
  /** JSON pointers of values that hold a secret. */
  readonly sensitive: readonly string[];
  /** References without a value: their pointer, the text the user wrote, and the part that is missing. */
  readonly unresolved: readonly { readonly pointer: string; readonly text: string; readonly part: string }[];
}

/**
 * Puts values in the place of references. A whole-value reference keeps its type; text around references is kept.
 * A reference without a value leaves the text the user wrote, and is listed.
 * Values from the environment and from sensitive outputs are marked sensitive.
 */
export function evaluate(value: Value, scope: Scope): Evaluated {
  const sensitive: string[] = [];
  const unresolved: Evaluated["unresolved"][number][] = [];
  const walk = (current: Value, pointer: string): Json => {
    if (current === null || typeof current !== "object") return current;
    if (isExpression(current)) {
      const result = evaluateExpression(current, scope);
      for (const part of result.missing) unresolved.push({ pointer, text: renderExpression(current), part });
      if (result.sensitive) sensitive.push(pointer);
      return result.value;
    }
    if (Array.isArray(current)) return current.map((item: Value, index) => walk(item, `${pointer}/${index}`));
    // Not by assignment: a key may be called __proto__.
    return Object.fromEntries(
      Object.entries(current as JsonObject).map(([key, member]) => [key, walk(member, pointer + pathToPointer([key]))]),
    );
  };
  return { value: walk(value, ""), sensitive, unresolved };
}

/** The value of `path` among what state holds of a resource: `id` is the provider id; an exact flat key wins over a dotted path. */
export function outputOf(
  record: Pick<ResourceRecord, "providerId" | "outputs" | "sensitiveOutputs">,
  path: string,
): Resolved | undefined {
  if (path === "id") return record.providerId === "" ? undefined : { value: record.providerId, sensitive: false };
  const flat = record.outputs[path];
  if (flat !== undefined) return { value: flat, sensitive: record.sensitiveOutputs.includes(path) };
  const steps = path.split(".");
  const nested = getAtPointer(record.outputs, pathToPointer(steps));
  if (nested === undefined) return undefined;
  return { value: nested, sensitive: record.sensitiveOutputs.includes(steps[0] ?? "") };
}

function evaluateExpression(
  expression: Expression,
  scope: Scope,
): { value: Json; sensitive: boolean; missing: readonly string[] } {
  const parts = expression.$expr;
  const only = parts.length === 1 ? parts[0] : undefined;
  const missing: string[] = [];
  if (only !== undefined && typeof only !== "string") {
    const resolved = resolvePart(only, scope);
    if ("missing" in resolved)
      return { value: renderExpression(expression), sensitive: false, missing: resolved.missing };
    return { ...resolved, missing };
  }
  let text = "";
  let sensitive = false;
  for (const part of parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    const resolved = resolvePart(part, scope);
    if ("missing" in resolved) {
      missing.push(...resolved.missing);
      continue;
    }
    text += valueToText(resolved.value);
    sensitive ||= resolved.sensitive;
  }
  if (missing.length > 0) return { value: renderExpression(expression), sensitive: false, missing };
  return { value: text, sensitive, missing };
}

type Resolution = Resolved | { readonly missing: readonly string[] };

function resolvePart(part: Exclude<TemplatePart, string>, scope: Scope): Resolution {
  if ("computed" in part) return computePart(part, scope);
  const resolved = resolveReference(part, scope);
  return resolved ?? { missing: [referenceText(part)] };
}
