import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Context } from "./calls.ts";
import { ownerOf, ownerTag } from "./ownership.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return uuid.test(text);
}

/** The one of that name: the one with the caller's mark, or the only one. Several without a mark are an error. */
export function pickByName<Item>(
  context: Context,
  what: { kind: string; name: string },
  candidates: readonly Item[],
  about: { id: (item: Item) => string; tags?: (item: Item) => readonly string[] },
): Item | undefined {
  const { owner } = context;
  const tagsOf = about.tags ?? ((): readonly string[] => []);
  const own = owner === undefined ? [] : candidates.filter((item) => tagsOf(item).includes(ownerTag(owner)));
  const left = own.length > 0 ? own : candidates;
  if (left.length <= 1) return left[0];
  const ids = left.map((item) => `"${about.id(item)}"`).join(", ");
  throw new ProviderFailure(
    "validation",
    `Several objects of kind ${what.kind} are called "${what.name}": ${ids}; name one by its id`,
  );
}

/** Why a create finds its name taken. */
export function takenMessage(
  context: Context,
  what: { kind: string; name: string },
  tags: readonly string[] = [],
): string {
  const owner = ownerOf(tags, context.owner);
  return `${what.kind} "${what.name}" is there already and belongs to ${owner ?? "no stack"}: adopt it, or choose another name`;
}
