import { randomUUID } from "node:crypto";
import type { Account, Thing } from "../account.ts";
import {
  asText,
  listOf,
  noContent,
  notFound,
  paged,
  textOf,
  unprocessable,
  type DoHandler,
  type DoRequest,
  type Handlers,
} from "./answers.ts";
import { regionOf, regions, sizeOf, sizes } from "./catalogue.ts";
import { defaultVpc } from "./vpcs.ts";

const createMs = 300_000;
const nodesMs = 60_000;
const versions = ["1.31.9-do.2", "1.32.5-do.1", "1.33.1-do.0"];
const newest = versions.at(-1)!;

export const kubernetes: Handlers = {
  kubernetes_list_options: () => ({
    status: 200,
    body: {
      options: {
        regions: regions.map(({ name, slug }) => ({ name: name!, slug: slug! })),
        versions: versions.map((slug) => ({
          slug,
          kubernetes_version: slug.split("-")[0]!,
          supported_features: ["cluster-autoscaler"],
        })),
        sizes: sizes.map(({ slug }) => ({ name: slug!, slug: slug! })),
      },
    },
  }),
  kubernetes_list_clusters: (request) => paged(request, "kubernetes_clusters", request.account.clusters.list()),
  kubernetes_create_cluster({ account, body }) {
    const problem = check(account, body);
    if (problem !== undefined) return unprocessable(problem);
    return { status: 201, body: { kubernetes_cluster: add(account, body) } };
  },
  kubernetes_get_cluster: on((cluster) => ({ status: 200, body: { kubernetes_cluster: cluster } }), "visible"),
  kubernetes_update_cluster: on((cluster, { account, body }) => {
    if (account.clusters.all().some((other) => other !== cluster && other["name"] === body["name"]))
      return unprocessable("cluster name is taken");
    if (cluster["ha"] === true && body["ha"] === false)
      return unprocessable("high availability cannot be switched off");
    for (const key of [
      "name",
      "auto_upgrade",
      "surge_upgrade",
      "ha",
      "control_plane_firewall",
      "cluster_autoscaler_configuration",
      "routing_agent",
    ]) {
      if (body[key] !== undefined) cluster[key] = body[key];
    }
    if (Array.isArray(body["tags"])) cluster["tags"] = clusterTags(asText(cluster["id"]), listOf<string>(body, "tags"));
    if (body["maintenance_policy"] !== undefined)
      cluster["maintenance_policy"] = policyOf(body["maintenance_policy"] as Thing);
    cluster["updated_at"] = account.clock.iso();
    return { status: 202, body: { kubernetes_cluster: cluster } };
  }),
  kubernetes_delete_cluster: on(remove),
  kubernetes_destroy_associatedResourcesDangerous: on(remove),
  kubernetes_list_associatedResources: on(() => ({
    status: 200,
    body: { load_balancers: [], volumes: [], volume_snapshots: [] },
  })),
  kubernetes_get_kubeconfig: on((cluster) => ({
    status: 200,
    body: Buffer.from(kubeconfigOf(cluster)),
    headers: { "content-type": "application/yaml" },
  })),
  kubernetes_get_credentials: on((cluster, { account }) => ({
    status: 200,
    body: {
      server: asText(cluster["endpoint"]),
      certificate_authority_data: Buffer.from(`ca of ${asText(cluster["id"])}`).toString("base64"),
      client_certificate_data: null,
      client_key_data: null,
      token: `dop_v1_${asText(cluster["id"])}`,
      expires_at: new Date(account.clock.now() + 604_800_000).toISOString(),
    },
  })),
  kubernetes_get_availableUpgrades: on((cluster) => ({
    status: 200,
    body: {
      available_upgrade_versions: versions
        .filter((version) => version > asText(cluster["version"]))
        .map((slug) => ({ slug, kubernetes_version: slug.split("-")[0]!, supported_features: [] })),
    },
  })),
  kubernetes_upgrade_cluster: on((cluster, { account, body }) => {
    const version = textOf(body, "version") ?? "";
    if (!versions.includes(version) || version <= asText(cluster["version"]))
      return unprocessable("invalid upgrade version");
    (cluster["status"] as Thing)["state"] = "upgrading";
    account.clock.after(createMs, () => {
      cluster["version"] = version;
      cluster["status"] = { state: "running", message: "" };
    });
    return { status: 202 };
  }),
  kubernetes_list_nodePools: on((cluster) => ({ status: 200, body: { node_pools: poolsOf(cluster) } })),
  kubernetes_add_nodePool: on((cluster, { account, body }) => {
    if (sizeOf(textOf(body, "size") ?? "") === undefined) return unprocessable("invalid size");
    if (poolsOf(cluster).some((pool) => pool["name"] === body["name"])) return unprocessable("node pool name is taken");
    const pool = makePool(account, body);
    cluster["node_pools"] = [...poolsOf(cluster), pool];
    return { status: 201, body: { node_pool: pool } };
  }),
  kubernetes_get_nodePool: on((cluster, { params }) => {
    const pool = poolsOf(cluster).find(({ id }) => id === params["node_pool_id"]);
    return pool === undefined ? notFound() : { status: 200, body: { node_pool: pool } };
  }),
  kubernetes_update_nodePool: on((cluster, { account, params, body }) => {
    const pool = poolsOf(cluster).find(({ id }) => id === params["node_pool_id"]);
    if (pool === undefined) return notFound();
    for (const key of ["name", "tags", "labels", "taints", "auto_scale", "min_nodes", "max_nodes"]) {
      if (body[key] !== undefined) pool[key] = body[key];
    }
    if (body["count"] !== undefined && body["count"] !== pool["count"]) {
      pool["count"] = body["count"];
      pool["nodes"] = makeNodes(account, pool);
    }
    return { status: 202, body: { node_pool: pool } };
  }),
  kubernetes_delete_nodePool: on((cluster, { params }) => {
    const left = poolsOf(cluster).filter(({ id }) => id !== params["node_pool_id"]);
    if (left.length === poolsOf(cluster).length) return notFound();
    if (left.length === 0) return unprocessable("a cluster needs a node pool");
    cluster["node_pools"] = left;
    return noContent;
  }),
  kubernetes_add_registry({ account, body }) {
    for (const id of listOf<string>(body, "cluster_uuids")) {
      const cluster = account.clusters.own(id);
      if (cluster === undefined) return notFound();
      cluster["registry_enabled"] = true;
    }
    return noContent;
  },
  kubernetes_remove_registry({ account, body }) {
    for (const id of listOf<string>(body, "cluster_uuids")) {
      const cluster = account.clusters.own(id);
      if (cluster === undefined) return notFound();
      cluster["registry_enabled"] = false;
    }
    return noContent;
  },
};

