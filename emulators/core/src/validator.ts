import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { Operation } from "./description.ts";
import { formats } from "./formats.ts";
import { schemaPointer, toSchemaDocument, type Direction } from "./json-schema.ts";
import { atPointer, canonicalPointer, type Json, type JsonObject } from "./json.ts";
import { findUnknownKeys } from "./unknown-keys.ts";

export interface Violation {
  /** Such as `body.name` or `query.page`. */
  readonly path: string;
  readonly message: string;
}

export interface Validator {
  /** What the description forbids. Query and path values that are numbers or booleans are converted in place. */
  checkRequest(
    operation: Operation,
    request: { params: JsonObject; query: JsonObject; body: Json | undefined },
  ): Violation[];
  /** Members of the body that the description does not know. */
  unknownKeys(operation: Operation, body: Json | undefined): string[];
  checkResponse(operation: Operation, status: number, body: Json | undefined): Violation[];
}

const made = new WeakMap<JsonObject, Validator>();

/** Checks messages against a description. Schemas are compiled when first met, and once for each document. */
export function createValidator(document: JsonObject): Validator {
  const validator = made.get(document) ?? makeValidator(document);
  made.set(document, validator);
  return validator;
}

function makeValidator(document: JsonObject): Validator {
  const options = {
    strict: false,
    allErrors: true,
    formats,
    logger: false,
    validateFormats: true,
    unicodeRegExp: false,
  } as const;
  const sides = new Map<Direction, { ajv: Ajv; compiled: Map<string, ValidateFunction> }>();
  const parameters = new Ajv({ ...options, coerceTypes: true });
  const parameterChecks = new Map<string, ValidateFunction>();

  const sideOf = (direction: Direction) => {
    let side = sides.get(direction);
    if (side === undefined) {
      const ajv = new Ajv({ ...options, validateSchema: false });
      ajv.addSchema(toSchemaDocument(document, direction), direction);
      side = { ajv, compiled: new Map() };
      sides.set(direction, side);
    }
    return side;
  };
  const compile = (direction: Direction, pointer: string): ValidateFunction => {
    const { ajv, compiled } = sideOf(direction);
    let check = compiled.get(pointer);
    if (check === undefined) {
      check = ajv.compile({ $ref: `${direction}${schemaPointer(canonicalPointer(document, pointer) ?? pointer)}` });
      compiled.set(pointer, check);
    }
    return check;
  };
  const run = (check: ValidateFunction, value: Json, root: string): Violation[] =>
    check(value) ? [] : toViolations(check.errors ?? [], root);

  return {
    checkRequest(operation, { params, query, body }) {
      const found: Violation[] = [];
      for (const [place, values] of [
        ["path", params],
        ["query", query],
      ] as const) {
        const key = `${operation.id} ${place}`;
        let check = parameterChecks.get(key);
        if (check === undefined) {
          check = parameters.compile(parameterSchema(document, operation, place));
          parameterChecks.set(key, check);
        }
        found.push(...run(check, values, place));
      }
      if (operation.body === undefined) return found;
      if (body !== undefined) found.push(...run(compile("request", operation.body.pointer), body, "body"));
      else if (operation.body.required) found.push({ path: "body", message: "is required" });
      return found;
    },
    unknownKeys(operation, body) {
      if (body === undefined) return [];
      if (operation.body === undefined) return Object.keys(body as JsonObject);
      return findUnknownKeys(document, atPointer(document, operation.body.pointer), body);
    },
    checkResponse(operation, status, body) {
      const answer = operation.responses[String(status)] ?? operation.responses["default"];
      if (answer === undefined) return [{ path: "status", message: `${status} is not described` }];
      if (answer.pointer === undefined) return [];
      if (body === undefined) return [{ path: "body", message: "is missing" }];
      return run(compile("response", answer.pointer), body, "body");
    },
  };
}

function parameterSchema(document: JsonObject, operation: Operation, place: "path" | "query"): JsonObject {
  const own = operation.parameters.filter((parameter) => parameter.in === place);
  return {
    type: "object",
    properties: Object.fromEntries(own.map(({ name, schema }) => [name, inline(document, schema, 0)])),
    required: own.filter(({ required }) => required).map(({ name }) => name),
  };
}

/** Parameters are small: their references are put in place. */
function inline(document: JsonObject, node: Json, depth: number): Json {
  if (Array.isArray(node)) return node.map((each) => inline(document, each, depth + 1));
  if (typeof node !== "object" || node === null || depth > 10) return node;
  if (typeof node["$ref"] === "string") return inline(document, atPointer(document, node["$ref"]) ?? {}, depth + 1);
  const entries = Object.entries(node).filter(([key]) => key !== "example" && key !== "nullable");
  return Object.fromEntries(
    entries.map(([key, value]) => [key === "oneOf" ? "anyOf" : key, inline(document, value, depth + 1)]),
  );
}

function toViolations(errors: readonly ErrorObject[], root: string): Violation[] {
  const seen = new Map<string, Violation>();
  for (const { instancePath, message = "is wrong", keyword, params } of errors) {
    if (keyword === "anyOf" && errors.length > 1) continue;
    const place = `${root}${instancePath.replaceAll("/", ".")}`;
    const allowed = keyword === "enum" ? `: ${(params as { allowedValues: unknown[] }).allowedValues.join(", ")}` : "";
    const text = `${message}${allowed}`;
    seen.set(`${place} ${text}`, { path: place, message: text });
  }
  return [...seen.values()];
}
