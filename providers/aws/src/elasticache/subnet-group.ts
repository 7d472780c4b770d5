import type { CacheSubnetGroup } from "@aws-sdk/client-elasticache";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { isSame } from "../json.ts";
import { partOfTag, partTags } from "../ownership.ts";
import { each } from "../paging.ts";
import { orUnoffered } from "../stand-in.ts";
import { fromPairs, toPairs, type Tags } from "../tags.ts";
import { retryWhile } from "../waiting.ts";
import type { CacheInput } from "./schema.ts";

const groupSuffix = "-subnets";

/** Name of the subnet group that belongs to a replication group. */
export const subnetGroupOf = (group: string): string => `${group}${groupSuffix}`;

export async function findSubnetGroup({ elasticache }: Aws, name: string): Promise<CacheSubnetGroup | undefined> {
  const answer = await orAbsent(elasticache.describeCacheSubnetGroups({ CacheSubnetGroupName: name }));
  return answer?.CacheSubnetGroups?.[0];
}

export function subnetsOf(group: CacheSubnetGroup | undefined): string[] {
  return (group?.Subnets ?? []).map(({ SubnetIdentifier }) => SubnetIdentifier ?? "");
}

async function tagsOf({ elasticache }: Aws, { ARN: arn }: CacheSubnetGroup): Promise<Tags> {
  if (arn === undefined) return {};
  return fromPairs((await orAbsent(elasticache.listTagsForResource({ ResourceName: arn })))?.TagList);
}

/** Tags of the subnet group that belongs to a replication group; undefined where there is none. */
export async function partTagsOf(cloud: Aws, place: { arn: string; group: string }): Promise<Tags | undefined> {
  const found = await findSubnetGroup(cloud, subnetGroupOf(place.group));
  const tags = found === undefined ? undefined : await tagsOf(cloud, found);
  return tags?.[partOfTag] === place.arn ? tags : undefined;
}

/** Replication groups of which only the subnet group is there: what a create or a delete leaves that was cut off. */
export async function* partialGroups(
  cloud: Aws,
  known: readonly string[],
): AsyncGenerator<{ group: string; tags: Tags }> {
  const used = new Set(known.map(subnetGroupOf));
  const all = each<CacheSubnetGroup>(async (marker) => {
    const page = await cloud.elasticache.describeCacheSubnetGroups(marker === undefined ? {} : { Marker: marker });
    return [page.CacheSubnetGroups, page.Marker] as const;
  });
  for await (const found of all) {
    const { CacheSubnetGroupName: name = "" } = found;
    if (!name.endsWith(groupSuffix) || used.has(name)) continue;
    const tags = await tagsOf(cloud, found);
    const group = name.slice(0, -groupSuffix.length);
    if (tags[partOfTag]?.endsWith(`:replicationgroup:${group}`) === true) yield { group, tags };
  }
}

/** Name of the subnet group to use: the given one, or one of the replication group's own, made or changed as wanted. */
export async function ensureSubnetGroup(
  cloud: Aws,
  place: { readonly arn: string; readonly group: string },
  name: string,
  input: CacheInput,
): Promise<string | undefined> {
  if (input.subnet_ids === undefined) return input.subnet_group_name;
  const { elasticache, context } = cloud;
  const own = subnetGroupOf(place.group);
  const found = await findSubnetGroup(cloud, own);
  const settings = {
    CacheSubnetGroupName: own,
    CacheSubnetGroupDescription: `Subnets of the cache ${place.group}`,
    SubnetIds: input.subnet_ids,
  };
  if (found === undefined) {
    const tags = partTags(context, { of: place.arn, key: "subnet-group", name, tags: input.tags });
    await elasticache.createCacheSubnetGroup({ ...settings, Tags: toPairs(tags) });
  } else if (!isSame(subnetsOf(found).toSorted(), input.subnet_ids.toSorted())) {
    await elasticache.modifyCacheSubnetGroup(settings);
  }
  return own;
}

/** Deletes the subnet group that belongs to a replication group which is gone. */
export async function removeSubnetGroup(cloud: Aws, place: { arn: string; group: string }): Promise<void> {
  if ((await partTagsOf(cloud, place)) === undefined) return;
  const name = subnetGroupOf(place.group);
  await retryWhile(
    cloud.context,
    ["CacheSubnetGroupInUse"],
    `subnet group ${name} to be free`,
    () =>
      orUnoffered(cloud, "elasticache:DeleteCacheSubnetGroup", "the subnet groups of caches stay", () =>
        orAbsent(cloud.elasticache.deleteCacheSubnetGroup({ CacheSubnetGroupName: name })),
      ),
    { timeoutMs: 300_000 },
  );
}
