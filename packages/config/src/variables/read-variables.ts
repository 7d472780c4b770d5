import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";
import { child, type FieldReader } from "../fields.ts";
import type { StackFile } from "../read-files.ts";
import type { Reporter, Spot } from "../reporter.ts";

export const variableTypes = ["string", "number", "integer", "boolean", "list", "map"] as const;
export type VariableType = (typeof variableTypes)[number];

/** A variable as declared. */
export interface VariableDeclaration {
  readonly name: string;
  readonly type: VariableType;
  readonly default?: Json;
  readonly description?: string;
  readonly sensitive: boolean;
  /** JSON Schema of its values. */
  readonly schema: JsonObject;
  readonly spot: Spot;
}

const variableKeys = [
  "type",
  "default",
  "description",
  "sensitive",
  "enum",
  "pattern",
  "minimum",
  "maximum",
  "items",
] as const;
const keySet: ReadonlySet<string> = new Set(variableKeys);
const schemaTypes: Readonly<Record<VariableType, string>> = {
  string: "string",
  number: "number",
  integer: "integer",
  boolean: "boolean",
  list: "array",
  map: "object",
};
const variablePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Joins `variables` over all files by name. A mapping declares, anything else is the default of a variable of its type;
 * a list in place of the whole section is upstream's, and is passed over.
 */
export function readVariables(
  files: readonly StackFile[],
  fields: FieldReader,
  reporter: Reporter,
): ReadonlyMap<string, VariableDeclaration> {
  const declarations = new Map<string, VariableDeclaration>();
  for (const file of files) {
    if (Array.isArray(file.root["variables"])) continue;
    for (const [name, declaration] of readDeclarations(file, "variables", fields, reporter)) {
      if (!declarations.has(name)) declarations.set(name, declaration);
    }
  }
  return declarations;
}

/** Declarations under a key at the top of one file. */
export function readDeclarations(
  { source, root }: StackFile,
  section: "variables" | "inputs",
  fields: FieldReader,
  reporter: Reporter,
): Map<string, VariableDeclaration> {
  const declarations = new Map<string, VariableDeclaration>();
  const top: Spot = { file: source, path: [] };
  for (const [name, value] of Object.entries(fields.mapping(root, top, section) ?? {})) {
    const spot = child(top, section, name);
    if (!variablePattern.test(name)) {
      reporter.report(spot, {
        summary: `The variable name "${name}" cannot be used: expected letters, digits and "_", no digit first`,
        hint: "Rename it",
        part: { key: true },
      });
      continue;
    }
    declarations.set(name, readDeclaration(name, value, spot, section === "inputs", fields, reporter));
  }
  return declarations;
}

function readDeclaration(
  name: string,
  value: Json,
  spot: Spot,
  isInput: boolean,
  fields: FieldReader,
  reporter: Reporter,
): VariableDeclaration {
  if (!isJsonObject(value)) {
    const type = value === null ? "string" : typeOf(value);
    if (isInput && value === null) return { name, type, sensitive: false, schema: {}, spot };
    const given = value === null ? {} : { default: value };
    return { name, type, ...given, sensitive: false, schema: { type: schemaTypes[type] }, spot };
  }
  fields.checkKeys(value, spot, "in a variable", keySet, new Map([["required", "Leave default out"]]));
  const written = value["default"];
  const given = written === undefined || written === null ? undefined : written;
  const type = fields.oneOf(value, spot, "type", variableTypes) ?? (given === undefined ? "string" : typeOf(given));
  const description = fields.text(value, spot, "description");
  const sensitive = fields.boolean(value, spot, "sensitive") ?? false;
  if (sensitive && type !== "string") {
    reporter.report(child(spot, "sensitive"), {
      summary: `The variable "${name}" is a sensitive ${type}, expected text: only texts are sealed`,
      hint: "Declare a text for each secret part",
    });
  }
  if (sensitive && given !== undefined) {
    reporter.report(child(spot, "default"), {
      summary: `The sensitive variable "${name}" has a default`,
      hint: `Leave the default out and set WFCTL_VAR_${name}: a stack file is no place for a secret`,
    });
  }
  // An input is a value, not a text: without a type it takes any.
  const free = isInput && value["type"] === undefined && given === undefined;
  const schema = readSchema(value, free ? undefined : type, spot, fields);
  return {
    name,
    type,
    ...(given === undefined ? {} : { default: given }),
    ...(description === undefined ? {} : { description }),
    sensitive,
    schema,
    spot,
  };
}

function readSchema(value: JsonObject, type: VariableType | undefined, spot: Spot, fields: FieldReader): JsonObject {
  const words = fields.list(value, spot, "enum");
  const pattern = fields.text(value, spot, "pattern");
  const items = fields.mapping(value, spot, "items");
  const bounds = (["minimum", "maximum"] as const).flatMap((key) =>
    typeof value[key] === "number" ? [[key, value[key]] as const] : [],
  );
  return {
    ...(type === undefined ? {} : { type: schemaTypes[type] }),
    ...(words === undefined ? {} : { enum: words }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(items === undefined ? {} : { items }),
    ...Object.fromEntries(bounds),
  };
}

function typeOf(value: Exclude<Json, null>): VariableType {
  if (Array.isArray(value)) return "list";
  switch (typeof value) {
    case "boolean":
      return "boolean";
    case "number":
      return "number";
    case "string":
      return "string";
    default:
      return "map";
  }
}
