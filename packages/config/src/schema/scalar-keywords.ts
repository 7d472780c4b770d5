import { expressionsIn, jsonEqual, type Json, type JsonObject } from "@wfctl/model";
import { describe } from "../source/describe.ts";
import { unsure, type Verdict, type Violation } from "./violation.ts";

const typeNames = new Map([
  ["string", "text"],
  ["number", "a number"],
  ["integer", "a whole number"],
  ["boolean", "true or false"],
  ["object", "a mapping"],
  ["array", "a list"],
  ["null", "nothing"],
]);

/** `type`: undefined where it fits. */
export function checkType(schema: JsonObject, value: Json, path: Violation["path"]): Violation | undefined {
  const wanted = schema["type"];
  const types = (Array.isArray(wanted) ? (wanted as readonly Json[]) : [wanted]).filter(
    (type) => typeof type === "string",
  );
  if (types.length === 0 || types.some((type) => hasType(value, type))) return undefined;
  const expected = types.map((type) => typeNames.get(type) ?? type).join(" or ");
  const found = typeof value === "number" ? `the number ${value}` : describe(value);
  return { path, text: `is ${found}, expected ${expected}`, ...typeHint(value, types) };
}

/** `const` and `enum`: undefined where the value is one of the words. */
export function checkWords(
  schema: JsonObject,
  value: Json,
  path: Violation["path"],
  hidden: boolean,
): Verdict | undefined {
  const lists: (readonly Json[])[] = [];
  if (Object.hasOwn(schema, "const")) lists.push([schema["const"] ?? null]);
  if (Array.isArray(schema["enum"])) lists.push(schema["enum"]);
  const known = lists.find((words) => !words.some((word) => jsonEqual(word, value)));
  if (known === undefined) return undefined;
  if (typeof value === "object" && !expressionsIn(value).next().done) return unsure;
  const words = known.map((word) => (typeof word === "string" ? word : JSON.stringify(word)));
  const shown = known.map((word) => JSON.stringify(word)).join(", ");
  const found = hidden || typeof value === "object" ? describe(value) : JSON.stringify(value);
  const word = typeof value === "string" && !hidden ? { word: { found: value, known: words } } : {};
  const expected = words.length === 1 ? shown : `one of ${shown}`;
  return { violations: [{ path, text: `is ${found}, expected ${expected}`, ...word }], unsure: false };
}

/** Bounds and pattern of texts. Never shows the text: it may be a secret. */
export function checkText(schema: JsonObject, value: string, path: Violation["path"]): Violation[] {
  const violations: Violation[] = [];
  const { minLength, maxLength, pattern } = schema;
  const length = typeof minLength === "number" || typeof maxLength === "number" ? Array.from(value).length : 0;
  if (typeof minLength === "number" && length < minLength) {
    violations.push({
      path,
      text: value === "" ? "is empty" : `has ${length} characters, expected at least ${minLength}`,
    });
  }
  if (typeof maxLength === "number" && length > maxLength) {
    violations.push({ path, text: `has ${length} characters, expected at most ${maxLength}` });
  }
  if (typeof pattern === "string" && compilePattern(pattern)?.test(value) === false) {
    const { description } = schema;
    const hint = typeof description === "string" ? { hint: description } : {};
    violations.push({ path, text: `does not have the form that is expected: ${pattern}`, ...hint });
  }
  return violations;
}

export function checkNumber(schema: JsonObject, value: number, path: Violation["path"], hidden: boolean): Violation[] {
  const violations: Violation[] = [];
  const found = hidden ? "is a number out of range" : `is ${value}`;
  const bound = (key: string, text: string, broken: (limit: number) => boolean): void => {
    const limit = schema[key];
    if (typeof limit === "number" && broken(limit))
      violations.push({ path, text: `${found}, expected ${text} ${limit}` });
  };
  bound("minimum", "at least", (limit) => value < limit);
  bound("maximum", "at most", (limit) => value > limit);
  bound("exclusiveMinimum", "more than", (limit) => value <= limit);
  bound("exclusiveMaximum", "less than", (limit) => value >= limit);
  bound("multipleOf", "a multiple of", (step) => step > 0 && !isMultiple(value, step));
  return violations;
}

/** Undefined where the pattern is not one that JavaScript reads: the provider will check it. */
export function compilePattern(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, "u");
  } catch {
    // A schema of a plugin, not the user's text: nothing that the user could mend.
    return undefined;
  }
}

function isMultiple(value: number, step: number): boolean {
  const quotient = value / step;
  return Number.isInteger(quotient) || Math.abs(quotient - Math.round(quotient)) < 1e-9;
}

function hasType(value: Json, type: string): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

function typeHint(value: Json, types: readonly string[]): { readonly hint: string } | Record<never, never> {
  if (
    typeof value === "string" &&
    types.some((type) => type === "number" || type === "integer" || type === "boolean")
  ) {
    return { hint: "Write it without quotes" };
  }
  if ((typeof value === "number" || typeof value === "boolean") && types.includes("string"))
    return { hint: "Write it in quotes" };
  if (types.includes("array") && typeof value !== "object") return { hint: "Write it as a list: [a]" };
  return {};
}