function on(
  act: (cluster: Thing, request: DoRequest) => ReturnType<DoHandler>,
  view: "visible" | "own" = "own",
): DoHandler {
  return (request) => {
    const id = request.params["cluster_id"] ?? "";
    const { clusters } = request.account;
    const cluster = view === "visible" ? clusters.get(id) : clusters.own(id);
    return cluster === undefined ? notFound() : act(cluster, request);
  };
}

function remove(cluster: Thing, { account }: DoRequest) {
  cluster["status"] = { state: "deleting", message: "" };
  account.clusters.remove(asText(cluster["id"]));
  return noContent;
}

const poolsOf = (cluster: Thing): Thing[] => listOf<Thing>(cluster, "node_pools");

function check(account: Account, body: Thing): string | undefined {
  const version = textOf(body, "version")!;
  const pools = listOf<Thing>(body, "node_pools");
  if (version !== "latest" && !versions.some((known) => known === version || known.startsWith(`${version}.`)))
    return "invalid version";
  if (regionOf(textOf(body, "region")!)?.["available"] !== true) return "invalid region";
  if (account.clusters.all().some((cluster) => cluster["name"] === body["name"]))
    return "a cluster with this name already exists";
  if (pools.length === 0) return "a cluster needs a node pool";
  if (pools.some((pool) => sizeOf(textOf(pool, "size") ?? "") === undefined)) return "invalid size";
  const vpc = textOf(body, "vpc_uuid");
  return vpc !== undefined && account.vpcs.own(vpc)?.["region"] !== body["region"] ? "invalid vpc" : undefined;
}

