import type { DBSubnetGroup } from "@aws-sdk/client-rds";
import type { Aws } from "../calls.ts";
import { orAbsent, orNone } from "../errors.ts";
import { shortHash } from "../naming.ts";
import { partOfTag, partTags } from "../ownership.ts";
import { each } from "../paging.ts";
import { fromPairs, toPairs, type Tags } from "../tags.ts";
import { retryWhile } from "../waiting.ts";
import { groupsOfInstances, parameterTagsOf } from "./parameter-group.ts";
import type { DatabaseInput } from "./schema.ts";

const groupPattern = /-[\da-f]{8}$/;

/** Name of the subnet group that belongs to an instance. */
export function subnetGroupOf(arn: string): string {
  const identifier = arn.split(":").at(-1) ?? "";
  return `${identifier.slice(0, 60)}-${shortHash(arn)}`;
}

async function findSubnetGroup({ rds }: Aws, name: string): Promise<DBSubnetGroup | undefined> {
  return (await orAbsent(rds.describeDBSubnetGroups({ DBSubnetGroupName: name })))?.DBSubnetGroups?.[0];
}

async function tagsOf({ rds }: Aws, { DBSubnetGroupArn: arn }: DBSubnetGroup): Promise<Tags> {
  if (arn === undefined) return {};
  return fromPairs((await orAbsent(rds.listTagsForResource({ ResourceName: arn })))?.TagList);
}

/** Tags of the subnet group that belongs to an instance; undefined where there is none. */
async function subnetTagsOf(cloud: Aws, arn: string): Promise<Tags | undefined> {
  const group = await findSubnetGroup(cloud, subnetGroupOf(arn));
  const tags = group === undefined ? undefined : await tagsOf(cloud, group);
  return tags?.[partOfTag] === arn ? tags : undefined;
}

/** Tags of a part of an instance, which may not be there itself; undefined where there is no part. */
export async function partTagsOf(cloud: Aws, arn: string): Promise<Tags | undefined> {
  return (await subnetTagsOf(cloud, arn)) ?? (await parameterTagsOf(cloud, arn));
}

/** Instances of which only groups are there: what a create or a delete leaves that was cut off. */
export async function* partialInstances(
  cloud: Aws,
  known: readonly string[],
): AsyncGenerator<{ arn: string; tags: Tags }> {
  const used = new Set(known.map(subnetGroupOf));
  const groups = each<DBSubnetGroup>(async (marker) => {
    const page = await cloud.rds.describeDBSubnetGroups(marker === undefined ? {} : { Marker: marker });
    return [page.DBSubnetGroups, page.Marker] as const;
  });
  for await (const group of groups) {
    const { DBSubnetGroupName: name = "" } = group;
    if (!groupPattern.test(name) || used.has(name)) continue;
    const tags = await tagsOf(cloud, group);
    const { [partOfTag]: arn = "" } = tags;
    if (subnetGroupOf(arn) !== name) continue;
    used.add(name);
    yield { arn, tags };
  }
  for await (const { arn, tags } of groupsOfInstances(cloud)) {
    if (used.has(subnetGroupOf(arn))) continue;
    used.add(subnetGroupOf(arn));
    yield { arn, tags };
  }
}

/** Name of the group to use: the given one, or one of the instance's own, made or changed as it is wanted. */
export async function ensureSubnetGroup(
  cloud: Aws,
  arn: string,
  name: string,
  input: DatabaseInput,
): Promise<string | undefined> {
  const { rds, context } = cloud;
  if (input.subnet_ids === undefined) return input.subnet_group_name;
  const group = subnetGroupOf(arn);
  const live = await findSubnetGroup(cloud, group);
  const settings = {
    DBSubnetGroupName: group,
    DBSubnetGroupDescription: `Subnets of the database ${name}`,
    SubnetIds: input.subnet_ids,
  };
  if (live === undefined) {
    const tags = partTags(context, { of: arn, key: "subnet-group", name, tags: input.tags });
    await orNone(rds.createDBSubnetGroup({ ...settings, Tags: toPairs(tags) }), "DBSubnetGroupAlreadyExists");
  } else if (!sameSet(subnetsOf(live), input.subnet_ids)) {
    await rds.modifyDBSubnetGroup(settings);
  }
  return group;
}

export function subnetsOf(group: DBSubnetGroup | undefined): string[] {
  return (group?.Subnets ?? []).map(({ SubnetIdentifier }) => SubnetIdentifier ?? "");
}

/** Deletes the group that belongs to an instance. To be called when the instance is gone. */
export async function removeSubnetGroup(cloud: Aws, arn: string): Promise<void> {
  if ((await subnetTagsOf(cloud, arn)) === undefined) return;
  const group = subnetGroupOf(arn);
  await retryWhile(
    cloud.context,
    ["InvalidDBSubnetGroupStateFault"],
    `subnet group ${group} to be free`,
    () => orAbsent(cloud.rds.deleteDBSubnetGroup({ DBSubnetGroupName: group })),
    { timeoutMs: 300_000 },
  );
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}
