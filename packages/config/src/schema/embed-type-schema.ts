import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";
import { hostConfigKeys } from "../names.ts";

const reference = { $ref: "#/$defs/reference" };
const mapsOfSchemas: ReadonlySet<string> = new Set(["properties", "patternProperties"]);
const schemasOfChildren: ReadonlySet<string> = new Set([
  "items",
  "additionalProperties",
  "contains",
  "unevaluatedProperties",
  "unevaluatedItems",
]);
const sameValue: ReadonlySet<string> = new Set(["not", "if", "then", "else"]);
const listsOfSameValue: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf"]);
const mapsOfSameValue: ReadonlySet<string> = new Set(["$defs", "dependentSchemas"]);

/**
 * The schema of a resource type as part of the schema of a stack file: each value inside may be a text with references,
 * keys that the host reads are known, and `$ref`s into `$defs` point to where the schema now is.
 */
export function embedTypeSchema(type: string, schema: JsonObject): JsonObject {
  const embedded = rewrite(schema, type) as JsonObject;
  const rest = Object.fromEntries(Object.entries(embedded).filter(([key]) => key !== "$schema" && key !== "$id"));
  if (rest["additionalProperties"] !== false) return rest;
  const properties = isJsonObject(rest["properties"]) ? rest["properties"] : {};
  return { ...rest, properties: { ...Object.fromEntries(hostConfigKeys.map((key) => [key, {}])), ...properties } };
}

function rewrite(schema: Json, type: string): Json {
  if (!isJsonObject(schema)) return schema;
  const copy: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$ref" && typeof value === "string" && value.startsWith("#")) {
      copy[key] = `#/$defs/types/${type}${value.slice(1)}`;
    } else if (mapsOfSchemas.has(key) && isJsonObject(value)) {
      copy[key] = Object.fromEntries(Object.entries(value).map(([name, sub]) => [name, orReference(sub, type)]));
    } else if (schemasOfChildren.has(key)) copy[key] = orReference(value, type);
    else if (key === "prefixItems" && Array.isArray(value)) {
      copy[key] = (value as readonly Json[]).map((sub) => orReference(sub, type));
    } else if (listsOfSameValue.has(key) && Array.isArray(value)) {
      copy[key] = (value as readonly Json[]).map((sub) => rewrite(sub, type));
    } else if (mapsOfSameValue.has(key) && isJsonObject(value)) {
      copy[key] = Object.fromEntries(Object.entries(value).map(([name, sub]) => [name, rewrite(sub, type)]));
    } else copy[key] = sameValue.has(key) ? rewrite(value, type) : value;
  }
  return copy;
}

function orReference(schema: Json, type: string): Json {
  if (typeof schema === "boolean") return schema;
  // Editors tell what is wrong by the first.
  return { anyOf: [rewrite(schema, type), reference] };
}
