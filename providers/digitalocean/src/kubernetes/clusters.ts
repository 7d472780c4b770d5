import { ProviderFailure, type ResourceState } from "@wfctl/plugin-sdk";
import { given } from "../aliases.ts";
import { api, collect, type Context } from "../calls.ts";
import { ifServed, orAbsent } from "../errors.ts";
import { isUuid, pickByName } from "../naming.ts";
import { ownerOf, tokenTag } from "../ownership.ts";
import { markPrefix, userTags } from "../tags.ts";
import { awaitThat } from "../waiting.ts";
import type { ClusterInput, ClusterOutputs, PoolInput } from "./schema.ts";

export interface Pool {
  readonly id: string;
  readonly name: string;
  readonly size: string;
  readonly count: number;
  readonly auto_scale?: boolean;
  readonly min_nodes?: number;
  readonly max_nodes?: number;
  readonly labels?: Readonly<Record<string, string>> | null;
  readonly taints?: PoolInput["taints"] | null;
  readonly tags?: readonly string[] | null;
  readonly nodes?: readonly { readonly status: { readonly state: string } }[] | null;
}

export interface Cluster {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly version: string;
  readonly cluster_subnet?: string;
  readonly service_subnet?: string;
  readonly vpc_uuid?: string;
  readonly ipv4?: string;
  readonly endpoint?: string;
  readonly tags: readonly string[];
  readonly node_pools: readonly Pool[];
  readonly maintenance_policy?: { readonly day: string; readonly start_time: string };
  readonly auto_upgrade?: boolean;
  readonly surge_upgrade?: boolean;
  readonly ha?: boolean;
  readonly registry_enabled?: boolean;
  readonly control_plane_firewall?: ClusterInput["control_plane_firewall"] | null;
  readonly status: { readonly state: string; readonly message?: string };
}

/** On the pool that the cluster's own keys describe. */
export const firstPoolTag = `${markPrefix}first-pool`;
/** On clusters whose load balancers and volumes go with them. */
export const destroyAllTag = `${markPrefix}destroy-all`;

export async function getCluster(context: Context, id: string): Promise<Cluster | undefined> {
  const found = await orAbsent(api(context).get<{ kubernetes_cluster: Cluster }>(`kubernetes/clusters/${id}`));
  return found === undefined ? undefined : settle(found.kubernetes_cluster);
}

/** Lists that may be missing or null are there. */
function settle(cluster: Cluster): Cluster {
  const { tags, node_pools: pools } = cluster as Partial<Cluster>;
  return { ...cluster, tags: tags ?? [], node_pools: pools ?? [] };
}

export async function listClusters(context: Context): Promise<Cluster[]> {
  return (await collect(api(context).list<Cluster>("kubernetes/clusters", "kubernetes_clusters"))).map(settle);
}

export async function locateCluster(
  { id, name }: { id: string; name: string },
  context: Context,
): Promise<Cluster | undefined> {
  if (isUuid(id)) return getCluster(context, id);
  const wanted = id === "" ? name : id;
  const found = (await listClusters(context)).filter((cluster) => cluster.name === wanted);
  return pickByName(context, { kind: "cluster", name: wanted }, found, {
    id: (each) => each.id,
    tags: (each) => each.tags,
  });
}

export async function findByToken(context: Context, token: string): Promise<Cluster | undefined> {
  return (await listClusters(context)).find(({ tags }) => tags.includes(tokenTag(token)));
}

/** Waits until a cluster runs. */
export async function awaitRunning(context: Context, id: string): Promise<Cluster> {
  let state = "provisioning";
  return awaitThat(
    context,
    () => `cluster ${id} to run (${state})`,
    async () => {
      const cluster = await getCluster(context, id);
      state = cluster?.status.state ?? "not visible yet";
      if (state === "error")
        throw new ProviderFailure("unknown", `Cluster ${id} failed: ${cluster?.status.message ?? "no reason given"}`);
      return state === "running" ? cluster : undefined;
    },
  );
}

