import { api, type Context } from "./calls.ts";
import { currentTags, withOwner } from "./ownership.ts";
import { tagChanges } from "./tags.ts";

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
  await applyChanges(context, object, withOwner(live, owner));
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
