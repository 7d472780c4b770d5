import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";

/** What the plugins say of one resource type. */
export interface TypeSchemas {
  readonly config?: JsonObject;
  readonly outputs?: JsonObject;
}

/**
 * TypeScript declarations that tell `@wfctl/stack` what resource types take and give: a file to put beside a stack
 * program. What a schema says and TypeScript cannot is left to the check of the configuration. `unchecked` are provider
 * modules whose types are not known: resources that name one of them are left alone.
 */
export function typeDeclarations(types: ReadonlyMap<string, TypeSchemas>, unchecked: readonly string[] = []): string {
  const entries = [...types].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const lines = entries.map(([type, { config, outputs }]) => {
    const configText = config === undefined ? "{ readonly [key: string]: unknown }" : typeOf(config, config, 6, 0);
    const outputsText = outputs === undefined ? "{ readonly [key: string]: unknown }" : typeOf(outputs, outputs, 6, 0);
    return `    ${JSON.stringify(type)}: {\n      config: ${configText};\n      outputs: ${outputsText};\n    };\n`;
  });
  const names = unchecked.map((name) => `    ${JSON.stringify(name)}: true;\n`);
  const open = names.length === 0 ? "" : `  interface UncheckedProviders {\n${names.join("")}  }\n`;
  return `// Written by: wfctl schema --types. Do not edit.
import "@wfctl/stack";

declare module "@wfctl/stack" {
  interface ResourceTypes {
${lines.join("")}  }
${open}}
`;
}

/** Deeper schemas are taken as anything. */
const maxDepth = 12;

function typeOf(schema: Json | undefined, root: JsonObject, indent: number, depth: number): string {
  if (!isJsonObject(schema) || depth > maxDepth) return "unknown";
  const again = (inner: Json | undefined): string => typeOf(inner, root, indent, depth + 1);
  const reference = schema["$ref"];
  if (typeof reference === "string") return again(resolve(reference, root));
  if (schema["const"] !== undefined) return JSON.stringify(schema["const"]);
  if (Array.isArray(schema["enum"])) return union((schema["enum"] as Json[]).map((word) => JSON.stringify(word)));
  for (const key of ["anyOf", "oneOf"]) {
    if (Array.isArray(schema[key])) return union((schema[key] as Json[]).map(again));
  }
  if (Array.isArray(schema["allOf"]))
    return (schema["allOf"] as Json[]).map((inner) => `(${again(inner)})`).join(" & ");
  const { type } = schema;
  if (Array.isArray(type)) return union((type as Json[]).map((one) => again({ ...schema, type: one })));
  switch (type) {
    case "string":
      return "string";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "null":
      return "null";
    case "array":
      return `readonly (${again(schema["items"])})[]`;
    default:
      return type === "object" || isJsonObject(schema["properties"])
        ? objectOf(schema, root, indent, depth)
        : "unknown";
  }
}

function objectOf(schema: JsonObject, root: JsonObject, indent: number, depth: number): string {
  const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  const required = new Set(Array.isArray(schema["required"]) ? (schema["required"] as Json[]) : []);
  const inner = " ".repeat(indent + 2);
  const members = Object.entries(properties).map(([key, member]) => {
    const description = isJsonObject(member) && typeof member["description"] === "string" ? member["description"] : "";
    const comment =
      description === "" ? "" : `${inner}/** ${description.replaceAll("*/", "*\\/").replaceAll("\n", " ")} */\n`;
    const optional = required.has(key) ? "" : "?";
    return `${comment}${inner}readonly ${JSON.stringify(key)}${optional}: ${typeOf(member, root, indent + 2, depth + 1)};\n`;
  });
  const extra = schema["additionalProperties"];
  if (members.length === 0) {
    return extra === false ? "{}" : `{ readonly [key: string]: ${typeOf(extra, root, indent, depth + 1)} }`;
  }
  const closed = `{\n${members.join("")}${" ".repeat(indent)}}`;
  // An index signature beside named members would have to fit all of them.
  return closed;
}

function union(types: readonly string[]): string {
  const distinct = [...new Set(types)];
  if (distinct.length === 0 || distinct.includes("unknown")) return "unknown";
  return distinct.map((one) => (one.includes("&") ? `(${one})` : one)).join(" | ");
}

function resolve(reference: string, root: JsonObject): Json | undefined {
  if (!reference.startsWith("#/")) return undefined;
  return reference
    .slice(2)
    .split("/")
    .reduce<Json | undefined>(
      (node, step) => (isJsonObject(node) ? node[step.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined),
      root,
    );
}
