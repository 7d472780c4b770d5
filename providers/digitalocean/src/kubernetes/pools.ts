import { createHash } from "node:crypto";
import { given } from "../aliases.ts";
import { api, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { isMark } from "../tags.ts";
import { awaitThat } from "../waiting.ts";
import { firstPool, firstPoolTag, getCluster, type Cluster, type Pool } from "./clusters.ts";
import type { ClusterInput, PoolInput } from "./schema.ts";

/** The first pool as a pool: what the cluster's own keys say of it. */
export function firstPoolInput(name: string, input: ClusterInput): PoolInput {
  return {
    name,
    size: input.node_size,
    count: input.node_count,
    auto_scale: input.auto_scale,
    min_nodes: input.min_nodes,
    max_nodes: input.max_nodes,
    labels: input.node_labels,
    taints: input.node_taints,
    tags: input.node_tags,
  };
}

export function poolBody(pool: PoolInput, marks: readonly string[]): object {
  return given({
    name: pool.name,
    size: pool.size,
    count: pool.count ?? pool.min_nodes ?? 1,
    auto_scale: pool.auto_scale,
    min_nodes: pool.auto_scale ? pool.min_nodes : undefined,
    max_nodes: pool.auto_scale ? pool.max_nodes : undefined,
    labels: pool.labels,
    taints: pool.taints,
    tags: [...pool.tags, ...marks],
  });
}

/** Brings the pools of a cluster to what is wanted. New pools are there before old ones go. */
export async function syncPools(context: Context, cluster: Cluster, input: ClusterInput): Promise<void> {
  const { id } = cluster;
  const first = firstPool(cluster);
  const keep = new Set<string>();
  if (first?.size === input.node_size) {
    await syncPool(context, id, first, firstPoolInput(first.name, input), [firstPoolTag]);
    keep.add(first.id);
  } else {
    const name = `${cluster.name}-${createHash("sha256").update(input.node_size).digest("hex").slice(0, 6)}`;
    const made =
      cluster.node_pools.find((pool) => pool.name === name) ??
      (await addPool(context, id, firstPoolInput(name, input), [firstPoolTag]));
    keep.add(made.id);
    if (first !== undefined) await unmark(context, id, first);
  }
  for (const wanted of input.node_pools) {
    const live = cluster.node_pools.find((pool) => pool.name === wanted.name && pool !== first);
    if (live !== undefined && live.size === wanted.size) await syncPool(context, id, live, wanted, []);
    else {
      // The size of a pool cannot be changed, and its name not be shared.
      if (live !== undefined) await removePool(context, id, live);
      await addPool(context, id, wanted, []);
    }
    if (live?.size === wanted.size) keep.add(live.id);
  }
  const names = new Set(input.node_pools.map(({ name }) => name));
  for (const pool of cluster.node_pools) {
    const isReplaced = pool === first && !keep.has(pool.id);
    if (isReplaced || (pool !== first && !names.has(pool.name) && !keep.has(pool.id)))
      await removePool(context, id, pool);
  }
  await awaitNodes(context, id);
}

async function syncPool(
  context: Context,
  clusterId: string,
  live: Pool,
  wanted: PoolInput,
  marks: readonly string[],
): Promise<void> {
  const shown = (pool: Pool): object => ({
    count: wanted.auto_scale ? undefined : pool.count,
    auto_scale: pool.auto_scale ?? false,
    min: wanted.auto_scale ? pool.min_nodes : undefined,
    max: wanted.auto_scale ? pool.max_nodes : undefined,
    labels: pool.labels ?? {},
    taints: pool.taints ?? [],
    tags: (pool.tags ?? []).filter((tag) => !isMark(tag) && !tag.startsWith("k8s")).toSorted(),
  });
  const target = {
    count: wanted.auto_scale ? undefined : wanted.count,
    auto_scale: wanted.auto_scale,
    min: wanted.auto_scale ? wanted.min_nodes : undefined,
    max: wanted.auto_scale ? wanted.max_nodes : undefined,
    labels: wanted.labels,
    taints: wanted.taints,
    tags: wanted.tags.toSorted(),
  };
  if (JSON.stringify(shown(live)) === JSON.stringify(target)) return;
  const body = poolBody({ ...wanted, count: wanted.count ?? live.count }, marks) as Record<string, unknown>;
  delete body["size"];
  await api(context).put(`kubernetes/clusters/${clusterId}/node_pools/${live.id}`, body);
}

async function addPool(
  context: Context,
  clusterId: string,
  wanted: PoolInput,
  marks: readonly string[],
): Promise<Pool> {
  const body = poolBody(wanted, marks);
  const { node_pool: made } = await api(context).post<{ node_pool: Pool }>(
    `kubernetes/clusters/${clusterId}/node_pools`,
    body,
  );
  await awaitNodes(context, clusterId);
  return made;
}

/** From here on another pool is the first. */
async function unmark(context: Context, clusterId: string, pool: Pool): Promise<void> {
  const tags = (pool.tags ?? []).filter((tag) => tag !== firstPoolTag);
  await api(context).put(`kubernetes/clusters/${clusterId}/node_pools/${pool.id}`, {
    name: pool.name,
    count: pool.count,
    tags,
  });
}

async function removePool(context: Context, clusterId: string, pool: Pool): Promise<void> {
  await orAbsent(api(context).delete(`kubernetes/clusters/${clusterId}/node_pools/${pool.id}`));
}

/** Waits until every node of every pool runs. */
export async function awaitNodes(context: Context, clusterId: string): Promise<void> {
  let left = 0;
  await awaitThat(
    context,
    () => `the nodes of cluster ${clusterId} to run (${left} do not yet)`,
    async () => {
      const cluster = await getCluster(context, clusterId);
      const nodes = (cluster?.node_pools ?? []).flatMap((pool) => pool.nodes ?? []);
      left = nodes.filter(({ status }) => status.state !== "running").length;
      return cluster !== undefined && left === 0 ? true : undefined;
    },
  );
}
