import type { Json, JsonObject } from "@wfctl/model";
import { z } from "zod";

const cache = new WeakMap<z.ZodType, JsonObject>();

/** JSON Schema (2020-12) of what a configuration may write: keys with a default are optional. */
export function toJsonSchema(schema: z.ZodType): JsonObject {
  const known = cache.get(schema);
  if (known !== undefined) return known;
  const made = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as unknown as JsonObject;
  cache.set(schema, made);
  return made;
}

/** Keys that the schema names at its top level. */
export function schemaKeys(schema: JsonObject): ReadonlySet<string> {
  const keys = new Set<string>();
  const visit = (node: Json | undefined): void => {
    if (typeof node !== "object" || node === null || Array.isArray(node)) return;
    const object = node as JsonObject;
    for (const key of Object.keys((object["properties"] ?? {}) as JsonObject)) keys.add(key);
    for (const branch of branches(object)) visit(branch);
  };
  visit(schema);
  return keys;
}

/** What the schema says of one key of an object: of its own, of any key, or nothing. */
export function memberSchema(schema: JsonObject | undefined, key: string): { own: boolean; schema?: JsonObject } {
  for (const node of schema === undefined ? [] : [schema, ...branches(schema)]) {
    const own = ((node["properties"] ?? {}) as JsonObject)[key];
    if (own !== undefined) return isSchema(own) ? { own: true, schema: own } : { own: true };
  }
  for (const node of schema === undefined ? [] : [schema, ...branches(schema)]) {
    const rest = node["additionalProperties"];
    if (isSchema(rest)) return { own: false, schema: rest };
  }
  return { own: false };
}

/** True where the object holds keys of the user's choice. */
export function isRecordSchema(schema: JsonObject | undefined): boolean {
  if (schema === undefined) return false;
  return [schema, ...branches(schema)].some((node) => isSchema(node["additionalProperties"]));
}

export function itemSchema(schema: JsonObject | undefined): JsonObject | undefined {
  for (const node of schema === undefined ? [] : [schema, ...branches(schema)]) {
    if (isSchema(node["items"])) return node["items"];
  }
  return undefined;
}

function branches(schema: JsonObject): JsonObject[] {
  return ["anyOf", "oneOf", "allOf"].flatMap((word) => {
    const list = schema[word];
    return Array.isArray(list) ? (list as Json[]).filter(isSchema) : [];
  });
}

function isSchema(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
