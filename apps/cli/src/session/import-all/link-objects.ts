import { escapeText } from "@wfctl/config";
import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";
import type { NamedObject } from "./write-found.ts";

/** Shorter ids may be the same as any other text. */
const shortestId = 6;

/**
 * The configurations as they are written: texts escaped, and the id of another object that is written as a reference to it,
 * so that the two go in the right order. No circle comes of it.
 */
export function linkObjects(objects: readonly NamedObject[]): JsonObject[] {
  const byId = new Map<string, string | undefined>();
  for (const { object, name } of objects) {
    const id = object.providerId;
    // What is the id of two says nothing.
    if (id.length >= shortestId) byId.set(id, byId.has(id) ? undefined : name);
  }
  const uses = new Map(objects.map(({ name }) => [name, new Set<string>()]));
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return [...(uses.get(from) ?? [])].some((next) => reaches(next, to, seen));
  };
  return objects.map(({ name, config }) => {
    const write = (value: Json): Json => {
      if (typeof value === "string") {
        const other = byId.get(value);
        if (other === undefined || reaches(other, name)) return escapeText(value);
        uses.get(name)?.add(other);
        return `\${${other}.id}`;
      }
      if (Array.isArray(value)) return value.map((item: Json) => write(item));
      if (!isJsonObject(value)) return value;
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, write(member)]));
    };
    return write(config) as JsonObject;
  });
}
