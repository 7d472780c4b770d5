import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";
import { child, type FieldReader } from "../fields.ts";
import { describe } from "../source/describe.ts";
import { suggestHint } from "../suggest.ts";
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
  const schema = readSchema(value, free ? undefined : type, spot, fields, reporter);
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

function readSchema(
  value: JsonObject,
  type: VariableType | undefined,
  spot: Spot,
  fields: FieldReader,
  reporter: Reporter,
): JsonObject {
  const words = fields.list(value, spot, "enum");
  const pattern = fields.text(value, spot, "pattern");
  const items = fields.mapping(value, spot, "items");
  if (words?.length === 0) {
    const summary = '"enum" is an empty list, so that no value fits';
    reporter.report(child(spot, "enum"), { summary, hint: "List the values that fit, or leave enum out" });
  }
  if (pattern !== undefined) checkPattern(pattern, child(spot, "pattern"), reporter);
  if (items !== undefined) checkItems(items, child(spot, "items"), reporter);
  const bounds = (["minimum", "maximum"] as const).flatMap((key): [string, number][] => {
    const bound = value[key];
    if (bound === undefined || bound === null) return [];
    if (typeof bound === "number") return [[key, bound]];
    reporter.report(child(spot, key), {
      summary: `"${key}" is ${describe(bound)}, expected a number`,
      hint: `Write ${key}: 1`,
    });
    return [];
  });
  const [low, high] = bounds.map(([, bound]) => bound);
  if (low !== undefined && high !== undefined && low > high) {
    const summary = `"minimum" is ${low} and "maximum" is ${high}, so that no value fits`;
    reporter.report(child(spot, "minimum"), { summary, hint: "Exchange the two" });
  }
  for (const [keys, types] of keysOfTypes) {
    if (type === undefined || types.includes(type)) continue;
    for (const key of keys) {
      if (value[key] === undefined || value[key] === null) continue;
      reporter.report(child(spot, key), {
        summary: `"${key}" says nothing of a variable of type ${type}`,
        hint: `Leave it out, or write type: ${types[0]}`,
        part: { key: true },
      });
    }
  }
  return {
    ...(type === undefined ? {} : { type: schemaTypes[type] }),
    ...(words === undefined ? {} : { enum: words }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(items === undefined ? {} : { items }),
    ...Object.fromEntries(bounds),
  };
}

/** Keys that say something of these types alone. */
const keysOfTypes: readonly (readonly [readonly string[], readonly VariableType[]])[] = [
  [["pattern"], ["string"]],
  [
    ["minimum", "maximum"],
    ["number", "integer"],
  ],
  [["items"], ["list"]],
];

function checkPattern(pattern: string, spot: Spot, reporter: Reporter): void {
  try {
    RegExp(pattern, "u");
  } catch (error) {
    const why = error instanceof Error ? (/: ([^:]+)$/.exec(error.message)?.[1] ?? "") : "";
    reporter.report(spot, {
      summary: `"pattern" is no regular expression that can be read${why === "" ? "" : `: ${lowerFirst(why)}`}`,
      hint: "Write it as JavaScript does with the flag u, such as ^[a-z]+$",
    });
  }
}

/** Types of JSON Schema, which are not all called as those of variables. */
const itemTypes: readonly string[] = ["string", "number", "integer", "boolean", "array", "object", "null"];

function checkItems(items: JsonObject, spot: Spot, reporter: Reporter): void {
  const { type, pattern, items: inner } = items;
  const types = type === undefined ? [] : Array.isArray(type) ? (type as readonly Json[]) : [type];
  for (const one of types) {
    if (typeof one === "string" && itemTypes.includes(one)) continue;
    const found = typeof one === "string" ? `"${one}"` : describe(one);
    const other = one === "list" ? "array" : one === "map" ? "object" : undefined;
    reporter.report(child(spot, "type"), {
      summary: `The type of items is ${found}, expected one of JSON Schema`,
      hint:
        other === undefined
          ? suggestHint(typeof one === "string" ? one : "", itemTypes, `Known are ${itemTypes.join(", ")}`)
          : `Write type: ${other}`,
    });
  }
  if (typeof pattern === "string") checkPattern(pattern, child(spot, "pattern"), reporter);
  if (isJsonObject(inner)) checkItems(inner, child(spot, "items"), reporter);
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
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
