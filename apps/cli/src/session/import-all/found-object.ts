import type { LiveObject } from "@wfctl/engine";
import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";
import type { PluginProvider } from "@wfctl/plugin-host";

/** An object that a provider lists. */
export interface ListedObject {
  readonly provider: PluginProvider;
  readonly type: string;
  readonly providerId: string;
  /** As the cloud calls it; may be empty. */
  readonly name: string;
  /** As the list tells them; where it tells none, empty. */
  readonly tags: readonly string[];
  /** Tags that it is only known to carry once it was read. */
  readonly mustCarry?: readonly string[];
}

/** One that was read. */
export interface FoundObject extends ListedObject {
  readonly live: LiveObject;
  readonly inputs: JsonObject;
}

/** What is not written, with the reason: an object, or a whole type where nothing of it could be listed. */
export interface SkippedObject {
  readonly provider: string;
  readonly type: string;
  readonly id?: string;
  readonly name?: string;
  readonly why: string;
}

/** By provider module, type and id: the order of everything that is written. */
export function compareObjects(a: ListedObject, b: ListedObject): number {
  const keys = (object: ListedObject): string[] => [object.provider.module, object.type, object.providerId];
  const [left, right] = [keys(a), keys(b)];
  for (const [index, key] of left.entries()) {
    const other = right[index] as string;
    if (key !== other) return key < other ? -1 : 1;
  }
  return 0;
}

export function skip(object: ListedObject, why: string): SkippedObject {
  const { provider, type, providerId, name } = object;
  return { provider: provider.module, type, id: providerId, ...(name === "" ? {} : { name }), why };
}

/** Clouds whose tags are plain words have `KEY:VALUE`. */
export function spellings(tag: string): string[] {
  return tag.includes("=") ? [tag, tag.replace("=", ":")] : [tag];
}

export function carries(tags: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((tag) => spellings(tag).some((spelling) => tags.includes(spelling)));
}

/** Tags as words, or as `KEY=VALUE` where they are a mapping. */
export function tagsIn(value: Json | undefined): string[] {
  if (Array.isArray(value)) return value.filter((tag): tag is string => typeof tag === "string");
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, text]) => (typeof text === "string" ? [`${key}=${text}`] : []));
}