function add(account: Account, body: Thing): Thing {
  const id = randomUUID();
  const region = textOf(body, "region")!;
  const wanted = textOf(body, "version")!;
  const version =
    versions.toReversed().find((known) => wanted === "latest" || known === wanted || known.startsWith(`${wanted}.`)) ??
    newest;
  const pools = listOf<Thing>(body, "node_pools").map((pool) => makePool(account, pool));
  const cluster: Thing = {
    id,
    name: body["name"]!,
    region,
    version,
    cluster_subnet: textOf(body, "cluster_subnet") ?? "10.244.0.0/16",
    service_subnet: textOf(body, "service_subnet") ?? "10.245.0.0/16",
    vpc_uuid: textOf(body, "vpc_uuid") ?? defaultVpc(account, region),
    ipv4: "",
    endpoint: "",
    tags: clusterTags(id, listOf<string>(body, "tags")),
    node_pools: pools,
    maintenance_policy: policyOf((body["maintenance_policy"] ?? {}) as Thing),
    auto_upgrade: body["auto_upgrade"] === true,
    surge_upgrade: body["surge_upgrade"] === true,
    ha: body["ha"] === true,
    registry_enabled: false,
    control_plane_firewall: body["control_plane_firewall"] ?? null,
    cluster_autoscaler_configuration: body["cluster_autoscaler_configuration"] ?? null,
    routing_agent: body["routing_agent"] ?? { enabled: false },
    status: { state: "provisioning", message: "" },
    created_at: account.clock.iso(),
    updated_at: account.clock.iso(),
  };
  account.clusters.add(id, cluster);
  account.clock.after(createMs, () => {
    cluster["status"] = { state: "running", message: "" };
    cluster["endpoint"] = `https://${id}.k8s.ondigitalocean.com`;
    cluster["ipv4"] = "203.0.113.9";
  });
  return cluster;
}

function clusterTags(id: string, tags: readonly string[]): string[] {
  return [...new Set(["k8s", `k8s:${id}`, ...tags])];
}

function policyOf(policy: Thing): Thing {
  return { day: "any", start_time: "00:00", duration: "4h0m0s", ...policy };
}

function makePool(account: Account, body: Thing): Thing {
  const pool: Thing = {
    id: randomUUID(),
    name: body["name"]!,
    size: body["size"]!,
    count: body["count"] ?? body["min_nodes"] ?? 1,
    tags: listOf<string>(body, "tags"),
    labels: body["labels"] ?? null,
    taints: listOf<Thing>(body, "taints"),
    auto_scale: body["auto_scale"] === true,
    min_nodes: body["min_nodes"] ?? 0,
    max_nodes: body["max_nodes"] ?? 0,
  };
  pool["nodes"] = makeNodes(account, pool);
  return pool;
}

function makeNodes(account: Account, pool: Thing): Thing[] {
  return Array.from({ length: Number(pool["count"]) }, (_, index) => {
    const node: Thing = {
      id: randomUUID(),
      name: `${asText(pool["name"])}-${index}`,
      status: { state: "provisioning" },
      droplet_id: asText(account.nextNumber()),
      created_at: account.clock.iso(),
      updated_at: account.clock.iso(),
    };
    account.clock.after(nodesMs, () => {
      node["status"] = { state: "running" };
    });
    return node;
  });
}

function kubeconfigOf(cluster: Thing): string {
  const name = `do-${asText(cluster["region"])}-${asText(cluster["name"])}`;
  return `apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(`ca of ${asText(cluster["id"])}`).toString("base64")}
    server: ${asText(cluster["endpoint"])}
  name: ${name}
contexts:
- context: {cluster: ${name}, user: ${name}-admin}
  name: ${name}
current-context: ${name}
users:
- name: ${name}-admin
  user: {token: dop_v1_${asText(cluster["id"])}}
`;
}
