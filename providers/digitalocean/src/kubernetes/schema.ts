import { z } from "@wfctl/plugin-sdk";
import { renameKeys } from "../aliases.ts";
import { region } from "../regions.ts";
import { nodeSizes, sizeOf } from "../sizing.ts";
import { tagList, userTag } from "../tags.ts";

const count = z.coerce.number().int().min(0);
const labels = z.record(z.string(), z.string()).default({});
const taints = z
  .array(
    z.strictObject({
      key: z.string(),
      value: z.string().default(""),
      effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    }),
  )
  .default([]);

const poolInput = z
  .strictObject({
    name: z.string().min(1),
    size: sizeOf(nodeSizes).default(nodeSizes.m),
    node_size: sizeOf(nodeSizes).optional().describe("Alias of size"),
    count: count.optional().describe("Default 1; not with auto_scale"),
    node_count: count.optional().describe("Alias of count"),
    auto_scale: z.boolean().default(false),
    min_nodes: count.optional(),
    max_nodes: count.optional(),
    labels,
    taints,
    tags: z.array(userTag).default([]),
  })
  .transform(({ node_size: size, node_count: nodes, ...pool }) => {
    const wanted = pool.count ?? nodes;
    return { ...pool, size: size ?? pool.size, count: pool.auto_scale ? undefined : (wanted ?? 1) };
  });
export type PoolInput = z.output<typeof poolInput>;

export const clusterInput = z
  .strictObject({
    name: z.string().min(1).optional().describe("Default: the resource's name"),
    version: z
      .union([z.string(), z.number().transform(String)])
      .default("latest")
      .describe('Such as "1.33"; "latest" is the newest when the cluster is made'),
    region,
    size: sizeOf(nodeSizes).optional().describe("Of the nodes of the first pool"),
    node_size: sizeOf(nodeSizes)
      .optional()
      .describe(`As size. Default: ${nodeSizes.m}. Another size is another pool, made before the old one goes`),
    node_count: count.optional().describe("Default 3; not with auto_scale"),
    auto_scale: z.boolean().default(false),
    min_nodes: count.optional(),
    max_nodes: count.optional(),
    node_labels: labels,
    node_taints: taints,
    node_tags: z.array(userTag).default([]),
    node_pools: z.array(poolInput).default([]).describe("Further pools"),
    vpc_uuid: z.string().optional(),
    vpc_ref: z.string().optional().describe("Alias of vpc_uuid"),
    cluster_subnet: z.string().optional(),
    service_subnet: z.string().optional(),
    ha: z.boolean().default(false).describe("Highly available control plane; cannot be switched off"),
    auto_upgrade: z.boolean().default(false),
    surge_upgrade: z.boolean().default(true),
    registry_integration: z.boolean().default(false),
    maintenance_policy: z
      .strictObject({
        day: z
          .enum(["any", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])
          .default("any"),
        start_time: z.string().regex(/^\d\d:\d\d$/),
      })
      .optional(),
    control_plane_firewall: z
      .strictObject({ enabled: z.boolean().default(true), allowed_addresses: z.array(z.string()).default([]) })
      .optional(),
    tags: tagList,
    destroy_all_associated_resources: z
      .boolean()
      .default(false)
      .describe("Delete load balancers and volumes that the cluster made with it"),
  })
  .transform(renameKeys({ vpc_ref: "vpc_uuid" }))
  .transform(({ size, ...value }) => ({
    ...value,
    node_size: value.node_size ?? size ?? nodeSizes.m,
    node_count: value.auto_scale ? undefined : (value.node_count ?? 3),
  }))
  .superRefine((value, { addIssue }) => {
    const names = value.node_pools.map(({ name }) => name);
    if (new Set(names).size !== names.length)
      addIssue({ code: "custom", path: ["node_pools"], message: "two pools have one name" });
    if (value.auto_scale && (value.min_nodes === undefined || value.max_nodes === undefined)) {
      addIssue({
        code: "custom",
        path: ["min_nodes"],
        message: "min_nodes and max_nodes are required with auto_scale",
      });
    }
  });
export type ClusterInput = z.output<typeof clusterInput>;

export const clusterOutputs = z.object({
  id: z.string(),
  name: z.string(),
  urn: z.string(),
  endpoint: z.string(),
  region: z.string(),
  version: z.string(),
  status: z.string(),
  ipv4: z.string(),
  vpc_uuid: z.string(),
  cluster_subnet: z.string(),
  service_subnet: z.string(),
  tags: z.array(z.string()),
  node_pool_ids: z.record(z.string(), z.string()),
  kubeconfig: z.string(),
  cluster_ca_certificate: z.string(),
  token: z.string(),
});
export type ClusterOutputs = z.output<typeof clusterOutputs>;
