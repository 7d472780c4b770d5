import { z } from "@wfctl/plugin-sdk";
import { renameKeys } from "../aliases.ts";
import { region } from "../regions.ts";
import { databaseSizes, sizeOf } from "../sizing.ts";
import { tagList } from "../tags.ts";

const engines = ["pg", "mysql", "valkey", "mongodb", "kafka", "opensearch"] as const;
const engineNames: Readonly<Record<string, string>> = { postgres: "pg", postgresql: "pg", mongo: "mongodb" };
const redisEnded = 'Managed Redis has ended at DigitalOcean: use engine "valkey", which speaks the same protocol';
const policies = [
  "noeviction",
  "allkeys_lru",
  "allkeys_random",
  "volatile_lru",
  "volatile_random",
  "volatile_ttl",
] as const;

const engine = z
  .string()
  .refine((text) => text !== "redis", { error: redisEnded, abort: true })
  .transform((text) => engineNames[text] ?? text);

const sourceTypes = ["ip_addr", "k8s", "app", "droplet", "tag"] as const;
export const trustedSource = z.strictObject({
  type: z.enum(sourceTypes),
  value: z
    .union([z.string().min(1), z.number().int().transform(String)])
    .describe("Address, tag, id, or the name of an app, cluster or droplet"),
});
export type TrustedSource = z.output<typeof trustedSource>;

const version = z.union([z.string(), z.number().transform(String)]);
const shared = {
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{2,62}$/)
    .optional()
    .describe("Default: the resource's name"),
  version: version.optional().describe("A newer one is an upgrade in place. Default: DigitalOcean's"),
  size: sizeOf(databaseSizes).default("db-s-1vcpu-1gb"),
  region,
  num_nodes: z.coerce.number().int().min(1).max(9).default(1),
  node_count: z.coerce.number().int().min(1).max(9).optional().describe("Alias of num_nodes"),
  trusted_sources: z
    .array(trustedSource)
    .optional()
    .describe("Who may connect; names of things that are made later are filled in after the apply. Default: everyone"),
  private_network_uuid: z.string().optional().describe("Default: the region's default VPC"),
  vpc_uuid: z.string().optional().describe("Alias of private_network_uuid"),
  vpc_ref: z.string().optional().describe("Alias of private_network_uuid"),
  tags: tagList,
  maintenance_window: z
    .strictObject({
      day: z.enum(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]),
      hour: z.string().regex(/^\d\d:\d\d(?::\d\d)?$/),
    })
    .transform((window) => ({ ...window, hour: window.hour.slice(0, 5) }))
    .optional(),
  project_id: z.string().optional().describe("Default: the provider's project_id"),
};
const aliases = { node_count: "num_nodes", vpc_uuid: "private_network_uuid", vpc_ref: "private_network_uuid" } as const;
const countNodes = <Value extends { num_nodes: number; node_count?: number | undefined }>(value: Value): Value => ({
  ...value,
  num_nodes: value.node_count ?? value.num_nodes,
});

export const databaseInput = z
  .strictObject({
    ...shared,
    engine: engine
      .pipe(z.enum(engines))
      .default("pg")
      .describe(`${engines.join(", ")}`),
    storage_size_mib: z.coerce.number().int().min(10_240).optional(),
    sql_mode: z.string().optional().describe("MySQL only"),
    eviction_policy: z.enum(policies).optional().describe("Valkey only"),
    databases: z.array(z.string().min(1)).optional().describe("Beside defaultdb. One that is dropped here is deleted"),
    users: z
      .array(z.string().min(1))
      .optional()
      .describe("Beside the primary user. One that is dropped here is deleted"),
    config: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .describe("Settings of the engine"),
  })
  .transform(countNodes)
  .transform(renameKeys(aliases));

export const cacheInput = z
  .strictObject({
    ...shared,
    version: version
      .optional()
      .describe("A newer one is an upgrade in place; Redis's own (6, 7) is DigitalOcean's default"),
    engine: engine.pipe(z.literal("valkey")).default("valkey").describe("valkey"),
    eviction_policy: z.enum(policies).optional(),
    config: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .describe("Settings of the engine"),
  })
  // Upstream's caches were Redis, of which the versions counted otherwise.
  .transform(({ version: wanted, ...value }) =>
    /^[67](?:\.|$)/.test(wanted ?? "") ? value : { ...value, version: wanted },
  )
  .transform(countNodes)
  .transform(renameKeys(aliases));

export type DatabaseInput = z.output<typeof databaseInput>;

export const databaseOutputs = z.object({
  id: z.string(),
  name: z.string(),
  urn: z.string(),
  engine: z.string(),
  version: z.string(),
  size: z.string(),
  region: z.string(),
  num_nodes: z.number(),
  status: z.string(),
  tags: z.array(z.string()),
  host: z.string(),
  private_host: z.string(),
  port: z.number(),
  database: z.string(),
  user: z.string(),
  password: z.string(),
  uri: z.string(),
  private_uri: z.string(),
  user_passwords: z.record(z.string(), z.string()),
  private_network_uuid: z.string(),
  ca_certificate: z.string(),
  trusted_sources: z.array(z.object({ type: z.string(), value: z.string(), name: z.string() })),
});
export type DatabaseOutputs = z.output<typeof databaseOutputs>;
