import type { Json } from "@wfctl/model";

/** A JSON value as the language takes it: whole numbers are its integers. */
export function toCel(value: Json): unknown {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(toCel);
  return new Map(Object.entries(value).map(([key, member]) => [key, toCel(member as Json)]));
}

/** Most values that an expression may give, counting those inside of lists and maps. */
const maxValues = 100_000;

/** Longest text that an expression may give, in characters. */
const maxTextLength = 10_000_000;

/** What an expression gives, as JSON. Throws where it has no JSON form, and where it is too large to be of use. */
export function fromCel(value: unknown): Json {
  return convert(value, { values: 0 });
}

function convert(value: unknown, count: { values: number }): Json {
  count.values += 1;
  if (count.values > maxValues) throw new Error(`the result has more than ${maxValues} values`);
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") {
    if (value.length > maxTextLength) throw new Error(`the result is longer than ${maxTextLength} characters`);
    return value;
  }
  if (typeof value === "bigint") return wholeNumber(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Error("the result is no finite number");
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => convert(item, count));
  if (typeof value === "object" && value instanceof Map)
    return fromEntries([...(value as Map<unknown, unknown>)], count);
  if (typeof value === "object" && isPlain(value as object)) return fromEntries(Object.entries(value as object), count);
  // Unsigned integers and values that may be missing are objects of the library.
  const { verify, valueOf } = value as { verify?: unknown; valueOf?: () => unknown };
  if (typeof verify === "function" && typeof valueOf === "function") {
    const inner = valueOf.call(value);
    if (typeof inner === "bigint") return wholeNumber(inner);
  }
  throw new Error("the result is no text, number, list or map: write string(…) or .orValue(…) around it");
}

function wholeNumber(value: bigint): Json {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new Error("the result is a whole number beyond 2^53: write string(…) around it");
  return number;
}

function fromEntries(entries: readonly (readonly [unknown, unknown])[], count: { values: number }): Json {
  return Object.fromEntries(
    entries.map(([key, member]) => {
      if (typeof key !== "string") throw new Error("the result has a key that is no text");
      return [key, convert(member, count)];
    }),
  );
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === Object.prototype || prototype === null;
}
