import { z } from "@wfctl/plugin-sdk";
import { renameKeys } from "../aliases.ts";
import { region } from "../regions.ts";

const bucketName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/, { error: "expected 3 to 63 small letters, digits or hyphens" });
const days = z.coerce.number().int().min(1);

const corsRule = z.strictObject({
  allowed_methods: z.array(z.enum(["GET", "PUT", "POST", "DELETE", "HEAD"])).min(1),
  allowed_origins: z.array(z.string()).min(1),
  allowed_headers: z.array(z.string()).default([]),
  max_age_seconds: z.coerce.number().int().min(0).default(0),
});
export type CorsRule = z.output<typeof corsRule>;

const lifecycleRule = z
  .strictObject({
    id: z.string().min(1),
    enabled: z.boolean().default(true),
    prefix: z.string().default(""),
    expiration_days: days.optional(),
    noncurrent_version_expiration_days: days.optional(),
    abort_incomplete_multipart_upload_days: days.optional(),
  })
  .refine(
    (rule) =>
      rule.expiration_days !== undefined ||
      rule.noncurrent_version_expiration_days !== undefined ||
      rule.abort_incomplete_multipart_upload_days !== undefined,
    { error: "expected a number of days after which something happens" },
  );
export type LifecycleRule = z.output<typeof lifecycleRule>;

export const storageInput = z
  .strictObject({
    name: bucketName.optional().describe("Default: the resource's name"),
    bucket: bucketName.optional().describe("Alias of name"),
    region,
    acl: z.enum(["private", "public-read"]).optional().describe("Default: private"),
    public: z.boolean().optional().describe("Short for acl: public-read (true) or private (false)"),
    versioning: z.boolean().optional().describe("Once on, it can be suspended and not removed"),
    cors_rules: z.array(corsRule).default([]),
    lifecycle_rules: z.array(lifecycleRule).default([]),
    policy: z
      .union([z.string(), z.record(z.string(), z.unknown()).transform((value) => JSON.stringify(value))])
      .optional()
      .describe("Bucket policy, as JSON"),
    force_destroy: z
      .boolean()
      .default(false)
      .describe("Delete the bucket with everything in it; kept as an object in the bucket"),
    cdn: z
      .strictObject({
        ttl: z
          .union([z.literal(60), z.literal(600), z.literal(3600), z.literal(86_400), z.literal(604_800)])
          .default(3600),
        custom_domain: z.string().optional(),
        certificate_id: z.string().optional(),
      })
      .optional()
      .describe("A CDN endpoint in front of the bucket"),
  })
  .transform(({ public: isPublic, ...value }) => ({
    ...value,
    acl: value.acl ?? (isPublic === undefined ? undefined : isPublic ? ("public-read" as const) : ("private" as const)),
  }))
  .transform(renameKeys({ bucket: "name" }));
export type StorageInput = z.output<typeof storageInput>;

export const storageOutputs = z.object({
  id: z.string(),
  name: z.string(),
  region: z.string(),
  endpoint: z.string(),
  bucket_domain_name: z.string(),
  urn: z.string(),
  cdn_endpoint: z.string(),
});
export type StorageOutputs = z.output<typeof storageOutputs>;
