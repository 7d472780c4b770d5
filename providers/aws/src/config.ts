import { z } from "@wfctl/plugin-sdk";
import { endpointName } from "./ids.ts";
import { tagMap } from "./tags.ts";

const roleArn = z.string().regex(/^arn:[\w-]+:iam::\d{12}:role\/.+$/, { error: "expected the ARN of an IAM role" });
const accountIds = z.array(z.union([z.string(), z.number().int().transform(String)]));
const sessionName = z.string().regex(/^[\w+=,.@-]{2,64}$/, { error: "expected 2 to 64 letters, digits or +=,.@-_" });
const list = z.union([
  z.array(z.string()),
  z.string().transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  ),
]);

const assumeRole = z.strictObject({
  role_arn: roleArn,
  session_name: sessionName.optional(),
  external_id: z.string().min(2).max(1224).optional(),
  duration_seconds: z.number().int().min(900).max(43_200).optional(),
  policy: z.string().optional().describe("Session policy, as JSON"),
  policy_arns: z.array(z.string()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  transitive_tag_keys: z.array(z.string()).optional(),
  source_identity: z.string().optional(),
});

const webIdentity = z
  .strictObject({
    role_arn: roleArn,
    session_name: sessionName.optional(),
    token: z.string().optional(),
    token_file: z.string().optional(),
    duration_seconds: z.number().int().min(900).max(43_200).optional(),
  })
  .refine((identity) => (identity.token === undefined) !== (identity.token_file === undefined), {
    error: "expected either token or token_file",
  });

/** Upstream's form of the credentials. */
const credentials = z.strictObject({
  type: z.enum(["static", "env", "profile", "role_arn", "mock"]).optional(),
  accessKey: z.string().optional(),
  secretKey: z.string().optional(),
  sessionToken: z.string().optional(),
  profile: z.string().optional(),
  roleArn: roleArn.optional(),
  externalId: z.string().min(2).max(1224).optional(),
  sessionName: sessionName.optional(),
});

/** Configuration of the `iac.provider` module. */
export const awsConfig = z
  .strictObject({
    region: z.string().min(1).optional().describe("Default: AWS_REGION, the profile's region, then us-east-1"),
    access_key_id: z.string().optional(),
    secret_access_key: z.string().optional(),
    session_token: z.string().optional(),
    profile: z.string().optional().describe("Profile of the shared configuration files"),
    shared_config_file: z.string().optional(),
    shared_credentials_file: z.string().optional(),
    assume_role: z
      .union([assumeRole, z.array(assumeRole).min(1)])
      .optional()
      .describe("Role to assume with the credentials found; a list is a chain. Renewed before it expires"),
    assume_role_with_web_identity: webIdentity.optional(),
    credentials: credentials.optional().describe("Upstream's form of the keys above"),
    endpoint: z.url().optional().describe("Address of all services, for emulators and private endpoints"),
    endpoints: z.record(z.string(), z.url()).optional().describe("Address by service, such as s3 or ec2"),
    resource_endpoints: z
      .record(endpointName, z.union([z.url(), z.record(z.string(), z.url())]))
      .default({})
      .describe(
        "Further addresses by name, of all services or by service: a resource's endpoint is one of these names",
      ),
    s3_use_path_style: z.boolean().optional().describe("Default: true where an endpoint is set"),
    use_fips_endpoint: z.boolean().default(false),
    use_dualstack_endpoint: z.boolean().default(false),
    allowed_account_ids: accountIds.optional().describe("Refuse to work in any other account"),
    forbidden_account_ids: accountIds.optional(),
    default_tags: tagMap.default({}).describe("Tags of everything that is created; a resource's own tags win"),
    limit_rates: z.boolean().default(true).describe("Keep calls within the rates that AWS grants by default"),
    ecs_cluster: z.string().default("default").describe("Cluster of container services that name none, and of jobs"),
    ecs_subnet_ids: list.optional().describe("Subnets of jobs; with them jobs run on Fargate"),
    ecs_security_group_ids: list.optional().describe("Security groups of jobs"),
    ecs_task_execution_role_arn: roleArn.optional().describe("Execution role of jobs"),
    ecs_runner_log_group: z.string().default("/workflow/provider-ephemeral").describe("Log group of jobs"),
    mode: z.string().optional(),
    mock: z.boolean().optional(),
  })
  .refine((config) => config.mode !== "mock" && config.mock !== true && config.credentials?.type !== "mock", {
    error: 'mock mode is not offered: provider "local" runs the same resources on this machine',
  })
  .refine((config) => (config.access_key_id === undefined) === (config.secret_access_key === undefined), {
    error: "access_key_id and secret_access_key belong together",
  })
  .refine((config) => config.credentials?.type !== "role_arn" || config.credentials.roleArn !== undefined, {
    error: 'credentials of type "role_arn" need roleArn',
    path: ["credentials", "roleArn"],
  });

export type AwsConfig = z.output<typeof awsConfig>;
export type AssumeRole = z.output<typeof assumeRole>;
