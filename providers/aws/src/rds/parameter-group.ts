import type { DBParameterGroup, Parameter } from "@aws-sdk/client-rds";
import type { Aws } from "../calls.ts";
import { orAbsent, orNone } from "../errors.ts";
import { shortHash } from "../naming.ts";
import { partOfTag, partTags } from "../ownership.ts";
import { chunk, collect, each } from "../paging.ts";
import { fromPairs, toPairs, type Tags } from "../tags.ts";
import { retryWhile } from "../waiting.ts";
import { familyOf, type DatabaseInput } from "./schema.ts";

/** RDS takes so many parameters in one call. */
const batchSize = 20;
const freeMs = 600_000;

const startOf = (arn: string): string => `${(arn.split(":").at(-1) ?? "").slice(0, 200)}-`;

/** True for the name of a group that can only belong to this instance. */
export function isOwnGroup(name: string | undefined, arn: string): boolean {
  return name?.startsWith(startOf(arn)) === true && name.endsWith(`-${shortHash(arn)}`);
}

function groupOf(arn: string, family: string): string {
  return `${startOf(arn)}${family.replaceAll(/[^a-z0-9]+/g, "-")}-${shortHash(arn)}`;
}

/**
 * Name of the parameter group to use: the given one; one of the instance's own with the wanted parameters, made where it is
 * missing; or RDS's own where the instance leaves its own. Undefined: as it is.
 */
export async function ensureParameterGroup(
  cloud: Aws,
  arn: string,
  name: string,
  input: DatabaseInput,
  current: string | undefined,
): Promise<string | undefined> {
  if (input.parameters === undefined) {
    if (input.parameter_group_name !== undefined || !isOwnGroup(current, arn)) return input.parameter_group_name;
    const family = (await findGroup(cloud, current ?? ""))?.DBParameterGroupFamily;
    return family === undefined ? undefined : `default.${family}`;
  }
  const { rds, context } = cloud;
  const family = input.parameter_group_family ?? familyOf(input) ?? "";
  const group = groupOf(arn, family);
  if ((await findGroup(cloud, group)) === undefined) {
    const tags = partTags(context, { of: arn, key: "parameter-group", name, tags: input.tags });
    const settings = {
      DBParameterGroupName: group,
      DBParameterGroupFamily: family,
      Description: `Parameters of the database ${name}`,
    };
    await orNone(rds.createDBParameterGroup({ ...settings, Tags: toPairs(tags) }), "DBParameterGroupAlreadyExists");
  }
  await syncParameters(cloud, group, input.parameters);
  return group;
}

/** The parameters of a group that are not the engine's. */
export async function parametersOf(cloud: Aws, group: string): Promise<Record<string, string>> {
  const own = await listParameters(cloud, group, "user");
  return Object.fromEntries(
    own.map(({ ParameterName, ParameterValue }) => [ParameterName ?? "", ParameterValue ?? ""]),
  );
}

/** Tags of a group that belongs to an instance; undefined where there is none. */
export async function parameterTagsOf(cloud: Aws, arn: string): Promise<Tags | undefined> {
  for await (const own of groupsOfInstances(cloud)) if (own.arn === arn) return own.tags;
  return undefined;
}

/** All groups that belong to instances, there or not. */
export async function* groupsOfInstances(
  cloud: Aws,
): AsyncGenerator<{ readonly arn: string; readonly group: string; readonly tags: Tags }> {
  const groups = each<DBParameterGroup>(async (marker) => {
    const page = await cloud.rds.describeDBParameterGroups(marker === undefined ? {} : { Marker: marker });
    return [page.DBParameterGroups, page.Marker] as const;
  });
  for await (const { DBParameterGroupName: group = "", DBParameterGroupArn: groupArn = "" } of groups) {
    if (!/-[\da-f]{8}$/.test(group)) continue;
    const answer = await orAbsent(cloud.rds.listTagsForResource({ ResourceName: groupArn }));
    const tags = fromPairs(answer?.TagList);
    const { [partOfTag]: arn = "" } = tags;
    if (isOwnGroup(group, arn)) yield { arn, group, tags };
  }
}

/** Deletes the groups of an instance but for one. To be called when it uses none of them any more. */
export async function removeParameterGroups(cloud: Aws, arn: string, keep: string | undefined): Promise<void> {
  for await (const own of groupsOfInstances(cloud)) {
    if (own.arn !== arn || own.group === keep) continue;
    await retryWhile(
      cloud.context,
      ["InvalidDBParameterGroupState"],
      `parameter group ${own.group} to be free`,
      () => orAbsent(cloud.rds.deleteDBParameterGroup({ DBParameterGroupName: own.group })),
      { timeoutMs: freeMs },
    );
  }
}

async function findGroup({ rds }: Aws, name: string): Promise<DBParameterGroup | undefined> {
  return (await orAbsent(rds.describeDBParameterGroups({ DBParameterGroupName: name })))?.DBParameterGroups?.[0];
}

function listParameters({ rds }: Aws, group: string, source?: string): Promise<Parameter[]> {
  return collect(async (marker) => {
    const page = await rds.describeDBParameters({
      DBParameterGroupName: group,
      ...(source === undefined ? {} : { Source: source }),
      ...(marker === undefined ? {} : { Marker: marker }),
    });
    return [page.Parameters, page.Marker] as const;
  });
}

async function syncParameters(cloud: Aws, group: string, wanted: Readonly<Record<string, string>>): Promise<void> {
  const { rds } = cloud;
  const live = await parametersOf(cloud, group);
  const set = Object.entries(wanted).filter(([key, value]) => live[key] !== value);
  const reset = Object.keys(live).filter((key) => !(key in wanted));
  if (set.length + reset.length === 0) return;
  const all = await listParameters(cloud, group);
  const dynamic = new Set(
    all.flatMap(({ ParameterName: key = "", ApplyType }) => (ApplyType === "dynamic" ? [key] : [])),
  );
  // What the engine reads at its start alone waits for the next reboot.
  const methodOf = (key: string) => (dynamic.has(key) ? ("immediate" as const) : ("pending-reboot" as const));
  const change = { DBParameterGroupName: group };
  for (const some of chunk(set, batchSize)) {
    const parameters = some.map(([key, value]) => ({
      ParameterName: key,
      ParameterValue: value,
      ApplyMethod: methodOf(key),
    }));
    await rds.modifyDBParameterGroup({ ...change, Parameters: parameters });
  }
  for (const some of chunk(reset, batchSize)) {
    const parameters = some.map((key) => ({ ParameterName: key, ApplyMethod: methodOf(key) }));
    await rds.resetDBParameterGroup({ ...change, Parameters: parameters });
  }
}
