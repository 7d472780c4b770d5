import { createHash } from "node:crypto";
import { alreadyExists, type AlreadyExists } from "@wfctl/plugin-sdk";
import type { Context } from "./calls.ts";
import { isOwnCreate, isOwnResource, ownerOf } from "./ownership.ts";
import type { Tags } from "./tags.ts";

/** Digest of a client token, for names and for services that take short tokens only. */
export function shortHash(text: string, length = 8): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}

/** The names that a create may give: the resource's, and one with a suffix for a replacement beside the old object. */
export function candidateNames(base: string, token: string, maxLength: number): readonly [string, string] {
  const suffix = `-${shortHash(token)}`;
  return [base.slice(0, maxLength), `${base.slice(0, maxLength - suffix.length)}${suffix}`];
}

export interface NamedObject<Found> {
  readonly tags: Tags;
  readonly found: Found;
}

/**
 * The name of what a create makes, and the object where an earlier attempt of the same action made it. A name that the
 * user chose is taken as it is. Else the resource's name, and while the object that is being replaced still has that, one
 * with a suffix. `observe` says what has a name now.
 */
export async function settleName<Found>(
  context: Context,
  names: {
    readonly chosen: string | undefined;
    readonly base: string;
    readonly maxLength: number;
    readonly what: string;
  },
  observe: (name: string) => Promise<NamedObject<Found> | undefined>,
): Promise<{ readonly name: string; readonly made: Found | undefined } | AlreadyExists> {
  const { chosen, base, maxLength, what } = names;
  const candidates = chosen === undefined ? candidateNames(base, context.clientToken, maxLength) : [chosen];
  const objects = await Promise.all(candidates.map(observe));
  const own = objects.findIndex((object) => object !== undefined && isOwnCreate(object.tags, context));
  if (own !== -1) return { name: candidates[own] ?? base, made: objects[own]?.found };
  const [first] = objects;
  if (first === undefined) return { name: candidates[0] ?? base, made: undefined };
  const isReplaced = chosen === undefined && isOwnResource(first.tags, context);
  if (isReplaced && objects[1] === undefined) return { name: candidates[1] ?? base, made: undefined };
  const owner = ownerOf(first.tags);
  if (isOwnResource(first.tags, context)) {
    return alreadyExists(
      `${what} "${candidates[0]}" is this resource's own, which is to be replaced, and only one can have the name: set lifecycle.replace to delete-first, or choose another name`,
    );
  }
  return alreadyExists(
    `${what} "${candidates[0]}" is there already and belongs to ${owner ?? "no stack"}: adopt it, or choose another name`,
  );
}
