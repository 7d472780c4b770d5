import { alreadyExists, notFound } from "@wfctl/plugin-sdk";
import { given } from "../aliases.ts";
import { api, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import {
  awaitRunning,
  describeCluster,
  destroyAllTag,
  findByToken,
  firstPool,
  firstPoolTag,
  getCluster,
  listClusters,
  locateCluster,
  type Cluster,
} from "../kubernetes/clusters.ts";
import { awaitNodes, firstPoolInput, poolBody, syncPools } from "../kubernetes/pools.ts";
import { clusterInput, clusterOutputs, type ClusterInput, type ClusterOutputs } from "../kubernetes/schema.ts";
import { takenMessage } from "../naming.ts";
import { creationTags, currentTags, tokenPrefix, withOwner } from "../ownership.ts";
import { hostSizes, sizing } from "../sizing.ts";
import { removeUnusedMarks } from "../tagging.ts";
import { awaitThat } from "../waiting.ts";
import { scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

/** A Kubernetes cluster with its pools of nodes. Names are unique in an account. */
export const k8sCluster = defineDoResource<ClusterInput, ClusterOutputs>({
  type: "infra.k8s_cluster",
  description: "Kubernetes cluster (DOKS)",
  input: clusterInput,
  outputs: clusterOutputs,
  forceNew: ["region", "vpc_uuid", "cluster_subnet", "service_subnet"],
  sensitiveOutputs: ["kubeconfig", "token"],
  unordered: ["tags", "node_tags", "node_pools", "control_plane_firewall.allowed_addresses"],
  irreversibleUpdate: true,
  convergentCreate: true,
  permissions: [...scopes("kubernetes", "tag"), "kubernetes:access_cluster"],
  timeouts: { create: 3_600_000, update: 7_200_000, delete: 1_200_000 },

  async create({ name: resource, input }, context) {
    const name = input.name ?? resource;
    const earlier = await findByToken(context, context.clientToken);
    if (earlier === undefined) {
      const taken = (await listClusters(context)).find((cluster) => cluster.name === name);
      if (taken !== undefined) return alreadyExists(takenMessage(context, { kind: "Cluster", name }, taken.tags));
    }
    const made = earlier ?? (await makeCluster(context, name, input));
    context.partial(made.id);
    await sync(context, await awaitRunning(context, made.id), input);
    const now = await describeCluster(context, await awaitRunning(context, made.id));
    return earlier === undefined ? { ...now, created: true } : now;
  },

  async read(ref, context) {
    const found = await locateCluster(ref, context);
    return found === undefined ? notFound() : describeCluster(context, found);
  },

  async update(ref, { input }, context) {
    const found = await locateCluster(ref, context);
    if (found === undefined) return notFound();
    await sync(context, await awaitRunning(context, found.id), input);
    return describeCluster(context, await awaitRunning(context, found.id));
  },

  async delete(ref, context) {
    const found = await locateCluster(ref, context);
    if (found === undefined) return notFound();
    const rest = found.tags.includes(destroyAllTag) ? "/destroy_with_associated_resources/dangerous" : "";
    await orAbsent(api(context).delete(`kubernetes/clusters/${found.id}${rest}`));
    await awaitThat(context, `cluster ${found.name} to be gone`, async () =>
      (await getCluster(context, found.id)) === undefined ? true : undefined,
    );
    // Whether a cluster carries a tag is not counted: marks that a replacement may share are left.
    const own = found.tags.filter((tag) => tag.startsWith(tokenPrefix));
    await removeUnusedMarks(context, own);
    return undefined;
  },

  async lookup({ token }, context) {
    const found = await findByToken(context, token);
    return found === undefined ? notFound() : describeCluster(context, found);
  },

  async import(id, context) {
    const found = await locateCluster({ id, name: "" }, context);
    return found === undefined ? notFound() : describeCluster(context, found);
  },

  async *list(context) {
    for (const each of await listClusters(context)) yield describeCluster(context, each);
  },

  async setOwner(ref, owner, context) {
    const found = await locateCluster(ref, context);
    if (found === undefined) return notFound();
    const { add, remove } = withOwner(found.tags, owner);
    await writeCluster(context, found, { tags: [...found.tags.filter((tag) => !remove.includes(tag)), ...add] });
    return undefined;
  },

  async scale(ref, replicas, context) {
    const found = await locateCluster(ref, context);
    const pool = found === undefined ? undefined : firstPool(found);
    if (found === undefined || pool === undefined) return notFound();
    const body = { name: pool.name, count: replicas, tags: pool.tags ?? [], auto_scale: false };
    await api(context).put(`kubernetes/clusters/${found.id}/node_pools/${pool.id}`, body);
    await awaitNodes(context, found.id);
    return describeCluster(context, (await getCluster(context, found.id)) ?? found);
  },

  diff({ input }, _known, standard) {
    const changes = standard.changes.flatMap((change) => {
      if (change.path === "ha" && change.new === false) return [{ ...change, forceNew: true }];
      if (change.path !== "version" || typeof change.old !== "string") return [change];
      // A version less precise than the live one, or the newest at the time, is no change.
      if (input.version === "latest" || change.old === input.version || change.old.startsWith(`${input.version}.`))
        return [];
      return isOlder(input.version, change.old) ? [{ ...change, forceNew: true }] : [change];
    });
    return { changes };
  },

  sizing: sizing(hostSizes.droplet),
});

async function makeCluster(context: Context, name: string, input: ClusterInput): Promise<Cluster> {
  const pools = [
    poolBody(firstPoolInput(`${name}-first`, input), [firstPoolTag]),
    ...input.node_pools.map((pool) => poolBody(pool, [])),
  ];
  const { kubernetes_cluster: made } = await api(context).post<{ kubernetes_cluster: Cluster }>(
    "kubernetes/clusters",
    given({
      name,
      version: input.version,
      region: input.region ?? context.client.config.region,
      vpc_uuid: input.vpc_uuid,
      cluster_subnet: input.cluster_subnet,
      service_subnet: input.service_subnet,
      ha: input.ha,
      auto_upgrade: input.auto_upgrade,
      surge_upgrade: input.surge_upgrade,
      maintenance_policy: input.maintenance_policy,
      control_plane_firewall: input.control_plane_firewall,
      tags: [...creationTags(context, input.tags), ...(input.destroy_all_associated_resources ? [destroyAllTag] : [])],
      node_pools: pools,
    }),
  );
  return made;
}

/** The call replaces what it names and needs the name. */
async function writeCluster(context: Context, live: Cluster, changed: object): Promise<void> {
  await api(context).put(`kubernetes/clusters/${live.id}`, { name: live.name, ...changed });
}

async function sync(context: Context, live: Cluster, input: ClusterInput): Promise<void> {
  const marks = currentTags(context, input.tags, live.tags).filter((tag) => tag !== destroyAllTag);
  const tags = [...marks, ...(input.destroy_all_associated_resources ? [destroyAllTag] : [])];
  const { inputs = {} } = await describeCluster(context, live);
  const wanted = {
    name: input.name ?? live.name,
    auto_upgrade: input.auto_upgrade,
    surge_upgrade: input.surge_upgrade,
    ha: input.ha,
    maintenance_policy: input.maintenance_policy ?? inputs.maintenance_policy,
    control_plane_firewall: input.control_plane_firewall ?? inputs.control_plane_firewall,
  };
  const isChanged = Object.entries(wanted).some(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(inputs[key as keyof ClusterInput]),
  );
  const own = live.tags.filter((tag) => !/^k8s(?::|$)/.test(tag));
  if (isChanged || own.toSorted().join() !== tags.toSorted().join())
    await writeCluster(context, live, given({ ...wanted, tags }));
  if (input.registry_integration !== (live.registry_enabled ?? false)) {
    const body = { cluster_uuids: [live.id] };
    if (input.registry_integration) await api(context).post("kubernetes/registry", body);
    else await api(context).delete("kubernetes/registry", { body });
  }
  await syncVersion(context, live, input.version);
  await syncPools(context, live, input);
}

async function syncVersion(context: Context, live: Cluster, wanted: string): Promise<void> {
  if (wanted === "latest" || live.version === wanted || live.version.startsWith(`${wanted}.`)) return;
  const { available_upgrade_versions: upgrades } = await api(context).get<{
    available_upgrade_versions: readonly { slug: string }[] | null;
  }>(`kubernetes/clusters/${live.id}/upgrades`);
  const target = (upgrades ?? [])
    .map(({ slug }) => slug)
    .toSorted()
    .findLast((slug) => slug === wanted || slug.startsWith(`${wanted}.`));
  await api(context).post(`kubernetes/clusters/${live.id}/upgrade`, { version: target ?? wanted });
  await awaitThat(context, `cluster ${live.name} to have version ${wanted}`, async () => {
    const cluster = await getCluster(context, live.id);
    return cluster?.status.state === "running" && cluster.version !== live.version ? cluster : undefined;
  });
}

function isOlder(wanted: string, live: string): boolean {
  const numbers = (text: string): number[] => text.split(/[.-]/).map((part) => Number(part.replace(/\D/g, "")));
  const [left, right] = [numbers(wanted), numbers(live)];
  for (let index = 0; index < left.length; index += 1) {
    const [a = 0, b = 0] = [left[index], right[index]];
    if (a !== b) return a < b;
  }
  return false;
}
