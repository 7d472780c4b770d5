import {
  isExpression,
  isJsonObject,
  type ComputedPart,
  type ComputedReference,
  type Json,
  type JsonObject,
  type Reference,
  type Value,
} from "@wfctl/model";

/** Replaces each reference of each expression by what `link` gives for it. Literal text is left alone. */
export function linkValue(
  value: Value,
  link: (reference: Reference, path: readonly (string | number)[]) => Reference,
): Value {
  return mapTree(value, [], (leaf, path) => {
    if (!isExpression(leaf)) return leaf;
    let changed = false;
    const parts = leaf.$expr.map((part) => {
      if (typeof part === "string") return part;
      const linked = "computed" in part ? linkComputed(part, (reference) => link(reference, path)) : link(part, path);
      changed ||= linked !== part;
      return linked;
    });
    return changed ? ({ $expr: parts } as unknown as Value) : leaf;
  });
}

/** Names in the text of a computed part stay as they are: a reference says which name stands for it. */
function linkComputed(part: ComputedPart, link: (reference: Reference) => Reference): ComputedPart {
  let changed = false;
  const refs = part.refs.map((reference): ComputedReference => {
    const linked: Reference = link(reference);
    if (linked === reference) return reference;
    changed = true;
    if ("env" in linked) return linked;
    // A generated secret is an output of a resource, and still goes by its own name.
    if (!("resource" in reference)) return { ...linked, as: reference.as ?? `env.${reference.env}` };
    return {
      ...linked,
      as: reference.as ?? reference.resource,
      ...(reference.key === undefined ? {} : { key: reference.key }),
    };
  });
  return changed ? { ...part, refs } : part;
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
export function mapTree(
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
