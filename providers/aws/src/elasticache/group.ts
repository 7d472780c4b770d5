import type { CacheCluster, ReplicationGroup } from "@aws-sdk/client-elasticache";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { defined, isSame } from "../json.ts";
import { each } from "../paging.ts";
import type { Tags } from "../tags.ts";
import { isUnkept } from "../unkept.ts";
import { awaitThat, retryWhile } from "../waiting.ts";
import type { CacheInput } from "./schema.ts";

/** The group is at something else. The SDK has a name of its own for it. */
export const busy = ["InvalidReplicationGroupState", "InvalidReplicationGroupStateFault"];

export interface FoundGroup {
  readonly group: ReplicationGroup;
  /** One of its nodes, which says what the group does not. */
  readonly node: CacheCluster | undefined;
}

export async function findGroup({ elasticache }: Aws, id: string): Promise<ReplicationGroup | undefined> {
  if (!/^[\da-z-]{1,40}$/i.test(id)) return undefined;
  const answer = await orAbsent(elasticache.describeReplicationGroups({ ReplicationGroupId: id }));
  return answer?.ReplicationGroups?.[0];
}

export function groups({ elasticache }: Aws): AsyncGenerator<ReplicationGroup> {
  return each(async (Marker) => {
    const page = await elasticache.describeReplicationGroups(Marker === undefined ? {} : { Marker });
    return [page.ReplicationGroups, page.Marker] as const;
  });
}

export async function nodeOf({ elasticache }: Aws, group: ReplicationGroup): Promise<CacheCluster | undefined> {
  const member = group.MemberClusters?.[0];
  if (member === undefined) return undefined;
  return (await orAbsent(elasticache.describeCacheClusters({ CacheClusterId: member })))?.CacheClusters?.[0];
}

export async function awaitAvailable(cloud: Aws, id: string): Promise<ReplicationGroup> {
  let status = "not there yet";
  return awaitThat(
    cloud.context,
    () => `cache ${id} to be available (it is ${status})`,
    async () => {
      const found = await findGroup(cloud, id);
      status = found?.Status ?? "not there yet";
      if (status === "create-failed" || status === "deleting") {
        throw new ProviderFailure("unknown", `Cache "${id}" is ${status}`);
      }
      return status === "available" ? found : undefined;
    },
  );
}

/** How many replicas each shard has, and how many shards there are. */
export function shapeOf(group: ReplicationGroup): { shards: number; replicas: number } {
  const shards = Math.max(1, group.NodeGroups?.length ?? 1);
  return { shards, replicas: Math.max(0, Math.round((group.MemberClusters?.length ?? 1) / shards) - 1) };
}

/** True where a wanted version, such as 7.1 or 6.x, is what the group has. */
export function isVersion(wanted: string, live: string | undefined): boolean {
  const prefix = wanted.replace(/\.x$/, "");
  return live === wanted || live?.startsWith(`${prefix}.`) === true;
}

/** Brings a group to what is wanted: one change after the other, each when the one before has ended. */
export async function changeGroup(
  cloud: Aws,
  id: string,
  description: string,
  input: CacheInput,
  options: { rotate: boolean; tags: Tags },
): Promise<void> {
  const { elasticache, context } = cloud;
  const change = async (call: () => Promise<unknown>): Promise<void> => {
    await retryWhile(context, busy, `cache ${id} to be free`, call);
    await awaitAvailable(cloud, id);
  };
  const base = { ReplicationGroupId: id, ApplyImmediately: true };
  const before = await awaitAvailable(cloud, id);
  const { replicas } = shapeOf(before);
  const asked = input.num_shards === undefined ? input.num_cache_clusters - 1 : input.replicas_per_shard;
  const nodes = { path: "num_cache_clusters", old: replicas + 1, new: asked + 1 };
  // A server that shows fewer nodes than it was told to make may have no call to change that either.
  const wanted = isUnkept(options.tags, nodes) ? replicas : asked;
  // Failover needs a replica: they come before it is switched on, and go after it is switched off.
  if (wanted > replicas) {
    await change(() => elasticache.increaseReplicaCount({ ...base, NewReplicaCount: wanted }));
  }
  const node = await nodeOf(cloud, before);
  const settings = settingsChange({ group: before, node }, description, input);
  const token = options.rotate && input.auth_token !== undefined;
  if (Object.keys(settings).length > 0)
    await change(() => elasticache.modifyReplicationGroup({ ...base, ...settings }));
  if (token) {
    const request = { ...base, AuthToken: input.auth_token, AuthTokenUpdateStrategy: "ROTATE" as const };
    await change(() => elasticache.modifyReplicationGroup(request));
  }
  if (wanted < replicas) {
    await change(() => elasticache.decreaseReplicaCount({ ...base, NewReplicaCount: wanted }));
  }
  const { shards } = shapeOf(before);
  if (input.num_shards !== undefined && input.num_shards !== shards) {
    const ids = (before.NodeGroups ?? []).map(({ NodeGroupId }) => NodeGroupId ?? "").toSorted();
    const request = {
      ...base,
      NodeGroupCount: input.num_shards,
      ...(input.num_shards < shards ? { NodeGroupsToRemove: ids.slice(input.num_shards) } : {}),
    };
    await change(() => elasticache.modifyReplicationGroupShardConfiguration(request));
  }
}

function settingsChange({ group, node }: FoundGroup, description: string, input: CacheInput) {
  const groupsOf = (node?.SecurityGroups ?? []).map(({ SecurityGroupId }) => SecurityGroupId ?? "");
  const differs = <Value>(wanted: Value | undefined, live: unknown): Value | undefined =>
    wanted === undefined || isSame(wanted, live) ? undefined : wanted;
  const isSecure = input.security_group_ids === undefined;
  return defined({
    ReplicationGroupDescription: differs(description, group.Description),
    CacheNodeType: differs(input.node_type, group.CacheNodeType),
    Engine: differs(input.engine, group.Engine),
    EngineVersion:
      input.engine_version === undefined || isVersion(input.engine_version, node?.EngineVersion)
        ? undefined
        : input.engine_version,
    AutomaticFailoverEnabled: differs(input.automatic_failover, group.AutomaticFailover?.startsWith("enabl") === true),
    MultiAZEnabled: differs(input.multi_az, group.MultiAZ === "enabled"),
    SecurityGroupIds:
      isSecure || isSame(groupsOf.toSorted(), input.security_group_ids?.toSorted())
        ? undefined
        : input.security_group_ids,
    CacheParameterGroupName: differs(input.parameter_group_name, node?.CacheParameterGroup?.CacheParameterGroupName),
    SnapshotRetentionLimit: differs(input.snapshot_retention_days, group.SnapshotRetentionLimit ?? 0),
    SnapshotWindow: differs(input.snapshot_window, group.SnapshotWindow),
    PreferredMaintenanceWindow: differs(input.maintenance_window, node?.PreferredMaintenanceWindow),
    AutoMinorVersionUpgrade: differs(input.auto_minor_version_upgrade, group.AutoMinorVersionUpgrade ?? true),
  });
}
