import { z } from "@wfctl/plugin-sdk";
import { endpointInput, nativeId, regionInput } from "../ids.ts";
import { tagMap } from "../tags.ts";

const roleArn = z.string().regex(/^arn:[\w-]+:iam::\d{12}:role\/.+$/, { error: "expected the ARN of an IAM role" });
const count = z.number().int().min(0).max(1000);
const cidr = z.string().regex(/^\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}$/, { error: 'expected a range such as "10.0.0.0/8"' });

export const logTypes = ["api", "audit", "authenticator", "controllerManager", "scheduler"] as const;

const nodeGroup = z
  .strictObject({
    name: z
      .string()
      .regex(/^[0-9A-Za-z][\w-]{0,53}$/, { error: "expected at most 54 letters, digits, hyphens and underscores" }),
    instance_types: z
      .array(z.string().regex(/^[\w-]+\.[\w-]+$/))
      .min(1)
      .max(20)
      .default(["t3.medium"]),
    capacity_type: z.enum(["ON_DEMAND", "SPOT"]).default("ON_DEMAND"),
    ami_type: z
      .enum([
        "AL2023_x86_64_STANDARD",
        "AL2023_ARM_64_STANDARD",
        "AL2023_x86_64_NVIDIA",
        "AL2023_x86_64_NEURON",
        "AL2023_ARM_64_NVIDIA",
        "BOTTLEROCKET_x86_64",
        "BOTTLEROCKET_ARM_64",
        "BOTTLEROCKET_x86_64_NVIDIA",
        "BOTTLEROCKET_ARM_64_NVIDIA",
        "AL2_x86_64",
        "AL2_x86_64_GPU",
        "AL2_ARM_64",
      ])
      .default("AL2023_x86_64_STANDARD"),
    disk_size_gib: z.number().int().min(1).max(16_384).default(20),
    min_size: count.default(1),
    max_size: count.min(1).default(3),
    desired_size: count.optional().describe("Default: min_size at first, then left to an autoscaler"),
    max_unavailable: z.number().int().min(1).max(100).default(1).describe("Nodes replaced at a time"),
    labels: z.record(z.string().min(1).max(63), z.string().max(63)).default({}),
    taints: z
      .array(
        z.strictObject({
          key: z.string().min(1).max(63),
          value: z.string().max(63).default(""),
          effect: z.enum(["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"]),
        }),
      )
      .default([]),
    subnet_ids: z.array(nativeId("subnet-0123")).min(1).optional().describe("Default: the cluster's"),
    role_arn: roleArn.optional().describe("Default: a role of the cluster's own for all its nodes"),
  })
  .superRefine((group, context) => {
    const { min_size: low, max_size: high, desired_size: wanted = low } = group;
    if (low <= wanted && wanted <= high) return;
    const message = `expected min_size ${low} <= desired_size ${wanted} <= max_size ${high}`;
    context.addIssue({ code: "custom", path: ["desired_size"], message });
  });
export type NodeGroup = z.output<typeof nodeGroup>;

export const clusterInput = z
  .strictObject({
    cluster_name: z
      .string()
      .regex(/^[0-9A-Za-z][\w-]{0,99}$/, { error: "expected at most 100 letters, digits, hyphens and underscores" })
      .optional()
      .describe("Default: the resource's name"),
    region: regionInput,
    endpoint: endpointInput,
    version: z
      .union([z.string(), z.number().transform(String)])
      .pipe(z.string().regex(/^1\.\d\d$/, { error: 'expected a version such as "1.33", in quotes' }))
      .optional()
      .describe("Of Kubernetes. Default: the newest that EKS offers, then left alone. Only upwards"),
    role_arn: roleArn.optional().describe("Role of the control plane. Default: one of the cluster's own"),
    subnet_ids: z.array(nativeId("subnet-0123")).min(2).describe("In two availability zones at least"),
    security_group_ids: z.array(nativeId("sg-0123")).max(5).default([]),
    endpoint_public_access: z.boolean().default(true),
    endpoint_private_access: z.boolean().default(false),
    public_access_cidrs: z.array(cidr).min(1).default(["0.0.0.0/0"]),
    enabled_log_types: z.array(z.enum(logTypes)).default([]),
    authentication_mode: z
      .enum(["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"])
      .default("API_AND_CONFIG_MAP")
      .describe("Only towards API"),
    encryption_key_arn: z.string().startsWith("arn:").optional().describe("KMS key for Kubernetes secrets"),
    service_ipv4_cidr: cidr.optional().describe("Addresses of Kubernetes services. Default: chosen by EKS"),
    ip_family: z.enum(["ipv4", "ipv6"]).default("ipv4"),
    node_groups: z.array(nodeGroup).default([]),
    instance_type: z.string().optional().describe("Of one node group, instead of node_groups"),
    node_count: count.min(1).optional().describe("Nodes of one node group, instead of node_groups"),
    tags: tagMap.default({}),
  })
  .superRefine((input, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    if (!input.endpoint_public_access && !input.endpoint_private_access) {
      complain("endpoint_private_access", "endpoint_public_access and endpoint_private_access are both off");
    }
    const names = input.node_groups.map(({ name }) => name);
    if (new Set(names).size < names.length) complain("node_groups", "two node groups have one name");
    const hasShort = input.instance_type !== undefined || input.node_count !== undefined;
    if (hasShort && names.length > 0) {
      complain("node_groups", "node_groups excludes instance_type and node_count");
    }
  })
  .transform(({ instance_type: type, node_count: nodes, ...input }) => {
    if (type === undefined && nodes === undefined) return input;
    const size = nodes ?? 1;
    const only = nodeGroup.parse({
      name: "default",
      ...(type === undefined ? {} : { instance_types: [type] }),
      min_size: size,
      max_size: size,
      desired_size: size,
    });
    return { ...input, node_groups: [only] };
  });
export type ClusterInput = z.output<typeof clusterInput>;

export const clusterOutputs = z.object({
  arn: z.string(),
  cluster_name: z.string(),
  region: z.string(),
  status: z.string(),
  version: z.string(),
  platform_version: z.string().optional(),
  endpoint: z.string().optional(),
  certificate_authority_data: z.string().optional().describe("In Base64"),
  oidc_issuer: z.string().optional().describe("For IAM roles of service accounts"),
  kubeconfig: z.string().optional().describe("For kubectl; it gets its token from the aws command"),
  role_arn: z.string(),
  vpc_id: z.string().optional(),
  subnet_ids: z.array(z.string()),
  security_group_ids: z.array(z.string()),
  cluster_security_group_id: z.string().optional().describe("That EKS made for control plane and nodes"),
  service_ipv4_cidr: z.string().optional(),
  node_groups: z.array(
    z.object({
      name: z.string(),
      nodegroup_name: z.string(),
      arn: z.string(),
      status: z.string(),
      desired_size: z.number(),
      version: z.string(),
      role_arn: z.string(),
    }),
  ),
  tags_all: z.record(z.string(), z.string()),
});
export type ClusterOutputs = z.output<typeof clusterOutputs>;
