import { isJsonObject, pathToPointer, WfctlError, type Json, type JsonObject } from "@wfctl/model";

/** One place in a parsed file: reads what must be there, and names the place where it is not. */
export interface Cursor {
  readonly pointer: string;
  readonly value: Json;
  /** The member; undefined where it is missing or null. */
  at(key: string): Cursor | undefined;
  object(): JsonObject;
  /** The items; none where the member is missing. */
  items(key: string): readonly Cursor[];
  text(key: string): string;
  optionalText(key: string): string | undefined;
  texts(key: string): readonly string[];
  isTrue(key: string): boolean;
  refuse(why: string): WfctlError;
}

export function createCursor(file: string, value: Json, path: readonly (string | number)[] = []): Cursor {
  const pointer = pathToPointer(path);
  const refuse = (why: string, place = pointer): WfctlError =>
    new WfctlError("IMPORT_INVALID", `Cannot read "${file}": ${place === "" ? "it" : place} ${why}`, {
      hint: "Take the file anew from the tool that wrote it; nothing was imported",
    });
  const object = (): JsonObject => {
    if (!isJsonObject(value)) throw refuse(`is ${describe(value)}, expected an object`);
    return value;
  };
  const member = (key: string): Json | undefined => {
    const own = object();
    return Object.hasOwn(own, key) ? (own[key] ?? undefined) : undefined;
  };
  const wrong = (key: string, found: Json | undefined, expected: string): WfctlError =>
    refuse(`is ${describe(found)}, expected ${expected}`, pathToPointer([...path, key]));
  const optionalText = (key: string): string | undefined => {
    const found = member(key);
    if (found !== undefined && typeof found !== "string") throw wrong(key, found, "a text");
    return found;
  };
  const list = (key: string): readonly Json[] => {
    const found = member(key) ?? [];
    if (!Array.isArray(found)) throw wrong(key, found, "a list");
    return found as readonly Json[];
  };
  return {
    pointer,
    value,
    object,
    refuse,
    at(key) {
      const found = member(key);
      return found === undefined ? undefined : createCursor(file, found, [...path, key]);
    },
    items: (key) => list(key).map((item, index) => createCursor(file, item, [...path, key, index])),
    text(key) {
      const found = optionalText(key);
      if (found === undefined || found === "") throw wrong(key, found, "a text");
      return found;
    },
    optionalText,
    texts(key) {
      return list(key).map((item, index) => {
        if (typeof item === "string") return item;
        throw refuse(`is ${describe(item)}, expected a text`, pathToPointer([...path, key, index]));
      });
    },
    isTrue: (key) => member(key) === true,
  };
}

function describe(value: Json | undefined): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (value === "") return "empty";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
