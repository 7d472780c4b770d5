import { z } from "@wfctl/plugin-sdk";
import { endpointInput, nativeId, regionInput } from "../ids.ts";
import { tagMap } from "../tags.ts";
import { fargateProblem } from "./fargate.ts";

const portNumber = z.number().int().min(1).max(65_535);
const port = z.strictObject({ port: portNumber, protocol: z.enum(["tcp", "udp"]).default("tcp") });
const variableName = z.string().min(1);
const variables = z.record(variableName, z.union([z.string(), z.number(), z.boolean()]).transform(String));
const secrets = z
  .record(variableName, z.string().min(1))
  .describe("ARN of a Secrets Manager secret or of an SSM parameter, by variable");
const numberText = z.union([z.string().regex(/^\d+$/), z.number().int().positive()]).transform(String);

const healthCheck = z.strictObject({
  command: z.union([z.string().transform((text) => ["CMD-SHELL", text]), z.array(z.string()).min(1)]),
  interval_seconds: z.number().int().min(5).max(300).default(30),
  timeout_seconds: z.number().int().min(2).max(60).default(5),
  retries: z.number().int().min(1).max(10).default(3),
  start_period_seconds: z.number().int().min(0).max(300).default(0),
});

const sidecar = z.strictObject({
  name: z.string().regex(/^[\w-]{1,255}$/),
  image: z.string().min(1),
  command: z.array(z.string()).default([]),
  env_vars: variables.default({}),
  env_vars_secret: secrets.default({}),
  ports: z.array(port).default([]),
  essential: z.boolean().default(true),
});

const volume = z.strictObject({
  name: z.string().regex(/^[\w-]{1,255}$/),
  path: z.string().startsWith("/").describe("Where the container finds it"),
  file_system_id: nativeId("fs-0123").describe("EFS file system"),
  access_point_id: nativeId("fsap-0123").optional(),
  root_directory: z.string().optional(),
  read_only: z.boolean().default(false),
});

const roleArn = z.string().regex(/^arn:[\w-]+:iam::\d{12}:role\/.+$/, { error: "expected the ARN of an IAM role" });

const shape = {
  image: z.string().min(1),
  service_name: z
    .string()
    .regex(/^[\w-]{1,255}$/, { error: "expected at most 255 letters, digits, hyphens and underscores" })
    .optional()
    .describe("Default: the resource's name"),
  region: regionInput,
  endpoint: endpointInput,
  cluster: z
    .string()
    .min(1)
    .optional()
    .describe("Name of the cluster. Default: the provider's ecs_cluster. Made where it is missing"),
  cpu: numberText.default("256").describe("CPU units: 1024 are one CPU"),
  memory: numberText.default("512").describe("MiB"),
  ephemeral_storage_gib: z.number().int().min(21).max(200).optional(),
  cpu_architecture: z.enum(["X86_64", "ARM64"]).default("X86_64"),
  replicas: z.number().int().min(0).optional().describe("Default: 1 at first, then left alone"),
  command: z.array(z.string()).default([]),
  entrypoint: z.array(z.string()).default([]),
  env_vars: variables.default({}),
  env_vars_secret: secrets.default({}),
  ports: z.array(port).default([]),
  health_check: healthCheck.optional().describe("Command that tells whether the container works"),
  sidecars: z.array(sidecar).default([]),
  volumes: z.array(volume).default([]),
  subnet_ids: z
    .array(nativeId("subnet-0123"))
    .min(1)
    .optional()
    .describe("Default: the provider's ecs_subnet_ids, else the default VPC's"),
  security_group_ids: z.array(nativeId("sg-0123")).optional().describe("Default: the VPC's default group"),
  assign_public_ip: z.boolean().default(true).describe("Needed in public subnets, to pull the image"),
  execution_role_arn: roleArn.optional().describe("Default: a role of its own, for image, logs and secrets"),
  task_role_arn: roleArn.optional().describe("What the containers may do"),
  log_group: z
    .string()
    .regex(/^[\w./#-]{1,512}$/)
    .optional()
    .describe("Default: one of its own"),
  log_retention_days: z
    .union(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653].map(
        (days) => z.literal(days),
      ),
    )
    .default(30),
  load_balancers: z
    .array(
      z.strictObject({
        target_group_arn: z.string().startsWith("arn:"),
        container_port: portNumber,
        container: z.string().optional().describe("Default: the service's own"),
      }),
    )
    .default([]),
  health_check_grace_period_seconds: z.number().int().min(0).optional(),
  capacity_providers: z
    .array(
      z.strictObject({
        name: z.string(),
        weight: z.number().int().min(0).max(1000).default(1),
        base: z.number().int().min(0).max(100_000).default(0),
      }),
    )
    .default([])
    .describe("Such as FARGATE_SPOT. Default: Fargate"),
  service_registry_arn: z.string().startsWith("arn:").optional().describe("Cloud Map service that tasks register with"),
  circuit_breaker: z.boolean().default(true).describe("A deployment that cannot succeed fails and is rolled back"),
  minimum_healthy_percent: z.number().int().min(0).max(100).default(100),
  maximum_percent: z.number().int().min(100).max(400).default(200),
  enable_execute_command: z.boolean().default(false),
  wait_for_steady_state: z.boolean().default(true),
  tags: tagMap.default({}),
};

const sizedProblem = (input: { cpu: string; memory: string }): string | undefined =>
  fargateProblem(Number(input.cpu), Number(input.memory));

export const serviceInput = z
  .strictObject({
    ...shape,
    http_port: portNumber.optional().describe("One port, instead of ports"),
    instance_count: z.number().int().min(0).optional().describe("As replicas"),
  })
  .superRefine((input, context) => {
    const problem = sizedProblem(input);
    if (problem !== undefined) context.addIssue({ code: "custom", path: ["memory"], message: problem });
    const names = new Set<string>();
    for (const [index, { name }] of input.sidecars.entries()) {
      if (names.has(name))
        context.addIssue({ code: "custom", path: ["sidecars", index, "name"], message: "is used twice" });
      names.add(name);
    }
    if (input.http_port !== undefined && input.ports.length > 0) {
      context.addIssue({ code: "custom", path: ["http_port"], message: "http_port and ports exclude each other" });
    }
  })
  .transform(({ http_port: httpPort, instance_count: count, ...input }) => ({
    ...input,
    ports: httpPort === undefined ? input.ports : [{ port: httpPort, protocol: "tcp" as const }],
    ...(input.replicas === undefined && count !== undefined ? { replicas: count } : {}),
  }));
export type ServiceInput = z.output<typeof serviceInput>;

export const serviceOutputs = z.object({
  arn: z.string(),
  status: z.string(),
  desired_count: z.number(),
  running_count: z.number(),
  task_definition: z.string().describe("ARN of the current task definition"),
  service_name: z.string(),
  cluster: z.string(),
  cluster_arn: z.string(),
  region: z.string(),
  container_name: z.string(),
  log_group: z.string().optional(),
  execution_role_arn: z.string().optional(),
  subnet_ids: z.array(z.string()),
  security_group_ids: z.array(z.string()),
  tags_all: z.record(z.string(), z.string()),
});
export type ServiceOutputs = z.output<typeof serviceOutputs>;
