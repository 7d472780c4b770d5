import type { Json, JsonObject } from "@wfctl/model";

/**
 * The text that Go's encoding/json gives for a value: keys in the order of their UTF-8 bytes, no white space, and `<`,
 * `>`, `&`, U+2028, U+2029 escaped. For digests that upstream's tools compute too; the wire needs none of it.
 * Members that are undefined are left out; a number that is not finite is a RangeError.
 */
export function goJson(value: Json): string {
  if (value === null) return "null";
  switch (typeof value) {
    case "boolean":
      return String(value);
    case "number":
      return goNumber(value);
    case "string":
      return goString(value);
    default:
      if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
      return goObject(value as JsonObject);
  }
}

function goObject(object: JsonObject): string {
  const members: string[] = [];
  for (const key of Object.keys(object).toSorted(compareBytes)) {
    const member = object[key];
    if (member !== undefined) members.push(`${goString(key)}:${goJson(member)}`);
  }
  return `{${members.join(",")}}`;
}

/** Go and JavaScript both write the shortest digits that read back, and switch to exponents at 1e21 and below 1e-6. */
function goNumber(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError("A number that is not finite has no JSON text");
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Go has no lone surrogates: reading one gives U+FFFD. */
function goString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const surrogate = /[\ud800-\udfff]/;

/** The order in which Go compares strings: by UTF-8 bytes, which is not the order of UTF-16 code units. */
export function compareBytes(a: string, b: string): number {
  if (surrogate.test(a) || surrogate.test(b)) return Buffer.compare(Buffer.from(a, "utf8"), Buffer.from(b, "utf8"));
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
