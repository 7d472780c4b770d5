import { z } from "@wfctl/plugin-sdk";
import { renameKeys } from "../aliases.ts";
import { region } from "../regions.ts";
import { dropletSizes, sizeOf } from "../sizing.ts";
import { tagList } from "../tags.ts";

const backupPolicy = z.strictObject({
  plan: z.enum(["daily", "weekly"]),
  weekday: z.enum(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]).optional(),
  hour: z.union([z.literal(0), z.literal(4), z.literal(8), z.literal(12), z.literal(16), z.literal(20)]).optional(),
});

export const dropletInput = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-zA-Z0-9]?[a-z0-9A-Z.-]*[a-z0-9A-Z]$/)
      .max(255)
      .optional()
      .describe("Default: the resource's name"),
    size: sizeOf(dropletSizes).default("s-1vcpu-2gb"),
    image: z.union([z.string().min(1), z.number().int().transform(String)]).default("ubuntu-24-04-x64"),
    region,
    user_data: z.string().max(65_536).optional().describe("For cloud-init; cannot be read back"),
    vpc_uuid: z.string().optional().describe("Default: the region's default VPC"),
    vpc_ref: z.string().optional().describe("Alias of vpc_uuid"),
    tags: tagList,
    enable_backups: z.boolean().default(false),
    backups: z.boolean().optional().describe("Alias of enable_backups"),
    backup_policy: backupPolicy.optional(),
    monitoring: z.boolean().default(false),
    ipv6: z.boolean().default(false).describe("Cannot be switched off without a new droplet"),
    public_networking: z.boolean().default(true),
    droplet_agent: z.boolean().optional(),
    ssh_keys: z
      .array(z.union([z.string(), z.number().int().transform(String)]))
      .optional()
      .describe("Names, fingerprints or ids; cannot be read back"),
    volumes: z.array(z.string()).default([]).describe("Names or ids of block volumes of the same region"),
    resize_disk: z.boolean().default(true).describe("Grow the disk with the size; it cannot shrink again"),
  })
  .transform((value) => ({ ...value, enable_backups: value.backups ?? value.enable_backups }))
  .transform(renameKeys({ vpc_ref: "vpc_uuid", backups: "enable_backups" }));
export type DropletInput = z.output<typeof dropletInput>;

export const dropletOutputs = z.object({
  id: z.string(),
  name: z.string(),
  urn: z.string(),
  public_ip: z.string(),
  private_ip: z.string(),
  ipv6_address: z.string(),
  size: z.string(),
  image: z.string(),
  region: z.string(),
  status: z.string(),
  vpc_uuid: z.string(),
  memory: z.number(),
  vcpus: z.number(),
  disk: z.number(),
  enable_backups: z.boolean(),
  monitoring: z.boolean(),
  ipv6: z.boolean(),
  tags: z.array(z.string()),
  volumes: z.array(z.string()),
  volume_ids: z.array(z.string()),
  volumes_resolution: z.record(z.string(), z.string()),
  created_at: z.string(),
});
export type DropletOutputs = z.output<typeof dropletOutputs>;
