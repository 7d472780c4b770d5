import { api, type Context } from "./calls.ts";
import { orAbsent } from "./errors.ts";
import { currentTags, withOwner } from "./ownership.ts";
import { markPrefix, tagChanges } from "./tags.ts";

type Tagged = { readonly kind: "droplet" | "volume" | "database"; readonly id: string };

/** Makes the user's tags on an object equal to what is wanted; marks stay. */
export async function syncTags(
  context: Context,
  object: Tagged,
  live: readonly string[],
  wanted: readonly string[],
): Promise<void> {
  await applyChanges(context, object, tagChanges(live, currentTags(context, wanted, live)));
}

/** Writes the ownership mark of another owner. */
export async function writeOwner(
  context: Context,
  object: Tagged,
  live: readonly string[],
  owner: string,
): Promise<void> {
  const changes = withOwner(live, owner);
  await applyChanges(context, object, changes);
  await removeUnusedMarks(context, changes.remove);
}

export async function applyChanges(
  context: Context,
  { kind, id }: Tagged,
  { add, remove }: { add: readonly string[]; remove: readonly string[] },
): Promise<void> {
  const cloud = api(context);
  const body = { resources: [{ resource_id: id, resource_type: kind }] };
  for (const tag of add) {
    await cloud.post("tags", { name: tag });
    await cloud.post(`tags/${encodeURIComponent(tag)}/resources`, body);
  }
  for (const tag of remove) await cloud.delete(`tags/${encodeURIComponent(tag)}/resources`, { body });
}

/**
 * Deletes our marks that nothing carries any more: a tag outlives what it was on. One that is still on something, such as
 * the owner on a replacement, stays.
 */
export async function removeUnusedMarks(context: Context, tags: readonly string[]): Promise<void> {
  const cloud = api(context);
  for (const tag of tags.filter((each) => each.startsWith(markPrefix))) {
    const path = `tags/${encodeURIComponent(tag)}`;
    const found = await orAbsent(cloud.get<{ tag: { resources?: { count?: number } } }>(path));
    if (found?.tag.resources?.count === 0) await orAbsent(cloud.delete(path));
  }
}
