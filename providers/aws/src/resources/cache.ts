import { scryptSync } from "node:crypto";
import type { ReplicationGroup } from "@aws-sdk/client-elasticache";
import { isAlreadyExists, notFound, ProviderFailure, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import type { AwsClient } from "../client.ts";
import {
  awaitAvailable,
  busy,
  changeGroup,
  findGroup,
  groups,
  isVersion,
  nodeOf,
  shapeOf,
} from "../elasticache/group.ts";
import { cacheInput, cacheOutputs, type CacheInput, type CacheOutputs } from "../elasticache/schema.ts";
import {
  ensureSubnetGroup,
  findSubnetGroup,
  partialGroups,
  partTagsOf,
  removeSubnetGroup,
  subnetGroupOf,
  subnetsOf,
} from "../elasticache/subnet-group.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { parseProviderId, toProviderId } from "../ids.ts";
import { defined } from "../json.ts";
import { settleName, shortHash } from "../naming.ts";
import { creationTags, currentTags, logicalName, ownerOf, partOfTag, searchTags, tokenTag } from "../ownership.ts";
import { searchRegions } from "../regions.ts";
import { cacheNodeTypes, isSize } from "../sizing.ts";
import { standInOf, tell } from "../stand-in.ts";
import { fromPairs, markPrefix, tagChanges, toPairs, userTags, type Tags } from "../tags.ts";
import { awaitThat, retryWhile } from "../waiting.ts";
import { asCreated, defineAwsResource, incompleteState } from "./define.ts";

type State = ResourceState<CacheInput, CacheOutputs>;

interface Place {
  readonly arn: string;
  readonly group: string;
}

const maxNameLength = 40;
const finalSnapshotTag = `${markPrefix}final-snapshot`;
/** Tells whether the token that is wanted is the one that is set. */
const tokenDigestTag = `${markPrefix}auth-token`;

/** An ElastiCache replication group with its subnet group. Its id is the group's. */
export const cache = defineAwsResource<CacheInput, CacheOutputs>({
  type: "infra.cache",
  service: "elasticache",
  description: "ElastiCache replication group: Redis OSS or Valkey",
  input: cacheInput,
  outputs: cacheOutputs,
  forceNew: [
    "replication_group_id",
    "region",
    "port",
    "subnet_group_name",
    "transit_encryption",
    "at_rest_encryption",
    "kms_key_id",
  ],
  writeOnly: ["auth_token"],
  sensitiveInputs: ["auth_token"],
  unordered: ["subnet_ids", "security_group_ids"],
  settledBy: {
    replication_group_id: "replication_group_id",
    description: "description",
    subnet_ids: "subnet_ids",
    subnet_group_name: "subnet_group_name",
    security_group_ids: "security_group_ids",
    parameter_group_name: "parameter_group_name",
    snapshot_window: "snapshot_window",
    maintenance_window: "maintenance_window",
    kms_key_id: "kms_key_id",
  },
  incomplete: { output: "status", input: "node_type" },
  createFirst: true,
  convergentCreate: true,
  settleMs: 30_000,
  timeouts: { create: 3_600_000, update: 4_800_000, delete: 2_700_000 },
  tier: 2,

  async create({ name, input }, context) {
    const cloud = aws(context, input.region);
    const base = name.toLowerCase();
    const names = { chosen: input.replication_group_id, base, maxLength: maxNameLength, what: "Cache" };
    const settled = await settleName(context, names, async (candidate) => {
      const found = await findGroup(cloud, candidate);
      return found === undefined ? undefined : { tags: await tagsOf(cloud, found), found };
    });
    if (isAlreadyExists(settled)) return settled;
    const place = await placeIn(cloud, settled.name);
    context.partial(idOf(cloud, place.group), { replication_group_id: place.group });
    const subnetGroup = await ensureSubnetGroup(cloud, place, name, input);
    if (settled.made === undefined) await makeGroup(cloud, place, name, input, subnetGroup);
    await awaitAvailable(cloud, place.group);
    return asCreated(await describeNow(cloud, place.group), settled.made === undefined);
  },

  read: (ref, context) => readGroup(ref.id === "" ? ref.name.toLowerCase() : ref.id, context),

  async update(ref, { name, input }, context) {
    const { cloud, group } = placeOf(ref.id, context);
    const place = await placeIn(cloud, group);
    const found = await findGroup(cloud, group);
    if (found === undefined) {
      if ((await partTagsOf(cloud, place)) === undefined) return notFound(`Cache "${group}" does not exist`);
      await makeGroup(cloud, place, name, input, await ensureSubnetGroup(cloud, place, name, input));
      await awaitAvailable(cloud, group);
      return describeNow(cloud, group);
    }
    const node = await nodeOf(cloud, found);
    if (node?.CacheSubnetGroupName === subnetGroupOf(group)) await ensureSubnetGroup(cloud, place, name, input);
    const tags = await tagsOf(cloud, found);
    const marks = marksOf(place.arn, input);
    const rotate = marks[tokenDigestTag] !== tags[tokenDigestTag];
    await changeGroup(cloud, group, input.description ?? found.Description ?? name, input, { rotate, tags });
    const wanted = { ...currentTags(context, name, input.tags, tags), ...marks };
    const { set, remove } = tagChanges(tags, wanted);
    const target = { ResourceName: place.arn };
    if (Object.keys(set).length > 0) await cloud.elasticache.addTagsToResource({ ...target, Tags: toPairs(set) });
    if (remove.length > 0) await cloud.elasticache.removeTagsFromResource({ ...target, TagKeys: remove });
    return describeNow(cloud, group);
  },

  async delete(ref, context) {
    const { cloud, group } = placeOf(ref.id, context);
    const found = await findGroup(cloud, group);
    if (found !== undefined && found.Status !== "deleting") {
      const takesSnapshot = (await tagsOf(cloud, found))[finalSnapshotTag] === "true";
      const snapshot = { FinalSnapshotIdentifier: `${group}-final-${shortHash(context.clientToken)}` };
      await retryWhile(context, busy, `cache ${group} to be free`, () =>
        orAbsent(
          cloud.elasticache.deleteReplicationGroup({ ReplicationGroupId: group, ...(takesSnapshot ? snapshot : {}) }),
        ),
      );
    }
    const started = context.clock.now();
    await awaitThat(context, `cache ${group} to be gone`, async () => {
      const left = await findGroup(cloud, group);
      return left === undefined || (await staysDeleting(cloud, left, started)) ? true : undefined;
    });
    await removeSubnetGroup(cloud, await placeIn(cloud, group));
  },

  async lookup({ token }, context) {
    const found = await searchRegions(context, async (cloud) => {
      const others: string[] = [];
      for await (const group of groups(cloud)) {
        if ((await tagsOf(cloud, group))[tokenTag] === token) return describe(cloud, group);
        others.push(group.ReplicationGroupId ?? "");
      }
      for await (const { group, tags } of partialGroups(cloud, others)) {
        if (tags[tokenTag] === token) return incomplete(cloud, group, tags);
      }
      return undefined;
    });
    return found ?? notFound();
  },

  diff({ input }, known, standard) {
    // AWS says 7.1.0 of 7.1, and 6.2.6 of 6.x.
    const live = known.outputs["engine_version"];
    const isThere =
      input.engine_version !== undefined && typeof live === "string" && isVersion(input.engine_version, live);
    // A cache always has a group: a server that tells of none does not tell.
    const isUntold = (path: string, old: unknown): boolean =>
      path === "security_group_ids" && Array.isArray(old) && old.length === 0;
    const changes = standard.changes.filter(
      ({ path, old }) => !(path === "engine_version" && isThere) && !isUntold(path, old),
    );
    return { changes };
  },

  import: (id, context) => readGroup(id, context),

  async *list(context) {
    const cloud = aws(context);
    const ids: string[] = [];
    for await (const group of groups(cloud)) {
      ids.push(group.ReplicationGroupId ?? "");
      yield describe(cloud, group);
    }
    for await (const { group, tags } of partialGroups(cloud, ids)) yield incomplete(cloud, group, tags);
  },

  async setMarks(ref, marks, context) {
    const { cloud, group } = placeOf(ref.id, context);
    const { arn } = await placeIn(cloud, group);
    const request = { ResourceName: arn, Tags: toPairs(marks) };
    return (await orAbsent(cloud.elasticache.addTagsToResource(request))) === undefined ? notFound() : undefined;
  },

  sizing({ size }) {
    return isSize(size) ? { instanceType: "", specs: { node_type: cacheNodeTypes[size] } } : undefined;
  },
});

/** How long what stands in for ElastiCache may say that a cache is being deleted. */
const standInGoneMs = 20_000;

/** Caches that a server says are being deleted, for so long that they count as gone. */
const longDeleting = new WeakMap<AwsClient, Set<string>>();

function countsAsGone({ client, region }: Aws, { ReplicationGroupId, Status }: ReplicationGroup): boolean {
  return Status === "deleting" && longDeleting.get(client)?.has(`${region} ${ReplicationGroupId}`) === true;
}

/** True where a server only ever says of a deleted cache that it is being deleted. */
async function staysDeleting(cloud: Aws, { ReplicationGroupId, Status }: ReplicationGroup, started: number) {
  const { context } = cloud;
  if (countsAsGone(cloud, { ReplicationGroupId, Status })) return true;
  if (Status !== "deleting" || context.clock.now() - started < standInGoneMs) return false;
  const address = await standInOf(cloud, "elasticache");
  if (address === undefined) return false;
  const known = longDeleting.get(cloud.client) ?? new Set();
  longDeleting.set(cloud.client, known.add(`${cloud.region} ${ReplicationGroupId}`));
  tell(context, `${address} still says of cache ${ReplicationGroupId} that it is being deleted: it counts as gone`);
  return true;
}

/** Name of the subnet group that was made for a cache, where there is one. */
async function ownSubnetGroup(cloud: Aws, { ReplicationGroupId: group = "" }: ReplicationGroup) {
  if ((await standInOf(cloud, "elasticache")) === undefined) return undefined;
  return (await findSubnetGroup(cloud, subnetGroupOf(group))) === undefined ? undefined : subnetGroupOf(group);
}

const idOf = ({ region, client }: Aws, group: string): string => toProviderId(group, region, client.region);

function placeOf(id: string, context: Context): { cloud: Aws; group: string } {
  const { native, region } = parseProviderId(id, context.client.region);
  return { cloud: aws(context, region), group: /:replicationgroup:(.+)$/.exec(native)?.[1] ?? native };
}

async function placeIn({ client, context, region }: Aws, group: string): Promise<Place> {
  const { partition, accountId } = await client.identity(context.signal);
  return { arn: `arn:${partition}:elasticache:${region}:${accountId}:replicationgroup:${group}`, group };
}

async function tagsOf({ elasticache }: Aws, { ARN: arn = "" }: ReplicationGroup): Promise<Tags> {
  return fromPairs((await orAbsent(elasticache.listTagsForResource({ ResourceName: arn })))?.TagList);
}

/** What the group itself cannot say. The digest of the token is slow to compute, so that nobody guesses it. */
function marksOf(arn: string, { final_snapshot: snapshot, auth_token: token }: CacheInput): Record<string, string> {
  const digest = token === undefined ? {} : { [tokenDigestTag]: scryptSync(token, arn, 16).toString("hex") };
  return { [finalSnapshotTag]: String(snapshot), ...digest };
}

async function makeGroup(
  cloud: Aws,
  { arn, group }: Place,
  name: string,
  input: CacheInput,
  subnetGroup: string | undefined,
): Promise<void> {
  const request = defined({
    ReplicationGroupId: group,
    ReplicationGroupDescription: input.description ?? name,
    CacheNodeType: input.node_type,
    Engine: input.engine,
    EngineVersion: input.engine_version,
    ...(input.num_shards === undefined
      ? { NumCacheClusters: input.num_cache_clusters }
      : {
          NumNodeGroups: input.num_shards,
          ReplicasPerNodeGroup: input.replicas_per_shard,
          ClusterMode: "enabled" as const,
        }),
    AutomaticFailoverEnabled: input.automatic_failover,
    MultiAZEnabled: input.multi_az,
    Port: input.port,
    CacheSubnetGroupName: subnetGroup,
    SecurityGroupIds: input.security_group_ids,
    CacheParameterGroupName: input.parameter_group_name,
    TransitEncryptionEnabled: input.transit_encryption,
    AtRestEncryptionEnabled: input.at_rest_encryption,
    KmsKeyId: input.kms_key_id,
    AuthToken: input.auth_token,
    SnapshotRetentionLimit: input.snapshot_retention_days,
    SnapshotWindow: input.snapshot_window,
    PreferredMaintenanceWindow: input.maintenance_window,
    AutoMinorVersionUpgrade: input.auto_minor_version_upgrade,
    Tags: toPairs({ ...creationTags(cloud.context, name, input.tags), ...marksOf(arn, input) }),
  });
  try {
    await cloud.elasticache.createReplicationGroup(request);
  } catch (error) {
    // An earlier attempt of this action may have made it after it was looked for.
    const exists = isAwsError(error, "ReplicationGroupAlreadyExistsFault", "ReplicationGroupAlreadyExists");
    const found = exists ? await findGroup(cloud, group) : undefined;
    if (found === undefined || (await tagsOf(cloud, found))[tokenTag] !== cloud.context.clientToken) throw error;
  }
}

/** A replication group of which only the subnet group is there. */
function incomplete(cloud: Aws, group: string, tags: Tags): State {
  const outputs: CacheOutputs = {
    replication_group_id: group,
    arn: tags[partOfTag] ?? "",
    status: incompleteState,
    description: "",
    port: 0,
    engine: "",
    node_type: "",
    member_clusters: [],
    subnet_ids: [],
    security_group_ids: [],
    region: cloud.region,
    tags_all: tags,
  };
  const [name, owner] = [logicalName(tags, group), ownerOf(tags)];
  return { id: idOf(cloud, group), name, owner, tags: searchTags(tags), outputs, status: "degraded" };
}

async function readGroup(id: string, context: Context): Promise<State | NotFound> {
  const { cloud, group } = placeOf(id, context);
  const found = await findGroup(cloud, group);
  if (found !== undefined) return countsAsGone(cloud, found) ? notFound() : describe(cloud, found);
  const tags = await partTagsOf(cloud, await placeIn(cloud, group));
  return tags === undefined ? notFound() : incomplete(cloud, group, tags);
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, group: string): Promise<State> {
  const found = await findGroup(cloud, group);
  if (found === undefined) throw new ProviderFailure("unknown", `Cache "${group}" was deleted while it was changed`);
  const { inputs: _inputs, ...state } = await describe(cloud, found);
  return state;
}

async function describe(cloud: Aws, found: ReplicationGroup): Promise<State> {
  const { ReplicationGroupId: group = "", Description: description = "", Status: status = "" } = found;
  const [tags, node] = await Promise.all([tagsOf(cloud, found), nodeOf(cloud, found)]);
  // Where a node does not tell its subnet group: the one that is made for it.
  const subnetGroup = node?.CacheSubnetGroupName ?? (await ownSubnetGroup(cloud, found));
  const subnets = subnetGroup === undefined ? [] : subnetsOf(await findSubnetGroup(cloud, subnetGroup));
  const shape = shapeOf(found);
  const primary = found.ConfigurationEndpoint ?? found.NodeGroups?.[0]?.PrimaryEndpoint;
  const reader = found.NodeGroups?.[0]?.ReaderEndpoint;
  const port = primary?.Port ?? 6379;
  const common = {
    engine: found.Engine ?? node?.Engine ?? "redis",
    engine_version: node?.EngineVersion,
    node_type: found.CacheNodeType ?? "",
    subnet_ids: subnets,
    subnet_group_name: subnetGroup,
    security_group_ids: (node?.SecurityGroups ?? []).map(({ SecurityGroupId }) => SecurityGroupId ?? ""),
    parameter_group_name: node?.CacheParameterGroup?.CacheParameterGroupName,
    snapshot_window: found.SnapshotWindow,
    maintenance_window: node?.PreferredMaintenanceWindow,
    kms_key_id: found.KmsKeyId || undefined,
    replication_group_id: group,
    region: cloud.region,
    description,
    port,
  };
  const outputs = defined({
    ...common,
    arn: found.ARN ?? "",
    status,
    host: primary?.Address,
    endpoint: primary?.Address === undefined ? undefined : `${primary.Address}:${port}`,
    reader_endpoint: reader?.Address === undefined ? undefined : `${reader.Address}:${reader.Port ?? port}`,
    member_clusters: found.MemberClusters ?? [],
    tags_all: tags,
  });
  const isSharded = found.ClusterEnabled === true;
  const inputs = defined({
    ...common,
    // One of the two names the subnets.
    ...(subnetGroup === subnetGroupOf(group) ? { subnet_group_name: undefined } : { subnet_ids: undefined }),
    num_cache_clusters: isSharded ? 1 : shape.replicas + 1,
    num_shards: isSharded ? shape.shards : undefined,
    replicas_per_shard: isSharded ? shape.replicas : 0,
    automatic_failover: found.AutomaticFailover?.startsWith("enabl") === true,
    multi_az: found.MultiAZ === "enabled",
    transit_encryption: found.TransitEncryptionEnabled ?? false,
    at_rest_encryption: found.AtRestEncryptionEnabled ?? false,
    snapshot_retention_days: found.SnapshotRetentionLimit ?? 0,
    auto_minor_version_upgrade: found.AutoMinorVersionUpgrade ?? true,
    final_snapshot: tags[finalSnapshotTag] === "true",
    tags: userTags(tags, { defaults: cloud.client.config.default_tags }),
  });
  return {
    id: idOf(cloud, group),
    name: logicalName(tags, group),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    status: status === "available" ? "running" : "unknown",
    outputs: outputs as CacheOutputs,
    inputs: inputs as Partial<CacheInput>,
  };
}
