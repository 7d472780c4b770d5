import { isExpression, isJsonObject, renderExpression, type Json, type JsonObject, type Value } from "@wfctl/model";
import { masked } from "../mask.ts";

/** Longer values are cut: the whole is in the JSON output. */
const maxValueLength = 120;

/** The text without what could steer a terminal: what clouds and plugins say is shown, never obeyed. */
export function printable(text: string): string {
  return text.replaceAll(
    /(?![\n\t])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** One value on one line; references as the user wrote them. */
export function showValue(value: Json): string {
  if (value === masked) return masked;
  if (isExpression(value)) {
    const [only, ...rest] = value.$expr;
    const text = renderExpression(value);
    return rest.length === 0 && typeof only !== "string" ? printable(text) : cut(printable(JSON.stringify(text)));
  }
  return cut(printable(JSON.stringify(withRenderedReferences(value))));
}

function withRenderedReferences(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (isExpression(value)) return renderExpression(value);
  if (Array.isArray(value)) return value.map(withRenderedReferences);
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, member]) => [key, withRenderedReferences(member)]),
  );
}

function cut(text: string): string {
  return text.length <= maxValueLength ? text : `${text.slice(0, maxValueLength)}… (${text.length} characters)`;
}

/** Members of a config as dotted paths; lists and empty mappings stay whole. */
export function* fieldsOf(value: Value, path = ""): Generator<[path: string, value: Value]> {
  if (isJsonObject(value) && !isExpression(value) && Object.keys(value).length > 0) {
    for (const [key, member] of Object.entries(value)) yield* fieldsOf(member, path === "" ? key : `${path}.${key}`);
    return;
  }
  yield [path, value];
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** `3 to create, 1 to delete`; the empty text where all counts are zero. */
export function listCounts(counts: readonly (readonly [number, string])[]): string {
  return counts
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${number} ${what}`)
    .join(", ");
}

/** Pads columns to equal width; the last one is left as it is. */
export function alignColumns(rows: readonly (readonly string[])[], gap = "  "): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join(gap)
      .trimEnd(),
  );
}

/** `950 ms`, `12 s`, `2 min 5 s`, `1 h 3 min`. */
export function showDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function indent(text: string, by: string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? line : by + line))
    .join("\n");
}
