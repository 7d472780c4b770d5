import type { ResourceType, TagSpecification } from "@aws-sdk/client-ec2";
import type { Aws } from "../calls.ts";
import { partOfTag, partTag } from "../ownership.ts";
import { fromPairs, tagChanges, toPairs, type TagPair, type Tags } from "../tags.ts";

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

/** Brings the tags of an EC2 object to what is wanted. Marks stay. */
export async function syncTags({ ec2 }: Aws, id: string, live: Tags, wanted: Tags): Promise<void> {
  const { set, remove } = tagChanges(live, wanted);
  if (Object.keys(set).length > 0) await ec2.createTags({ Resources: [id], Tags: toPairs(set) });
  if (remove.length > 0) await ec2.deleteTags({ Resources: [id], Tags: remove.map((Key) => ({ Key })) });
}
