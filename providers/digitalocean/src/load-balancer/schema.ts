import { z } from "@wfctl/plugin-sdk";
import { renameKeys } from "../aliases.ts";
import { region } from "../regions.ts";
import { balancerWords, hostSizes, isTier, tiers } from "../sizing.ts";

const port = z.coerce.number().int().min(1).max(65_535);
const rule = z
  .strictObject({
    entry_protocol: z.enum(["http", "https", "http2", "http3", "tcp", "udp"]),
    entry_port: port,
    target_protocol: z.enum(["http", "https", "http2", "tcp", "udp"]),
    target_port: port,
    certificate_id: z.string().optional(),
    certificate_name: z.string().optional().describe("Instead of certificate_id: survives a renewal"),
    tls_passthrough: z.boolean().default(false),
  })
  .refine((value) => value.certificate_id === undefined || value.certificate_name === undefined, {
    error: "certificate_id and certificate_name exclude each other",
  });
export type Rule = z.output<typeof rule>;

const droplet = z.union([z.number().int(), z.string().regex(/^\d+$/).transform(Number)]);

export const balancerInput = z
  .strictObject({
    name: z.string().min(1).optional().describe("Default: the resource's name"),
    region,
    size: z
      .string()
      .refine((size) => isTier(size) || size in balancerWords, {
        error: `expected one of ${[...tiers, ...Object.keys(balancerWords)].join(", ")}`,
      })
      .optional()
      .describe("Instead of size_unit"),
    size_unit: z.coerce.number().int().min(1).max(200).optional(),
    algorithm: z
      .enum(["round_robin", "least_connections"])
      .optional()
      .describe("Without effect: DigitalOcean has one only"),
    forwarding_rules: z
      .array(rule)
      .default([
        { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 80, tls_passthrough: false },
      ]),
    droplet_ids: z.array(droplet).optional().describe("Excludes droplet_tag"),
    droplet_tag: z.string().optional().describe("Droplets with this tag, also later ones"),
    tag: z.string().optional().describe("Alias of droplet_tag"),
    health_check: z
      .strictObject({
        protocol: z.enum(["http", "https", "tcp"]).default("http"),
        port: port.default(80),
        path: z.string().optional(),
        check_interval_seconds: z.coerce.number().int().min(3).max(300).optional(),
        response_timeout_seconds: z.coerce.number().int().min(3).max(300).optional(),
        healthy_threshold: z.coerce.number().int().min(2).max(10).optional(),
        unhealthy_threshold: z.coerce.number().int().min(2).max(10).optional(),
      })
      .optional(),
    sticky_sessions: z
      .strictObject({
        type: z.enum(["cookies", "none"]).default("none"),
        cookie_name: z.string().optional(),
        cookie_ttl_seconds: z.coerce.number().int().min(1).optional(),
      })
      .optional(),
    redirect_http_to_https: z.boolean().default(false),
    enable_proxy_protocol: z.boolean().default(false),
    enable_backend_keepalive: z.boolean().default(false),
    disable_lets_encrypt_dns_records: z.boolean().default(false),
    http_idle_timeout_seconds: z.coerce.number().int().min(30).max(600).default(60),
    vpc_uuid: z.string().optional(),
    vpc_ref: z.string().optional().describe("Alias of vpc_uuid"),
    project_id: z.string().optional(),
    firewall: z
      .strictObject({ allow: z.array(z.string()).default([]), deny: z.array(z.string()).default([]) })
      .optional(),
    type: z.enum(["REGIONAL", "REGIONAL_NETWORK", "GLOBAL"]).default("REGIONAL"),
    network: z.enum(["EXTERNAL", "INTERNAL"]).default("EXTERNAL"),
    network_stack: z.enum(["IPV4", "DUALSTACK"]).default("IPV4"),
    tls_cipher_policy: z.enum(["DEFAULT", "STRONG"]).default("DEFAULT"),
    domains: z
      .array(
        z.strictObject({
          name: z.string(),
          is_managed: z.boolean().default(false),
          certificate_id: z.string().optional(),
        }),
      )
      .default([])
      .describe("Of a global load balancer"),
    glb_settings: z
      .strictObject({
        target_protocol: z.enum(["http", "https", "http2"]),
        target_port: port,
        cdn: z.strictObject({ is_enabled: z.boolean() }).optional(),
        region_priorities: z.record(z.string(), z.number().int()).optional(),
        failover_threshold: z.coerce.number().int().min(1).max(99).optional(),
      })
      .optional(),
    target_load_balancer_ids: z.array(z.string()).default([]),
  })
  .transform(renameKeys({ tag: "droplet_tag", vpc_ref: "vpc_uuid" }))
  .transform(({ size, algorithm: _, ...value }) => ({
    ...value,
    size_unit:
      value.size_unit ??
      (size === undefined ? undefined : balancerWords[isTier(size) ? hostSizes.balancer[size] : size]),
  }))
  .refine((value) => value.droplet_ids === undefined || value.droplet_tag === undefined, {
    error: "droplet_ids and droplet_tag exclude each other",
    path: ["droplet_ids"],
  });
export type BalancerInput = z.output<typeof balancerInput>;

export const balancerOutputs = z.object({
  id: z.string(),
  name: z.string(),
  urn: z.string(),
  ip: z.string(),
  ipv6: z.string(),
  status: z.string(),
  region: z.string(),
  vpc_uuid: z.string(),
  droplet_ids: z.array(z.number()),
  forwarding_rules: z.array(z.unknown()),
  certificates: z.record(z.string(), z.string()),
});
export type BalancerOutputs = z.output<typeof balancerOutputs>;
