import type { Context } from "./calls.ts";
import { markPrefix, upstreamOwnerTag, type Tags } from "./tags.ts";

/** `<stack lineage>/<resource>`, or what `infra apply --owner` wrote. */
export const ownerTag = `${markPrefix}owner`;
/** The client token of the create that made the object. */
export const tokenTag = `${markPrefix}token`;
/** Logical name of the resource. */
export const nameTag = `${markPrefix}name`;
/** Of a part of a composite: id of the whole. */
export const partOfTag = `${markPrefix}part-of`;
/** Of a part of a composite: which part. */
export const partTag = `${markPrefix}part`;

/** All tags of a new object. They go into the create call, so that no instant exists in which the object is not marked. */
export function creationTags(context: Context, name: string, tags: Tags): Record<string, string> {
  return {
    ...context.client.config.default_tags,
    ...tags,
    [nameTag]: name,
    [tokenTag]: context.clientToken,
    ...(context.owner === undefined ? {} : { [ownerTag]: context.owner }),
  };
}

/** Tags of an object that exists: the user's, and the marks where it has none, such as after an adoption. */
export function currentTags(context: Context, name: string, tags: Tags, live: Tags): Record<string, string> {
  return {
    ...context.client.config.default_tags,
    ...tags,
    ...(live[nameTag] === undefined ? { [nameTag]: name } : {}),
    ...(live[ownerTag] === undefined && context.owner !== undefined ? { [ownerTag]: context.owner } : {}),
  };
}

/** Tags of a part, marked as belonging to its whole. */
export function partTags(
  context: Context,
  part: { of: string; key: string; name: string; tags: Tags },
): Record<string, string> {
  return { ...creationTags(context, part.name, part.tags), [partOfTag]: part.of, [partTag]: part.key };
}

export function ownerOf(tags: Tags): string | undefined {
  return tags[ownerTag] ?? tags[upstreamOwnerTag];
}

/** True where this action made the object, in this attempt or an earlier one. */
export function isOwnCreate(tags: Tags, context: Context): boolean {
  return tags[tokenTag] === context.clientToken;
}

/** True where the object belongs to the resource that the call is about, whichever action made it. */
export function isOwnResource(tags: Tags, context: Context): boolean {
  return context.owner !== undefined && tags[ownerTag] === context.owner;
}

/** Logical name, for enumeration and import. */
export function logicalName(tags: Tags, fallback: string): string {
  return tags[nameTag] ?? tags["Name"] ?? fallback;
}

/** How `infra cleanup --tag` may name an object: by a tag's key, or by key and value. */
export function searchTags(tags: Tags): string[] {
  return Object.entries(tags).flatMap(([key, value]) => [key, `${key}=${value}`]);
}
