import { createHash } from "node:crypto";
import type { Context } from "./calls.ts";
import { isMark, markPrefix, upstreamOwnerPrefix } from "./tags.ts";

/**
 * Marks are tags, which hold letters, digits, colons, dashes and underscores, and whose letters have no case that one
 * can rely on: an owner is written in hexadecimal digits, or as a digest where that is too long.
 */
const ownerPrefix = `${markPrefix}owner:`;
const ownerHashPrefix = `${markPrefix}owner-hash:`;
export const tokenPrefix = `${markPrefix}token:`;
const maxLength = 255;

/** All tags of a new object. They go into the create call, so that no instant exists in which it is not marked. */
export function creationTags(context: Context, tags: readonly string[]): string[] {
  return [
    ...new Set([
      ...context.client.config.default_tags,
      ...tags,
      tokenTag(context.clientToken),
      ...(context.owner === undefined ? [] : [ownerTag(context.owner)]),
    ]),
  ];
}

/** Tags of an object that exists: the user's, those that are not ours to judge, and the owner where it has none. */
export function currentTags(context: Context, wanted: readonly string[], live: readonly string[]): string[] {
  const marks = live.filter((tag) => isMark(tag));
  const isOwned = marks.some((tag) => tag.startsWith(ownerPrefix) || tag.startsWith(ownerHashPrefix));
  return [
    ...new Set([
      ...context.client.config.default_tags,
      ...wanted,
      ...marks,
      ...(isOwned || context.owner === undefined ? [] : [ownerTag(context.owner)]),
    ]),
  ];
}

export function tokenTag(token: string): string {
  return `${tokenPrefix}${digest(token)}`;
}

export function ownerTag(owner: string): string {
  const plain = `${ownerPrefix}${Buffer.from(owner).toString("hex")}`;
  return plain.length <= maxLength ? plain : `${ownerHashPrefix}${digest(owner)}`;
}

/** The owner that the tags name; one whose name was too long is known only to who asks for it. */
export function ownerOf(tags: readonly string[], expected: string | undefined): string | undefined {
  if (expected !== undefined && tags.includes(ownerTag(expected))) return expected;
  for (const tag of tags) {
    if (tag.startsWith(ownerPrefix)) return Buffer.from(tag.slice(ownerPrefix.length), "hex").toString();
    if (tag.startsWith(upstreamOwnerPrefix)) return tag.slice(upstreamOwnerPrefix.length);
    if (tag.startsWith(ownerHashPrefix)) return tag;
  }
  return undefined;
}

/** Tags of the object with another owner. */
export function withOwner(tags: readonly string[], owner: string): { add: string[]; remove: string[] } {
  const wanted = ownerTag(owner);
  const old = tags.filter(
    (tag) => tag.startsWith(ownerPrefix) || tag.startsWith(ownerHashPrefix) || tag.startsWith(upstreamOwnerPrefix),
  );
  return { add: tags.includes(wanted) ? [] : [wanted], remove: old.filter((tag) => tag !== wanted) };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 40);
}
