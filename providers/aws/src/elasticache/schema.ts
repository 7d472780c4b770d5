import { z } from "@wfctl/plugin-sdk";
import { endpointInput, nativeId, regionInput } from "../ids.ts";
import { tagMap } from "../tags.ts";

const window = (pattern: RegExp, example: string) =>
  z.string().regex(pattern, { error: `expected a window such as "${example}" (UTC)` });

export const cacheInput = z
  .strictObject({
    replication_group_id: z
      .string()
      .regex(/^(?!.*--)[a-z][\da-z-]{0,38}[\da-z]$|^[a-z]$/, {
        error: "expected at most 40 lower-case letters, digits and hyphens, beginning with a letter",
      })
      .optional()
      .describe("Default: the resource's name"),
    region: regionInput,
    endpoint: endpointInput,
    node_type: z
      .string()
      .regex(/^cache\.[\w-]+\.[\w-]+$/, { error: 'expected a node type such as "cache.t3.micro"' })
      .default("cache.t3.micro"),
    engine: z.enum(["redis", "valkey"]).default("redis"),
    engine_version: z
      .union([z.string(), z.number().transform(String)])
      .optional()
      .describe("Such as 7.1. Default: AWS's newest, then left alone"),
    description: z.string().min(1).optional().describe("Default: the resource's name"),
    num_cache_clusters: z.number().int().min(1).max(6).default(1).describe("Nodes, without shards"),
    num_shards: z.number().int().min(1).max(500).optional().describe("Cluster mode with that many shards"),
    replicas_per_shard: z.number().int().min(0).max(5).default(0),
    automatic_failover: z.boolean().optional().describe("Default: with more than one node, or with shards"),
    multi_az: z.boolean().default(false),
    port: z.number().int().min(1).max(65_535).default(6379),
    subnet_ids: z
      .array(nativeId("subnet-0123"))
      .min(1)
      .optional()
      .describe("A subnet group of its own is made of them"),
    subnet_group_name: z.string().optional().describe("Default without subnet_ids: the default VPC's"),
    security_group_ids: z.array(nativeId("sg-0123")).min(1).optional(),
    parameter_group_name: z.string().optional().describe("Default: AWS's for the engine's version"),
    transit_encryption: z.boolean().default(false),
    at_rest_encryption: z.boolean().default(false),
    kms_key_id: z.string().optional(),
    auth_token: z.string().min(16).max(128).optional().describe("Password of clients; needs transit_encryption"),
    snapshot_retention_days: z.number().int().min(0).max(35).default(0).describe("0: no snapshots"),
    snapshot_window: window(/^\d\d:\d\d-\d\d:\d\d$/, "03:00-04:00").optional(),
    maintenance_window: window(/^[a-z]{3}:\d\d:\d\d-[a-z]{3}:\d\d:\d\d$/, "sun:05:00-sun:06:00").optional(),
    auto_minor_version_upgrade: z.boolean().default(true),
    final_snapshot: z.boolean().default(false).describe("Take a snapshot before it is deleted"),
    tags: tagMap.default({}),
  })
  .superRefine((input, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    const isSharded = input.num_shards !== undefined;
    if (isSharded && input.num_cache_clusters !== 1) complain("num_shards", "num_shards excludes num_cache_clusters");
    if (!isSharded && input.replicas_per_shard > 0)
      complain("replicas_per_shard", "replicas_per_shard needs num_shards");
    const failover = input.automatic_failover ?? (isSharded || input.num_cache_clusters > 1);
    if (failover && !isSharded && input.num_cache_clusters === 1) {
      complain("automatic_failover", "automatic_failover needs num_cache_clusters 2 or more");
    }
    if (isSharded && !failover) complain("automatic_failover", "a group with shards always has automatic_failover");
    if (input.multi_az && !failover) complain("multi_az", "multi_az needs automatic_failover");
    if (input.auth_token !== undefined && !input.transit_encryption) {
      complain("auth_token", "auth_token needs transit_encryption");
    }
    if (input.kms_key_id !== undefined && !input.at_rest_encryption) {
      complain("kms_key_id", "kms_key_id needs at_rest_encryption");
    }
    if (input.subnet_ids !== undefined && input.subnet_group_name !== undefined) {
      complain("subnet_group_name", "subnet_ids and subnet_group_name exclude each other");
    }
  })
  .transform((input) => ({
    ...input,
    automatic_failover: input.automatic_failover ?? (input.num_shards !== undefined || input.num_cache_clusters > 1),
  }));
export type CacheInput = z.output<typeof cacheInput>;

export const cacheOutputs = z.object({
  replication_group_id: z.string(),
  arn: z.string(),
  status: z.string(),
  description: z.string(),
  endpoint: z.string().optional().describe("host:port for writes, or of the cluster with shards"),
  host: z.string().optional(),
  port: z.number(),
  reader_endpoint: z.string().optional(),
  engine: z.string(),
  engine_version: z.string().optional(),
  node_type: z.string(),
  member_clusters: z.array(z.string()),
  subnet_ids: z.array(z.string()),
  subnet_group_name: z.string().optional(),
  security_group_ids: z.array(z.string()),
  parameter_group_name: z.string().optional(),
  snapshot_window: z.string().optional(),
  maintenance_window: z.string().optional(),
  kms_key_id: z.string().optional(),
  region: z.string(),
  tags_all: z.record(z.string(), z.string()),
});
export type CacheOutputs = z.output<typeof cacheOutputs>;
