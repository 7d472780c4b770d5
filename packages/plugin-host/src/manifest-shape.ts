import { isJsonObject, pathToPointer, type Json, type JsonObject } from "@wfctl/model";

/** One way in which a manifest is not as it must be. */
export interface ManifestViolation {
  /** JSON pointer into plugin.json, with the keys as the file spells them; empty for the whole file. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
}

type Path = readonly (string | number)[];

/** Checks one value and reports what is wrong with it. `undefined` stands for an absent key. */
export type Shape = (value: Json | undefined, path: Path, report: (violation: ManifestViolation) => void) => void;

/** Quotes a value for a message, shortened. */
function describeValue(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/**
 * Members of an object by lower-case name. Keys are compared without case, as Go's decoder does;
 * of several spellings the last one in the file counts.
 */
function membersIgnoringCase(object: JsonObject): ReadonlyMap<string, { readonly key: string; readonly value: Json }> {
  const members = new Map<string, { key: string; value: Json }>();
  for (const [key, value] of Object.entries(object)) members.set(key.toLowerCase(), { key, value });
  return members;
}

/** The value at a path of names, compared without case; undefined where there is none or it is null. */
export function getIgnoringCase(value: Json | undefined, ...names: string[]): Json | undefined {
  let current = value;
  for (const name of names) {
    if (!isJsonObject(current)) return undefined;
    current = membersIgnoringCase(current).get(name.toLowerCase())?.value;
  }
  return current ?? undefined;
}

function fail(value: Json | undefined, path: Path, expected: string): ManifestViolation {
  return { path: pathToPointer(path), found: describeValue(value), expected };
}

/** A text, or nothing. `accepts` decides over texts that are not empty. */
export function text(expected = "a text", accepts: (text: string) => boolean = () => true): Shape {
  return (value, path, report) => {
    if (value === undefined || value === null || value === "") return;
    if (typeof value !== "string" || !accepts(value)) report(fail(value, path, expected));
  };
}

/** A text that must be there and not be empty. */
export function requiredText(expected: string, accepts: (text: string) => boolean = () => true): Shape {
  return (value, path, report) => {
    if (typeof value !== "string" || value === "" || !accepts(value)) report(fail(value ?? undefined, path, expected));
  };
}

export const flag: Shape = (value, path, report) => {
  if (value !== undefined && value !== null && typeof value !== "boolean") report(fail(value, path, "true or false"));
};

export const number: Shape = (value, path, report) => {
  if (value !== undefined && value !== null && typeof value !== "number") report(fail(value, path, "a number"));
};

export function list(item: Shape, expected = "a list"): Shape {
  return (value, path, report) => {
    if (value === undefined || value === null) return;
    if (!Array.isArray(value)) return report(fail(value, path, expected));
    for (const [index, member] of value.entries()) item(member as Json, [...path, index], report);
  };
}

/** An object whose named members have shapes; other members are free. */
export function object(members: Readonly<Record<string, Shape>>): Shape {
  return (value, path, report) => {
    if (value === undefined || value === null) return;
    if (!isJsonObject(value)) return report(fail(value, path, "an object"));
    const present = membersIgnoringCase(value);
    for (const [name, shape] of Object.entries(members)) {
      const member = present.get(name.toLowerCase());
      shape(member?.value, [...path, member?.key ?? name], report);
    }
  };
}

/** An object whose members all have one shape. */
export function mapOf(member: Shape, expected = "an object"): Shape {
  return (value, path, report) => {
    if (value === undefined || value === null) return;
    if (!isJsonObject(value)) return report(fail(value, path, expected));
    for (const [key, each] of Object.entries(value)) member(each as Json, [...path, key], report);
  };
}

/** The shape for lists where the value is a list, else the other one. */
export function listOr(item: Shape, other: Shape, expected: string): Shape {
  return (value, path, report) => {
    if (Array.isArray(value)) return list(item)(value, path, report);
    if (value !== undefined && value !== null && !isJsonObject(value)) return report(fail(value, path, expected));
    other(value, path, report);
  };
}
