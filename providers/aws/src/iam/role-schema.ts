import { z } from "@wfctl/plugin-sdk";
import { endpointInput } from "../ids.ts";
import { policyDocument } from "../policy.ts";
import { tagMap } from "../tags.ts";

const lambdaTrust = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
};

const policyArn = z
  .string()
  .regex(/^arn:[\w-]+:iam::(?:aws|\d{12}):policy\/.+$/, { error: "expected the ARN of a managed policy" });

export const roleInput = z.strictObject({
  role_name: z
    .string()
    .regex(/^[\w+=,.@-]{1,64}$/, { error: "expected at most 64 letters, digits or +=,.@-_" })
    .optional()
    .describe("Default: the resource's name"),
  assume_role_policy: policyDocument
    .default(() => policyDocument.parse(lambdaTrust))
    .describe("Who may assume the role. Default: Lambda functions"),
  description: z.string().max(1000).default(""),
  path: z
    .string()
    .regex(/^\/(?:[\u0021-\u007f]+\/)?$/, { error: 'expected a path that begins and ends with "/"' })
    .default("/"),
  policy_arns: z.array(policyArn).optional().describe("Managed policies that are attached, and no others"),
  inline_policies: z
    .record(z.string().regex(/^[\w+=,.@-]{1,128}$/), policyDocument)
    .optional()
    .describe("Policies of the role itself by name, and no others"),
  permissions_boundary: policyArn.optional(),
  max_session_duration: z.number().int().min(3600).max(43_200).default(3600).describe("In seconds"),
  endpoint: endpointInput,
  instance_profile: z.boolean().default(false).describe("Make an instance profile of the role's name for EC2"),
  tags: tagMap.default({}),
});
export type RoleInput = z.output<typeof roleInput>;

export const roleOutputs = z.object({
  arn: z.string(),
  role_id: z.string(),
  role_name: z.string(),
  description: z.string(),
  policy_arns: z.array(z.string()),
  instance_profile_arn: z.string().optional(),
  tags_all: z.record(z.string(), z.string()),
});
export type RoleOutputs = z.output<typeof roleOutputs>;

/** Parts of a role that are left alone while the configuration does not name them. */
export const optionalRoleKeys = ["policy_arns", "inline_policies", "permissions_boundary"] as const;