/** The pool that the cluster's own keys describe: the one with the mark, else the first. */
export function firstPool({ node_pools: pools }: Cluster): Pool | undefined {
  return pools.find(({ tags }) => (tags ?? []).includes(firstPoolTag)) ?? pools[0];
}

export async function describeCluster(
  context: Context,
  cluster: Cluster,
): Promise<ResourceState<ClusterInput, ClusterOutputs>> {
  const { id, name, region, version, tags } = cluster;
  const isRunning = cluster.status.state === "running";
  const cloud = api(context);
  const [kubeconfig, credentials] = isRunning
    ? await Promise.all([
        ifServed(cloud.getText(`kubernetes/clusters/${id}/kubeconfig`)),
        ifServed(
          cloud.get<{ certificate_authority_data?: string; token?: string }>(`kubernetes/clusters/${id}/credentials`),
        ),
      ])
    : [undefined, undefined];
  const first = firstPool(cluster);
  const others = cluster.node_pools.filter((pool) => pool !== first);
  const window = cluster.maintenance_policy;
  const firewall = cluster.control_plane_firewall;
  const own = userTags(tags, context.client.config.default_tags);
  return {
    id,
    name,
    owner: ownerOf(tags, context.owner),
    tags,
    status: isRunning ? "running" : cluster.status.state === "error" ? "degraded" : "unknown",
    outputs: {
      id,
      name,
      urn: `do:kubernetes:${id}`,
      endpoint: cluster.endpoint ?? "",
      region,
      version,
      status: cluster.status.state,
      ipv4: cluster.ipv4 ?? "",
      vpc_uuid: cluster.vpc_uuid ?? "",
      cluster_subnet: cluster.cluster_subnet ?? "",
      service_subnet: cluster.service_subnet ?? "",
      tags: own,
      node_pool_ids: Object.fromEntries(cluster.node_pools.map((pool) => [pool.name, pool.id])),
      kubeconfig: kubeconfig ?? "",
      cluster_ca_certificate: Buffer.from(credentials?.certificate_authority_data ?? "", "base64").toString(),
      token: credentials?.token ?? "",
    },
    inputs: given({
      name,
      version,
      region,
      ...(first === undefined ? {} : firstInputs(first)),
      node_pools: others.map(poolInputs),
      vpc_uuid: cluster.vpc_uuid,
      cluster_subnet: cluster.cluster_subnet,
      service_subnet: cluster.service_subnet,
      ha: cluster.ha ?? false,
      auto_upgrade: cluster.auto_upgrade ?? false,
      surge_upgrade: cluster.surge_upgrade ?? false,
      registry_integration: cluster.registry_enabled ?? false,
      maintenance_policy: window && { day: window.day, start_time: window.start_time },
      control_plane_firewall: firewall === null ? undefined : firewall,
      tags: own,
      destroy_all_associated_resources: tags.includes(destroyAllTag),
    }) as Partial<ClusterInput>,
  };
}

/** Tags of a pool that the user wrote: the platform adds the cluster's. */
const poolTags = ({ tags }: Pool): string[] => userTags(tags ?? [], []);

function firstInputs(pool: Pool): object {
  const { size, count, auto_scale: scales = false } = pool;
  return {
    node_size: size,
    node_count: scales ? undefined : count,
    auto_scale: scales,
    min_nodes: scales ? pool.min_nodes : undefined,
    max_nodes: scales ? pool.max_nodes : undefined,
    node_labels: { ...pool.labels },
    node_taints: [...(pool.taints ?? [])],
    node_tags: poolTags(pool),
  };
}

function poolInputs(pool: Pool): object {
  const { name, size, count, auto_scale: scales = false } = pool;
  return given({
    name,
    size,
    count: scales ? undefined : count,
    auto_scale: scales,
    min_nodes: scales ? pool.min_nodes : undefined,
    max_nodes: scales ? pool.max_nodes : undefined,
    labels: { ...pool.labels },
    taints: [...(pool.taints ?? [])],
    tags: poolTags(pool),
  });
}
