import type { DBInstance } from "@aws-sdk/client-rds";
import { alreadyExists, notFound, ProviderFailure, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { parseArn } from "../ids.ts";
import { defined } from "../json.ts";
import { creationTags, currentTags, isOwnCreate, logicalName, ownerOf, searchTags, tokenTag } from "../ownership.ts";
import { shortHash } from "../naming.ts";
import {
  awaitAvailable,
  awaitGone,
  busy,
  createRequest,
  findInstance,
  instances,
  isReady,
  isVersion,
  modifyRequest,
} from "../rds/instance.ts";
import { ensureParameterGroup, isOwnGroup, parametersOf, removeParameterGroups } from "../rds/parameter-group.ts";
import {
  databaseInput,
  databaseOutputs,
  identifierPattern,
  type DatabaseInput,
  type DatabaseOutputs,
} from "../rds/schema.ts";
import {
  ensureSubnetGroup,
  partialInstances,
  partTagsOf,
  removeSubnetGroup,
  subnetGroupOf,
  subnetsOf,
} from "../rds/subnet-group.ts";
import { searchRegions } from "../regions.ts";
import { databaseSizes, isSize, memoryMib } from "../sizing.ts";
import { fromPairs, markPrefix, tagChanges, toPairs, userTags, type Tags } from "../tags.ts";
import { retryWhile } from "../waiting.ts";
import { asCreated, defineAwsResource, incompleteState } from "./define.ts";

type State = ResourceState<DatabaseInput, DatabaseOutputs>;

/** What delete must know and the instance cannot say. */
const finalSnapshotTag = `${markPrefix}final-snapshot`;

/** An RDS instance with its subnet group. Its id is its ARN. */
export const database = defineAwsResource<DatabaseInput, DatabaseOutputs>({
  type: "infra.database",
  service: "rds",
  description: "RDS database instance",
  input: databaseInput,
  outputs: databaseOutputs,
  forceNew: [
    "identifier",
    "region",
    "engine",
    "storage_encrypted",
    "kms_key_id",
    "database_name",
    "master_username",
    "availability_zone",
    "subnet_group_name",
  ],
  writeOnly: ["master_password", "apply_immediately", "allow_major_version_upgrade"],
  sensitiveInputs: ["master_password"],
  resetWhenUnset: ["master_password", "parameters"],
  unordered: ["subnet_ids", "security_group_ids", "log_exports"],
  settledBy: {
    identifier: "identifier",
    database_name: "database_name",
    master_username: "master_username",
    subnet_ids: "subnet_ids",
    security_group_ids: "security_group_ids",
    availability_zone: "availability_zone",
    storage_encrypted: "storage_encrypted",
    port: "port",
    subnet_group_name: "subnet_group_name",
  },
  incomplete: { output: "db_status", input: "instance_class" },
  convergentCreate: true,
  settleMs: 30_000,
  timeouts: { create: 3_600_000, update: 4_800_000, delete: 3_600_000 },
  tier: 2,

  async create({ name, input }, context) {
    const cloud = aws(context, input.region);
    const identifier = identifierOf(name, input);
    const arn = await arnOf(cloud, identifier);
    const found = await findInstance(cloud, identifier);
    if (found !== undefined && !isOwnCreate(fromPairs(found.TagList), context)) {
      const owner = ownerOf(fromPairs(found.TagList)) ?? "no stack";
      return alreadyExists(
        `Database "${identifier}" is there already and belongs to ${owner}: adopt it, or choose another identifier`,
      );
    }
    context.partial(arn, { arn, identifier });
    if (found === undefined) await makeInstance(cloud, arn, name, input);
    else await ensureParameterGroup(cloud, arn, name, input, groupNameOf(found));
    await awaitAvailable(cloud, identifier, false);
    return asCreated(await describeNow(cloud, identifier), found === undefined);
  },

  async read(ref, context) {
    return readInstance(ref.id === "" ? ref.name : ref.id, context);
  },

  async update(ref, { name, input }, context) {
    const { identifier, cloud } = placeOf(ref.id, context);
    if ((await findInstance(cloud, identifier)) === undefined) {
      const whole = await arnOf(cloud, identifier);
      if ((await partTagsOf(cloud, whole)) === undefined) return notFound(`Database "${identifier}" does not exist`);
      await makeInstance(cloud, whole, name, input);
    }
    // RDS changes nothing while it still is at something else.
    const live = await awaitAvailable(cloud, identifier, false);
    const arn = live.DBInstanceArn ?? ref.id;
    if (live.DBSubnetGroup?.DBSubnetGroupName === subnetGroupOf(arn)) await ensureSubnetGroup(cloud, arn, name, input);
    const parameterGroup = await ensureParameterGroup(cloud, arn, name, input, groupNameOf(live));
    const change = modifyRequest(live, { ...input, parameter_group_name: parameterGroup });
    if (change !== undefined) {
      await retryWhile(context, busy, `database ${identifier} to be free`, () => cloud.rds.modifyDBInstance(change));
      await awaitAvailable(cloud, identifier, input.apply_immediately);
    }
    await syncTags(cloud, live, name, input);
    const used = groupNameOf(live);
    // One more may be left by an attempt that was cut off.
    if (isOwnGroup(used, arn) || input.parameters !== undefined) {
      await removeParameterGroups(cloud, arn, parameterGroup ?? used);
    }
    return describeNow(cloud, identifier);
  },

  async delete(ref, context) {
    const { identifier, cloud } = placeOf(ref.id, context);
    const arn = await arnOf(cloud, identifier);
    const live = await findInstance(cloud, identifier);
    if (live !== undefined && live.DBInstanceStatus !== "deleting") await deleteInstance(cloud, live, identifier);
    await awaitGone(cloud, identifier);
    await removeSubnetGroup(cloud, arn);
    await removeParameterGroups(cloud, arn, undefined);
  },

  async lookup({ token }, context) {
    const found = await searchRegions(context, async (cloud) => {
      const others: string[] = [];
      for await (const live of instances(cloud)) {
        if (fromPairs(live.TagList)[tokenTag] === token) return describe(cloud, live);
        others.push(live.DBInstanceArn ?? "");
      }
      for await (const { arn, tags } of partialInstances(cloud, others)) {
        if (tags[tokenTag] === token) return incomplete(cloud, arn, tags);
      }
      return undefined;
    });
    return found ?? notFound();
  },

  diff({ input }, { outputs }, standard) {
    // An instance stays in the subnet group that it was made in: only the members of its own can change.
    const { arn, subnet_group_name: group } = outputs;
    const isForeign = typeof arn === "string" && group !== subnetGroupOf(arn);
    const changes = standard.changes
      .filter(
        ({ path, old }) =>
          path !== "engine_version" || typeof old !== "string" || !isVersion(old, input.engine_version),
      )
      .map((change) => (change.path === "subnet_ids" && isForeign ? { ...change, forceNew: true } : change));
    return { changes };
  },

  import: (id, context) => readInstance(id, context),

  async *list(context) {
    const cloud = aws(context);
    const arns: string[] = [];
    for await (const live of instances(cloud)) {
      arns.push(live.DBInstanceArn ?? "");
      yield describe(cloud, live);
    }
    for await (const { arn, tags } of partialInstances(cloud, arns)) yield incomplete(cloud, arn, tags);
  },

  async setMarks(ref, marks, context) {
    const { identifier, cloud } = placeOf(ref.id, context);
    const arn = await arnOf(cloud, identifier);
    const tags = toPairs(marks);
    const answer = await orAbsent(cloud.rds.addTagsToResource({ ResourceName: arn, Tags: tags }));
    return answer === undefined ? notFound() : undefined;
  },

  async health(ref, context) {
    const { identifier, cloud } = placeOf(ref.id, context);
    const live = await findInstance(cloud, identifier);
    return { healthy: live !== undefined && isReady(live), message: live?.DBInstanceStatus ?? "does not exist" };
  },

  sizing({ size, hints }) {
    if (!isSize(size)) return undefined;
    const { instanceClass, storageGib } = databaseSizes[size];
    const mib = memoryMib(hints?.storage);
    const storage = mib === undefined ? storageGib : Math.max(20, Math.ceil(mib / 1024));
    return { instanceType: instanceClass, specs: { instance_class: instanceClass, allocated_storage: storage } };
  },
});

function identifierOf(name: string, input: DatabaseInput): string {
  const identifier = input.identifier ?? name.toLowerCase();
  if (identifierPattern.test(identifier)) return identifier;
  throw new ProviderFailure(
    "validation",
    `"${identifier}" cannot be the identifier of a database: set identifier to at most 63 lower-case letters, digits and hyphens`,
  );
}

async function arnOf({ client, context, region }: Aws, identifier: string): Promise<string> {
  const { partition, accountId } = await client.identity(context.signal);
  return `arn:${partition}:rds:${region}:${accountId}:db:${identifier}`;
}

/** From an ARN, or from the identifier of an instance in the provider's region. */
function placeOf(id: string, context: Context): { identifier: string; cloud: Aws } {
  const arn = parseArn(id);
  const identifier = arn === undefined ? id : arn.resource.replace(/^db:/, "");
  return { identifier, cloud: aws(context, arn?.region) };
}

function snapshotMark({ final_snapshot: snapshot }: DatabaseInput): Record<string, string> {
  return { [finalSnapshotTag]: String(snapshot) };
}

function groupNameOf({ DBParameterGroups: groups = [] }: DBInstance): string | undefined {
  return groups[0]?.DBParameterGroupName;
}

async function makeInstance(cloud: Aws, arn: string, name: string, input: DatabaseInput): Promise<void> {
  const { rds, context } = cloud;
  const { identifier } = placeOf(arn, context);
  const subnetGroup = await ensureSubnetGroup(cloud, arn, name, input);
  const parameterGroup = await ensureParameterGroup(cloud, arn, name, input, undefined);
  const settings = { ...input, parameter_group_name: parameterGroup };
  const tags = { ...creationTags(context, name, input.tags), ...snapshotMark(input) };
  await rds.createDBInstance({ ...createRequest(identifier, subnetGroup, settings), Tags: toPairs(tags) });
}

async function syncTags({ rds, context }: Aws, live: DBInstance, name: string, input: DatabaseInput): Promise<void> {
  const tags = fromPairs(live.TagList);
  const { set, remove } = tagChanges(tags, { ...currentTags(context, name, input.tags, tags), ...snapshotMark(input) });
  const { DBInstanceArn: arn } = live;
  if (Object.keys(set).length > 0) await rds.addTagsToResource({ ResourceName: arn, Tags: toPairs(set) });
  if (remove.length > 0) await rds.removeTagsFromResource({ ResourceName: arn, TagKeys: remove });
}

async function deleteInstance({ rds, context }: Aws, live: DBInstance, identifier: string): Promise<void> {
  const takesSnapshot = fromPairs(live.TagList)[finalSnapshotTag] === "true";
  const snapshot = `${identifier.slice(0, 200)}-final-${shortHash(`${live.DbiResourceId ?? ""} ${context.clientToken}`)}`;
  try {
    const request = {
      DBInstanceIdentifier: identifier,
      ...(takesSnapshot ? { FinalDBSnapshotIdentifier: snapshot } : { SkipFinalSnapshot: true }),
      DeleteAutomatedBackups: !takesSnapshot,
    };
    await retryWhile(context, busy, `database ${identifier} to be free`, () => orAbsent(rds.deleteDBInstance(request)));
  } catch (error) {
    if (!isAwsError(error, "InvalidParameterCombination") || live.DeletionProtection !== true) throw error;
    throw new ProviderFailure(
      "validation",
      `Cannot delete database "${identifier}": it is protected; apply deletion_protection: false first`,
      { cause: error },
    );
  }
}

/** An instance of which only groups are there. */
function incomplete(cloud: Aws, arn: string, tags: Tags): State {
  const { identifier } = placeOf(arn, cloud.context);
  const live = { DBInstanceArn: arn, DBInstanceIdentifier: identifier, DBInstanceStatus: incompleteState };
  return stateOf(cloud, { ...live, TagList: toPairs(tags) });
}

async function readInstance(id: string, context: Context): Promise<State | NotFound> {
  const { identifier, cloud } = placeOf(id, context);
  if (!identifierPattern.test(identifier)) return notFound();
  const live = await findInstance(cloud, identifier);
  if (live !== undefined) return describe(cloud, live);
  const arn = await arnOf(cloud, identifier);
  const tags = await partTagsOf(cloud, arn);
  return tags === undefined ? notFound() : incomplete(cloud, arn, tags);
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, identifier: string): Promise<State> {
  const live = await findInstance(cloud, identifier);
  if (live !== undefined) return stateOf(cloud, live);
  throw new ProviderFailure("unknown", `Database "${identifier}" was deleted while it was changed`);
}

async function describe(cloud: Aws, live: DBInstance): Promise<State> {
  const group = groupNameOf(live);
  const isOwn = group !== undefined && isOwnGroup(group, live.DBInstanceArn ?? "");
  const parameters = isOwn ? await parametersOf(cloud, group) : undefined;
  return { ...stateOf(cloud, live), inputs: liveInputs(cloud, live, fromPairs(live.TagList), parameters) };
}

function stateOf({ region }: Aws, live: DBInstance): State {
  const tags = fromPairs(live.TagList);
  const { DBInstanceArn: arn = "", DBInstanceIdentifier: identifier = "", DBInstanceStatus: status = "" } = live;
  const host = live.Endpoint?.Address;
  const port = live.Endpoint?.Port;
  const storage = live.AllocatedStorage ?? 0;
  return {
    id: arn,
    name: logicalName(tags, identifier),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    status: isReady(live) ? "running" : status === "stopped" ? "stopped" : status === "deleting" ? status : "degraded",
    outputs: defined({
      arn,
      identifier,
      db_status: status,
      engine: live.Engine ?? "",
      engine_version: live.EngineVersion ?? "",
      instance_class: live.DBInstanceClass ?? "",
      allocated_storage: storage,
      multi_az: live.MultiAZ ?? false,
      endpoint: host === undefined ? undefined : `${host}:${port}`,
      host,
      port,
      database_name: live.DBName,
      master_username: live.MasterUsername ?? "",
      master_secret_arn: live.MasterUserSecret?.SecretArn,
      subnet_group_name: live.DBSubnetGroup?.DBSubnetGroupName,
      parameter_group_name: groupNameOf(live),
      parameter_status: live.DBParameterGroups?.[0]?.ParameterApplyStatus,
      subnet_ids: subnetsOf(live.DBSubnetGroup),
      security_group_ids: groupsOf(live),
      availability_zone: live.AvailabilityZone,
      storage_encrypted: live.StorageEncrypted ?? false,
      region,
      tags_all: tags,
    }) as DatabaseOutputs,
  };
}

function groupsOf(live: DBInstance): string[] {
  return (live.VpcSecurityGroups ?? []).map(({ VpcSecurityGroupId }) => VpcSecurityGroupId ?? "");
}

function liveInputs(
  { client, region }: Aws,
  live: DBInstance,
  tags: Tags,
  parameters: DatabaseInput["parameters"],
): Partial<DatabaseInput> {
  const ownGroup = live.DBSubnetGroup?.DBSubnetGroupName === subnetGroupOf(live.DBInstanceArn ?? "");
  const groups = groupsOf(live);
  return defined({
    identifier: live.DBInstanceIdentifier,
    region,
    engine: live.Engine as DatabaseInput["engine"],
    engine_version: live.EngineVersion,
    instance_class: live.DBInstanceClass,
    allocated_storage: live.AllocatedStorage,
    max_allocated_storage: live.MaxAllocatedStorage,
    storage_type: live.StorageType as DatabaseInput["storage_type"],
    // Some servers say 0 and an empty text of what is not there.
    iops: live.Iops || undefined,
    storage_throughput: live.StorageThroughput || undefined,
    storage_encrypted: live.StorageEncrypted ?? false,
    kms_key_id: live.KmsKeyId || undefined,
    database_name: live.DBName,
    master_username: live.MasterUsername,
    port: live.Endpoint?.Port,
    multi_az: live.MultiAZ ?? false,
    availability_zone: live.MultiAZ === true ? undefined : live.AvailabilityZone,
    publicly_accessible: live.PubliclyAccessible ?? false,
    subnet_ids: ownGroup ? subnetsOf(live.DBSubnetGroup) : undefined,
    subnet_group_name: ownGroup ? undefined : live.DBSubnetGroup?.DBSubnetGroupName,
    security_group_ids: groups.length === 0 ? undefined : groups,
    parameter_group_name: parameters === undefined ? groupNameOf(live) : undefined,
    parameters,
    backup_retention_days: live.BackupRetentionPeriod,
    backup_window: live.PreferredBackupWindow,
    maintenance_window: live.PreferredMaintenanceWindow,
    auto_minor_version_upgrade: live.AutoMinorVersionUpgrade ?? true,
    iam_authentication: live.IAMDatabaseAuthenticationEnabled ?? false,
    performance_insights: live.PerformanceInsightsEnabled ?? false,
    log_exports: live.EnabledCloudwatchLogsExports ?? [],
    deletion_protection: live.DeletionProtection ?? false,
    final_snapshot: tags[finalSnapshotTag] === "true",
    tags: userTags(tags, { defaults: client.config.default_tags }),
  }) as Partial<DatabaseInput>;
}
