import type { CacheSubnetGroup } from "@aws-sdk/client-elasticache";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { isSame } from "../json.ts";
import { partOfTag, partTags } from "../ownership.ts";
import { fromPairs, toPairs, type Tags } from "../tags.ts";
import { retryWhile } from "../waiting.ts";
import type { CacheInput } from "./schema.ts";

/** Name of the subnet group that belongs to a replication group. */
export const subnetGroupOf = (group: string): string => `${group}-subnets`;

export async function findSubnetGroup({ elasticache }: Aws, name: string): Promise<CacheSubnetGroup | undefined> {
  const answer = await orAbsent(elasticache.describeCacheSubnetGroups({ CacheSubnetGroupName: name }));
  return answer?.CacheSubnetGroups?.[0];
}

export function subnetsOf(group: CacheSubnetGroup | undefined): string[] {
  return (group?.Subnets ?? []).map(({ SubnetIdentifier }) => SubnetIdentifier ?? "");
}

/** Tags of the subnet group of a replication group; undefined where there is none. */
export async function subnetGroupTags(cloud: Aws, group: string): Promise<Tags | undefined> {
  const found = await findSubnetGroup(cloud, subnetGroupOf(group));
  if (found?.ARN === undefined) return undefined;
  return fromPairs((await orAbsent(cloud.elasticache.listTagsForResource({ ResourceName: found.ARN })))?.TagList);
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
  if ((await subnetGroupTags(cloud, place.group))?.[partOfTag] !== place.arn) return;
  const name = subnetGroupOf(place.group);
  await retryWhile(
    cloud.context,
    ["CacheSubnetGroupInUse"],
    `subnet group ${name} to be free`,
    () => orAbsent(cloud.elasticache.deleteCacheSubnetGroup({ CacheSubnetGroupName: name })),
    { timeoutMs: 300_000 },
  );
}
