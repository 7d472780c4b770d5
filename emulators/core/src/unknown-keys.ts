import { follow, isObject, type Json, type JsonObject } from "./json.ts";

/**
 * Paths of object members that no part of the schema names. Clouds ignore them silently, which makes them the commonest
 * mistake of a client that nobody sees. Objects that the schema leaves open are not looked into.
 */
export function findUnknownKeys(document: JsonObject, schema: Json | undefined, value: Json, path = ""): string[] {
  const parts = expand(document, schema, 0);
  if (Array.isArray(value)) {
    const items = parts.flatMap((part) => (part["items"] === undefined ? [] : [part["items"]]));
    if (items.length === 0) return [];
    return value.flatMap((each, index) => findUnknownKeys(document, { allOf: items }, each, `${path}[${index}]`));
  }
  if (!isObject(value)) return [];
  const known = new Map<string, Json[]>();
  let isOpen = false;
  for (const part of parts) {
    if (part["additionalProperties"] !== undefined && part["additionalProperties"] !== false) isOpen = true;
    for (const [key, member] of Object.entries(isObject(part["properties"]) ? part["properties"] : {})) {
      known.set(key, [...(known.get(key) ?? []), member]);
    }
  }
  if (isOpen || known.size === 0) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const place = path === "" ? key : `${path}.${key}`;
    const schemas = known.get(key);
    return schemas === undefined ? [place] : findUnknownKeys(document, { allOf: schemas }, member, place);
  });
}

/** The schema and everything that it is put together from. */
function expand(document: JsonObject, schema: Json | undefined, depth: number): JsonObject[] {
  const node = follow(document, schema);
  if (!isObject(node) || depth > 12) return [];
  const parts = ["allOf", "anyOf", "oneOf"].flatMap((word) => {
    const list = node[word];
    return Array.isArray(list) ? list.flatMap((each) => expand(document, each, depth + 1)) : [];
  });
  return [node, ...parts];
}
