import { isExpression, isJsonObject, referencesIn, type Expression, type Json, type JsonObject } from "@wfctl/model";
import type { Reporter, Spot } from "./reporter.ts";
import { describe } from "./source/describe.ts";

/** Reads typed fields of a mapping. What has the wrong type is reported and read as absent; null is absent. */
export interface FieldReader {
  text(parent: JsonObject, spot: Spot, key: string): string | undefined;
  boolean(parent: JsonObject, spot: Spot, key: string): boolean | undefined;
  mapping(parent: JsonObject, spot: Spot, key: string): JsonObject | undefined;
  list(parent: JsonObject, spot: Spot, key: string): readonly Json[] | undefined;
  /** Items that are no text are reported and left out; `index` is the place in the list. */
  texts(parent: JsonObject, spot: Spot, key: string): readonly TextItem[];
  oneOf<T extends string>(parent: JsonObject, spot: Spot, key: string, allowed: readonly T[]): T | undefined;
  /** Reports every key that is not known; `special` words the hint for some of them, `fallback` for those that resemble none. */
  checkKeys(
    parent: JsonObject,
    spot: Spot,
    what: string,
    known: ReadonlySet<string>,
    special?: ReadonlyMap<string, string>,
    fallback?: string,
  ): void;
}

export interface TextItem {
  readonly text: string;
  readonly index: number;
}

export function createFieldReader(reporter: Reporter, spotOf: (spot: Spot, key: string) => Spot = child): FieldReader {
  const isAbsent = (value: Expression): boolean =>
    [...referencesIn(value)].some((reference) => "env" in reference && reporter.absentVariables.has(reference.env));
  const wrong = (spot: Spot, key: string, value: Json, expected: string, hint: string): undefined => {
    if (isExpression(value) && isAbsent(value)) return undefined;
    const found = isExpression(value) ? "a reference" : describe(value);
    reporter.report(spotOf(spot, key), { summary: `"${key}" is ${found}, expected ${expected}`, hint });
    return undefined;
  };
  const list = (parent: JsonObject, spot: Spot, key: string): readonly Json[] | undefined => {
    const value = parent[key];
    if (value === undefined || value === null) return undefined;
    return Array.isArray(value)
      ? value
      : wrong(spot, key, value, "a list", listHints.get(key) ?? `Write ${key}: [a, b]`);
  };
  return {
    list,
    text(parent, spot, key) {
      const value = parent[key];
      if (value === undefined || value === null) return undefined;
      if (typeof value === "string") return value;
      return wrong(spot, key, value, "text", isExpression(value) ? literalHint : `Write ${key}: "…"`);
    },
    boolean(parent, spot, key) {
      const value = parent[key];
      if (value === undefined || value === null) return undefined;
      if (typeof value === "boolean") return value;
      return wrong(
        spot,
        key,
        value,
        "true or false",
        isExpression(value) ? literalHint : "Write true or false, without quotes",
      );
    },
    mapping(parent, spot, key) {
      const value = parent[key];
      if (value === undefined || value === null) return undefined;
      if (isJsonObject(value) && !isExpression(value)) return value;
      return wrong(spot, key, value, "a mapping", `Write ${key}: with keys below it`);
    },
    texts(parent, spot, key) {
      const items: TextItem[] = [];
      for (const [index, item] of (list(parent, spot, key) ?? []).entries()) {
        if (typeof item === "string" && item !== "") items.push({ text: item, index });
        else {
          const found = item === "" ? "empty" : isExpression(item) ? "a reference" : describe(item);
          const place = spotOf(spot, key);
          reporter.report(
            { file: place.file, path: [...place.path, index] },
            {
              summary: `An item of "${key}" is ${found}, expected text`,
              hint: isExpression(item) ? literalHint : "Write a name",
            },
          );
        }
      }
      return items;
    },
    oneOf(parent, spot, key, allowed) {
      const value = parent[key];
      if (value === undefined || value === null) return undefined;
      const known = allowed.find((word) => word === value);
      if (known !== undefined) return known;
      if (typeof value !== "string")
        return wrong(spot, key, value, allowed.map((word) => `"${word}"`).join(" or "), "Write one of them");
      reporter.report(spotOf(spot, key), {
        summary: `"${key}" is "${value}", expected ${allowed.map((word) => `"${word}"`).join(" or ")}`,
        hint: reporter.hintFor(value, allowed, "Write one of them"),
      });
      return undefined;
    },
    checkKeys(parent, spot, what, known, special, fallback = `Known are ${[...known].join(", ")}`) {
      for (const key of Object.keys(parent)) {
        if (known.has(key)) continue;
        reporter.report(
          { file: spot.file, path: [...spot.path, key] },
          {
            summary: `The key "${key}" is not known ${what}`,
            hint: special?.get(key) ?? reporter.hintFor(key, known, fallback),
            part: { key: true },
          },
        );
      }
    },
  };
}

/** What the items of lists look like that are no texts. */
const listHints: ReadonlyMap<string, string> = new Map([
  ["modules", "Write modules: with - name: … and type: … below it"],
  ["moved", "Write moved: [{from: old, to: new}]"],
  ["import", 'Write import: [{to: name, id: "…"}]'],
  ["entries", "Write entries: [{name: API_TOKEN}]"],
  ["generate", "Write generate: [{key: SESSION_KEY, type: random_hex}]"],
]);

const literalHint = "Write the value itself: it decides the plan. Use environments to vary it";

export function child(spot: Spot, ...steps: readonly (string | number)[]): Spot {
  return { file: spot.file, path: [...spot.path, ...steps] };
}
