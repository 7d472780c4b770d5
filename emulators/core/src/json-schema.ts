import { canonicalPointer, follow, isObject, type Json, type JsonObject } from "./json.ts";

/** Whose message a schema describes: a client may leave out what only the server writes, and the other way round. */
export type Direction = "request" | "response";

/**
 * A copy of an OpenAPI 3.0 document in which every schema is plain JSON Schema: `nullable`, boolean exclusive bounds,
 * and required members of the other direction are gone. `oneOf` becomes `anyOf`: published descriptions of clouds use
 * it for alternatives that overlap.
 */
export function toSchemaDocument(document: JsonObject, direction: Direction): JsonObject {
  const foreign = direction === "request" ? "readOnly" : "writeOnly";
  const isForeign = (property: Json | undefined): boolean => {
    const node = follow(document, property);
    return isObject(node) && node[foreign] === true;
  };
  const convert = (node: Json): Json => {
    if (Array.isArray(node)) return node.map(convert);
    if (!isObject(node)) return node;
    const made: JsonObject = {};
    for (const [key, value] of Object.entries(node)) {
      if (key === "example" || key === "examples" || key === "x-codeSamples") continue;
      if (key === "$ref" && typeof value === "string")
        made[key] = schemaPointer(canonicalPointer(document, value) ?? value);
      else made[key === "oneOf" ? "anyOf" : key] = convert(value);
    }
    const properties = node["properties"];
    const required = node["required"];
    if (Array.isArray(required) && isObject(properties)) {
      made["required"] = required.filter((name) => typeof name === "string" && !isForeign(properties[name]));
    }
    bound(made, "minimum", "exclusiveMinimum");
    bound(made, "maximum", "exclusiveMaximum");
    return node["nullable"] === true ? allowNull(made) : made;
  };
  return convert(document) as JsonObject;
}

/** The place of a schema in the converted document. */
export function schemaPointer(pointer: string): string {
  return pointer.replaceAll("/oneOf/", "/anyOf/");
}

function bound(schema: JsonObject, plain: string, exclusive: string): void {
  if (typeof schema[exclusive] !== "boolean") return;
  const isExclusive = schema[exclusive];
  delete schema[exclusive];
  if (!isExclusive || schema[plain] === undefined) return;
  schema[exclusive] = schema[plain];
  delete schema[plain];
}

/** In place where that is possible: pointers lead into schemas. */
function allowNull(schema: JsonObject): JsonObject {
  const { nullable: _, ...rest } = schema;
  if (typeof rest["type"] !== "string" || rest["allOf"] !== undefined || rest["anyOf"] !== undefined) {
    return { anyOf: [{ type: "null" }, rest] };
  }
  const words = rest["enum"];
  return { ...rest, type: [rest["type"], "null"], ...(Array.isArray(words) ? { enum: [...words, null] } : {}) };
}
