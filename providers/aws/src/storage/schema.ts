import { z } from "@wfctl/plugin-sdk";
import { endpointInput, regionInput } from "../ids.ts";
import { policyDocument } from "../policy.ts";
import { tagMap } from "../tags.ts";

export const bucketName = z
  .string()
  .regex(/^(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9]|[.-](?=[a-z0-9])){1,61}[a-z0-9]$/, {
    error: "expected 3 to 63 lower-case letters, digits, hyphens and single dots",
  });

const encryptionObject = z.strictObject({
  algorithm: z.enum(["AES256", "aws:kms", "aws:kms:dsse"]).default("AES256"),
  kms_key_id: z.string().optional(),
  bucket_key_enabled: z.boolean().default(false),
});

const publicAccessObject = z.strictObject({
  block_public_acls: z.boolean().default(true),
  ignore_public_acls: z.boolean().default(true),
  block_public_policy: z.boolean().default(true),
  restrict_public_buckets: z.boolean().default(true),
});

const days = z.number().int().min(1);
const storageClass = z.enum([
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "GLACIER_IR",
  "DEEP_ARCHIVE",
]);

const lifecycleRule = z.strictObject({
  id: z.string().min(1).max(255),
  enabled: z.boolean().default(true),
  prefix: z.string().default(""),
  tags: z.record(z.string(), z.string()).optional(),
  object_size_greater_than: z.number().int().min(0).optional(),
  object_size_less_than: z.number().int().min(1).optional(),
  expiration_days: days.optional(),
  expired_object_delete_marker: z.boolean().optional(),
  noncurrent_expiration_days: days.optional(),
  newer_noncurrent_versions: z.number().int().min(1).max(100).optional(),
  abort_incomplete_upload_days: days.optional(),
  transitions: z.array(z.strictObject({ days: z.number().int().min(0), storage_class: storageClass })).optional(),
  noncurrent_transitions: z.array(z.strictObject({ days, storage_class: storageClass })).optional(),
});
export type LifecycleRule = z.output<typeof lifecycleRule>;

const corsRule = z.strictObject({
  id: z.string().optional(),
  allowed_methods: z.array(z.enum(["GET", "PUT", "POST", "DELETE", "HEAD"])).min(1),
  allowed_origins: z.array(z.string()).min(1),
  allowed_headers: z.array(z.string()).optional(),
  expose_headers: z.array(z.string()).optional(),
  max_age_seconds: z.number().int().min(0).optional(),
});

const website = z.strictObject({
  index_document: z.string().optional(),
  error_document: z.string().optional(),
  redirect_all_requests_to: z
    .strictObject({ host_name: z.string(), protocol: z.enum(["http", "https"]).optional() })
    .optional(),
});

export const storageInput = z
  .strictObject({
    bucket: bucketName.optional().describe("Default: the resource's name"),
    region: regionInput,
    endpoint: endpointInput,
    versioning: z.boolean().default(false),
    encryption: z
      .union([z.boolean(), encryptionObject])
      .default(true)
      .transform((value) => (typeof value === "boolean" ? encryptionObject.parse({}) : value))
      .describe("Of new objects. S3 encrypts always: true and false both mean its own keys (AES256)"),
    public_access_block: z
      .union([z.boolean(), publicAccessObject])
      .default(true)
      .transform((value) => (typeof value === "boolean" ? allPublicAccess(value) : value))
      .describe("What of public access is blocked; true: all"),
    object_ownership: z
      .enum(["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"])
      .default("BucketOwnerEnforced"),
    object_lock_enabled: z.boolean().default(false),
    object_lock_retention: z
      .strictObject({
        mode: z.enum(["GOVERNANCE", "COMPLIANCE"]),
        days: days.optional(),
        years: z.number().int().min(1).optional(),
      })
      .refine((lock) => (lock.days === undefined) !== (lock.years === undefined), { error: "expected days or years" })
      .optional(),
    policy: policyDocument.optional(),
    lifecycle_rules: z.array(lifecycleRule).optional(),
    cors_rules: z.array(corsRule).optional(),
    website: website.optional(),
    logging: z.strictObject({ bucket: bucketName, prefix: z.string().default("") }).optional(),
    force_destroy: z.boolean().default(false).describe("Delete the objects with the bucket"),
    tags: tagMap.default({}),
  })
  .refine((input) => !input.object_lock_enabled || input.versioning, {
    error: "object lock needs versioning: true",
    path: ["versioning"],
  })
  .refine((input) => input.object_lock_retention === undefined || input.object_lock_enabled, {
    error: "retention needs object_lock_enabled: true",
    path: ["object_lock_retention"],
  })
  .refine((input) => input.encryption.kms_key_id === undefined || input.encryption.algorithm !== "AES256", {
    error: 'a key needs algorithm "aws:kms" or "aws:kms:dsse"',
    path: ["encryption", "kms_key_id"],
  });
export type StorageInput = z.output<typeof storageInput>;

function allPublicAccess(blocked: boolean): z.output<typeof publicAccessObject> {
  return {
    block_public_acls: blocked,
    ignore_public_acls: blocked,
    block_public_policy: blocked,
    restrict_public_buckets: blocked,
  };
}

export const storageOutputs = z.object({
  bucket_name: z.string(),
  region: z.string(),
  endpoint: z.string().describe("URL of the bucket, as virtual host"),
  arn: z.string(),
  domain_name: z.string(),
  website_endpoint: z.string().optional(),
  tags_all: z.record(z.string(), z.string()),
});
export type StorageOutputs = z.output<typeof storageOutputs>;
