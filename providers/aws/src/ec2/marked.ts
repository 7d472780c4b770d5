import type { ResourceType, TagSpecification } from "@aws-sdk/client-ec2";
import type { Aws } from "../calls.ts";
import { partOfTag, partTag } from "../ownership.ts";
import { fromPairs, tagChanges, toPairs, type TagPair, type Tags } from "../tags.ts";
import { awaitThat } from "../waiting.ts";

/** Tags as a create call of EC2 takes them. */
export function tagged(type: ResourceType, tags: Tags): { TagSpecifications: TagSpecification[] } {
  return { TagSpecifications: [{ ResourceType: type, Tags: toPairs(tags) }] };
}

export function withTag(name: string, value: string): { Name: string; Values: string[] } {
  return { Name: `tag:${name}`, Values: [value] };
}

/** Which part of the whole an object is; undefined where it is none of ours. */
export function partOf(object: { readonly Tags?: readonly TagPair[] | undefined }, whole: string): string | undefined {
  const tags = fromPairs(object.Tags);
  return tags[partOfTag] === whole ? tags[partTag] : undefined;
}

/**
 * Makes an object that has nothing but its tags to be known by. Two could come of one action where an earlier attempt was
 * cut off and its object was not visible yet: then the earlier one stays.
 */
export async function makeMarked(
  { context }: Aws,
  what: string,
  steps: {
    /** Ids of the objects that carry the mark. */
    find(): Promise<readonly string[]>;
    make(): Promise<string>;
    remove(id: string): Promise<unknown>;
  },
): Promise<string> {
  const [before] = await steps.find();
  if (before !== undefined) return before;
  const made = await steps.make();
  const visible = await awaitThat(context, `${what} to be visible`, async () => {
    const found = await steps.find();
    return found.includes(made) ? found : undefined;
  });
  const earlier = visible.filter((id) => id !== made).toSorted()[0];
  if (earlier === undefined) return made;
  await steps.remove(made);
  return earlier;
}

/** Brings the tags of an EC2 object to what is wanted. Marks stay. */
export async function syncTags({ ec2 }: Aws, id: string, live: Tags, wanted: Tags): Promise<void> {
  const { set, remove } = tagChanges(live, wanted);
  if (Object.keys(set).length > 0) await ec2.createTags({ Resources: [id], Tags: toPairs(set) });
  if (remove.length > 0) await ec2.deleteTags({ Resources: [id], Tags: remove.map((Key) => ({ Key })) });
}
