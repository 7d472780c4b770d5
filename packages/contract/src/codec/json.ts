import { isUtf8 } from "node:buffer";
import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";

/** A field of a message breaks the contract. Names the field, never its content. */
export class WireFormatError extends Error {
  /** As in the contract, such as `ResourceOutput.outputs_json`. */
  readonly field: string;

  constructor(field: string, reason: string) {
    super(`Field ${field} ${reason}`);
    this.name = "WireFormatError";
    this.field = field;
  }
}

const empty = new Uint8Array(0);
/** Only a text with one of these can hold a number that no double holds. */
const maybeTooLarge = /[eE]\+?\d{2}|\d{200}/;
/** Levels. Deeper values overflow the stacks of those who walk them. */
const maxDepth = 2_000;

/**
 * JSON text of a value; undefined gives zero bytes, which readers take for "none".
 * Members that are undefined are left out. A number that is not finite is an error.
 */
export function jsonToBytes(value: Json | undefined, field = "*_json"): Uint8Array {
  if (value === undefined) return empty;
  const text = JSON.stringify(value);
  // JSON.stringify writes null for NaN and Infinity.
  if (text.includes("null") && !isFinite(value))
    throw new WireFormatError(field, "would hold a number that is not finite");
  return Buffer.from(text, "utf8");
}

/** The value of JSON text; zero bytes give undefined, `null` gives null. Of keys that occur twice the last counts. */
export function bytesToJson(bytes: Uint8Array, field: string): Json | undefined {
  if (bytes.byteLength === 0) return undefined;
  if (!isUtf8(bytes)) throw new WireFormatError(field, "is not UTF-8 text");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw new WireFormatError(field, "is not valid JSON");
  }
  // Every level takes an opening and a closing character.
  if (text.length > 2 * maxDepth && isDeep(value))
    throw new WireFormatError(field, `is nested deeper than ${maxDepth} levels`);
  if (maybeTooLarge.test(text) && !isFinite(value))
    throw new WireFormatError(field, "holds a number beyond the range of a double");
  return value;
}

/** As `bytesToJson`, for fields that hold an object. Zero bytes and `null` give undefined. */
export function bytesToObject(bytes: Uint8Array, field: string): JsonObject | undefined {
  const value = bytesToJson(bytes, field);
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) {
    throw new WireFormatError(
      field,
      `should hold a JSON object but holds ${Array.isArray(value) ? "an array" : `a ${typeof value}`}`,
    );
  }
  return value;
}

/** Level by level: a walk that calls itself would overflow the stack itself. */
function isDeep(value: Json): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return true;
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? (Object.values(each) as Json[]) : []));
  }
  return false;
}

function isFinite(value: Json | undefined): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(isFinite);
}
