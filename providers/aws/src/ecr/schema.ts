import { canonicalJson, isJsonObject, z, type Json, type JsonObject } from "@wfctl/plugin-sdk";
import { endpointInput, regionInput } from "../ids.ts";
import { policyDocument } from "../policy.ts";
import { tagMap } from "../tags.ts";

/** A lifecycle policy, as an object or as JSON text. Kept as text in one form, so that equal policies are equal. */
const lifecyclePolicy = z
  .union([z.string(), z.record(z.string(), z.unknown())])
  .transform((value, context) => {
    const text = normalLifecycle(value as string | JsonObject);
    if (text !== undefined) return text;
    context.addIssue({ code: "custom", message: "expected a lifecycle policy with rules, as JSON" });
    return z.NEVER;
  })
  .describe("Which images expire: an object, or JSON text");

/** The one form of a lifecycle policy; undefined where it is none. */
export function normalLifecycle(value: string | JsonObject): string | undefined {
  try {
    const policy = typeof value === "string" ? (JSON.parse(value) as Json) : value;
    return isJsonObject(policy) && Array.isArray(policy["rules"]) ? canonicalJson(policy) : undefined;
  } catch {
    return undefined;
  }
}

/** Parts of a repository that are left alone while the configuration does not name them. */
export const optionalRegistryKeys = ["lifecycle_policy", "repository_policy"] as const;

export const registryInput = z
  .strictObject({
    repository_name: z
      .string()
      .min(2)
      .max(256)
      .regex(/^(?:[\da-z]+(?:[._-][\da-z]+)*\/)*[\da-z]+(?:[._-][\da-z]+)*$/, {
        error: 'expected lower-case letters, digits, ".", "_", "-" and "/"',
      })
      .optional()
      .describe("Default: the resource's name"),
    region: regionInput,
    endpoint: endpointInput,
    immutable_tags: z.boolean().default(false).describe("A tag stays on the image that it was given to"),
    scan_on_push: z.boolean().default(false),
    encryption: z.enum(["AES256", "KMS", "KMS_DSSE"]).default("AES256"),
    kms_key_arn: z.string().startsWith("arn:").optional().describe("Default with KMS: AWS's own key"),
    lifecycle_policy: lifecyclePolicy.optional(),
    repository_policy: policyDocument.optional(),
    force_delete: z.boolean().default(false).describe("Delete the images with the repository"),
    tags: tagMap.default({}),
  })
  .refine((input) => input.kms_key_arn === undefined || input.encryption !== "AES256", {
    error: 'kms_key_arn needs encryption "KMS" or "KMS_DSSE"',
    path: ["kms_key_arn"],
  });
export type RegistryInput = z.output<typeof registryInput>;

export const registryOutputs = z.object({
  arn: z.string(),
  repository_name: z.string(),
  uri: z.string(),
  endpoint: z.string().describe("As uri"),
  registry_id: z.string(),
  kms_key_arn: z.string().optional(),
  region: z.string(),
  tags_all: z.record(z.string(), z.string()),
});
export type RegistryOutputs = z.output<typeof registryOutputs>;
