/** A JSON value. Numbers are IEEE doubles; integers above 2^53 must travel as strings. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One text per value: keys sorted by code unit, no white space. Equal values give equal text. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const object = value as JsonObject;
  const members: string[] = [];
  for (const key of Object.keys(object).toSorted()) {
    const member = object[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(",")}}`;
}

export function jsonEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a === null || b === null) return false;
  if (typeof a !== "object" || typeof b !== "object") return false;
  return canonicalJson(a) === canonicalJson(b);
}

/** RFC 6901 pointer of a path: `["a", 0, "b/c"]` is `/a/0/b~1c`; the empty path is the empty string. */
export function pathToPointer(path: readonly (string | number)[]): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

export function pointerToPath(pointer: string): string[] {
  if (pointer === "") return [];
  return pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The value at a pointer, or undefined where the path leaves the value. */
export function getAtPointer(value: Json, pointer: string): Json | undefined {
  let current: Json | undefined = value;
  for (const step of pointerToPath(pointer)) {
    if (current === null || current === undefined || typeof current !== "object") return undefined;
    current = Array.isArray(current) ? current[Number(step)] : (current as JsonObject)[step];
  }
  return current;
}

/** A copy of the value in which each value that a pointer names went through `map`. Pointers that lead nowhere are passed over. */
export function mapAtPointers(value: Json, pointers: readonly string[], map: (value: Json) => Json): Json {
  if (pointers.length === 0) return value;
  const wanted = new Set(pointers);
  const walk = (current: Json, pointer: string): Json => {
    if (wanted.has(pointer)) return map(current);
    if (current === null || typeof current !== "object") return current;
    if (Array.isArray(current)) return current.map((item: Json, index) => walk(item, `${pointer}/${index}`));
    // Not by assignment: a key may be called __proto__.
    return Object.fromEntries(
      Object.entries(current as JsonObject).map(([key, member]) => [key, walk(member, pointer + pathToPointer([key]))]),
    );
  };
  return walk(value, "");
}
