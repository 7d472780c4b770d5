import { isExpression, isJsonObject, type Json, type JsonObject, type TemplatePart, type Value } from "@wfctl/model";
import { child } from "./fields.ts";
import type { Reporter, Spot } from "./reporter.ts";
import { parseTemplate } from "./template.ts";

/** Turns every text with references into an expression. Trees without any come back as they are, not copied. */
export function readValue(value: Json, spot: Spot, reporter: Reporter): Value {
  return mapTree(value, [], (text, path) => {
    if (typeof text !== "string" || !text.includes("$")) return text;
    const parsed = parseTemplate(text);
    for (const { offset, summary, hint } of parsed.problems) {
      reporter.report(child(spot, ...path), { summary, hint, part: { text: { value: text, offset } } });
    }
    return parsed.value as Value;
  });
}

/** Replaces each part of each expression by what `link` gives for it. Literal text is left alone. */
export function linkValue(
  value: Value,
  link: (part: Exclude<TemplatePart, string>, path: readonly (string | number)[]) => Exclude<TemplatePart, string>,
): Value {
  return mapTree(value, [], (leaf, path) => {
    if (!isExpression(leaf)) return leaf;
    let changed = false;
    const parts = leaf.$expr.map((part) => {
      if (typeof part === "string") return part;
      const linked = link(part, path);
      changed ||= linked !== part;
      return linked;
    });
    return changed ? ({ $expr: parts } as unknown as Value) : leaf;
  });
}

/** Mappings merged key by key and deeply; lists, scalars and references replaced. */
export function mergeValues(base: JsonObject, overlay: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...base };
  for (const [key, value] of Object.entries(overlay)) {
    const before = Object.hasOwn(base, key) ? base[key] : undefined;
    merged[key] = isTree(before) && isTree(value) ? mergeValues(before, value) : value;
  }
  return merged;
}

function isTree(value: Json | undefined): value is JsonObject {
  return isJsonObject(value) && !isExpression(value);
}

/** Maps the leaves (scalars and expressions) of a tree, copying only what changes. */
function mapTree(
  value: Value,
  path: (string | number)[],
  map: (leaf: Value, path: readonly (string | number)[]) => Value,
): Value {
  if (value === null || typeof value !== "object" || isExpression(value)) return map(value, path);
  if (Array.isArray(value)) {
    let copy: Value[] | undefined;
    for (let index = 0; index < value.length; index += 1) {
      const item = value[index] as Value;
      path.push(index);
      const mapped = mapTree(item, path, map);
      path.pop();
      if (mapped !== item) (copy ??= [...value])[index] = mapped;
    }
    return copy ?? value;
  }
  let copy: Record<string, Value> | undefined;
  for (const [key, member] of Object.entries(value as JsonObject)) {
    path.push(key);
    const mapped = mapTree(member, path, map);
    path.pop();
    if (mapped !== member) (copy ??= { ...(value as JsonObject) })[key] = mapped;
  }
  return copy ?? value;
}
