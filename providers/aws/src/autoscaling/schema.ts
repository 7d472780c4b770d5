import { z } from "@wfctl/plugin-sdk";
import { endpointInput, parseArn, regionInput } from "../ids.ts";
import { tagMap } from "../tags.ts";

export const namespaces = [
  "ecs",
  "appstream",
  "cassandra",
  "comprehend",
  "custom-resource",
  "dynamodb",
  "ec2",
  "elasticache",
  "elasticmapreduce",
  "kafka",
  "lambda",
  "neptune",
  "rds",
  "sagemaker",
  "workspaces",
] as const;

const capacity = z.number().int().min(0);
const cooldown = z.number().int().min(0).default(300).describe("In seconds");
const policyName = z.string().regex(/^[^\0|:/]{1,256}$/, { error: "expected a name without |, : and /" });

const customizedMetric = z.strictObject({
  metric_name: z.string().min(1).max(100),
  namespace: z.string().min(1),
  statistic: z.enum(["Average", "Minimum", "Maximum", "SampleCount", "Sum"]).default("Average"),
  unit: z.string().optional(),
  dimensions: z.record(z.string(), z.string()).default({}),
});

const tracking = z
  .strictObject({
    policy_name: policyName,
    policy_type: z.literal("TargetTrackingScaling"),
    target_value: z.number().positive(),
    predefined_metric_type: z.string().min(1).optional().describe("Such as ECSServiceAverageCPUUtilization"),
    resource_label: z.string().optional().describe("Of ALBRequestCountPerTarget: load balancer and target group"),
    customized_metric: customizedMetric.optional(),
    scale_in_cooldown: cooldown,
    scale_out_cooldown: cooldown,
    disable_scale_in: z.boolean().default(false),
  })
  .refine((policy) => (policy.predefined_metric_type === undefined) !== (policy.customized_metric === undefined), {
    error: "expected either predefined_metric_type or customized_metric",
  });

const stepping = z
  .strictObject({
    policy_name: policyName,
    policy_type: z.literal("StepScaling"),
    adjustment_type: z.enum(["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"]),
    step_adjustments: z
      .array(
        z.strictObject({
          metric_interval_lower_bound: z.number().optional().describe("Above the alarm's threshold"),
          metric_interval_upper_bound: z.number().optional(),
          scaling_adjustment: z.number().int().default(0),
        }),
      )
      .min(1)
      .max(20),
    cooldown,
    min_adjustment_magnitude: z.number().int().min(1).optional(),
    metric_aggregation_type: z.enum(["Average", "Minimum", "Maximum"]).default("Average"),
  })
  .refine(
    (policy) => policy.min_adjustment_magnitude === undefined || policy.adjustment_type === "PercentChangeInCapacity",
    { error: 'min_adjustment_magnitude needs adjustment_type "PercentChangeInCapacity"' },
  );

const policy = z.discriminatedUnion("policy_type", [tracking, stepping]);
export type Policy = z.output<typeof policy>;

const instant = z.iso
  .datetime({ offset: true })
  .overwrite((text) => new Date(Math.floor(Date.parse(text) / 1000) * 1000).toISOString());

const scheduledAction = z
  .strictObject({
    name: z.string().min(1).max(256),
    schedule: z.string().regex(/^(?:cron|rate|at)\(.+\)$/, { error: "expected cron(…), rate(…) or at(…)" }),
    timezone: z.string().default("UTC").describe("Such as Europe/Berlin"),
    start_time: instant.optional(),
    end_time: instant.optional(),
    min_capacity: capacity.optional(),
    max_capacity: capacity.optional(),
  })
  .refine((action) => action.min_capacity !== undefined || action.max_capacity !== undefined, {
    error: "expected min_capacity, max_capacity or both",
  });
export type ScheduledAction = z.output<typeof scheduledAction>;

/** An ARN of an ECS service is understood as well. */
const resourceId = z
  .string()
  .min(1)
  .max(1600)
  .overwrite((text) => {
    const arn = parseArn(text);
    return arn?.service === "ecs" && arn.resource.startsWith("service/") ? arn.resource : text;
  })
  .optional()
  .describe(
    "Such as service/cluster/name, or the ARN of an ECS service. Default for ECS: the service of the resource's name in the provider's cluster",
  );

export const targetInput = z
  .strictObject({
    service_namespace: z.enum(namespaces).default("ecs"),
    resource_id: resourceId,
    scalable_dimension: z
      .string()
      .regex(/^[\w-]+:[\w-]+:[\w]+$/, { error: 'expected a dimension such as "ecs:service:DesiredCount"' })
      .optional()
      .describe("Default for ECS: ecs:service:DesiredCount"),
    region: regionInput,
    endpoint: endpointInput,
    min_capacity: capacity,
    max_capacity: capacity,
    role_arn: z.string().startsWith("arn:").optional().describe("Default: the service-linked role"),
    policies: z.array(policy).default([]).describe("Scaling policies of the target, and no others"),
    scheduled_actions: z.array(scheduledAction).default([]).describe("Of the target, and no others"),
    suspended: z
      .strictObject({
        scale_in: z.boolean().default(false),
        scale_out: z.boolean().default(false),
        scheduled: z.boolean().default(false),
      })
      .prefault({})
      .describe("Kinds of scaling that are switched off"),
    tags: tagMap.default({}),
  })
  .superRefine((input, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    if (input.min_capacity > input.max_capacity) {
      complain("max_capacity", `min_capacity ${input.min_capacity} is above max_capacity ${input.max_capacity}`);
    }
    const { service_namespace: namespace, scalable_dimension: dimension } = input;
    if (dimension === undefined && namespace !== "ecs") {
      complain("scalable_dimension", `set scalable_dimension for service_namespace "${namespace}"`);
    }
    if (input.resource_id === undefined && namespace !== "ecs") {
      complain("resource_id", `set resource_id for service_namespace "${namespace}"`);
    }
    if (dimension !== undefined && !dimension.startsWith(`${namespace}:`)) {
      complain("scalable_dimension", `expected a dimension of "${namespace}"`);
    }
    for (const [key, names] of [
      ["policies", input.policies.map(({ policy_name: name }) => name)],
      ["scheduled_actions", input.scheduled_actions.map(({ name }) => name)],
    ] as const) {
      if (new Set(names).size < names.length) complain(key, "two have one name");
    }
  })
  .transform((input) => ({ ...input, scalable_dimension: input.scalable_dimension ?? "ecs:service:DesiredCount" }));
export type TargetInput = z.output<typeof targetInput>;

export const targetOutputs = z.object({
  arn: z.string(),
  service_namespace: z.string(),
  resource_id: z.string(),
  scalable_dimension: z.string(),
  region: z.string(),
  min_capacity: z.number(),
  max_capacity: z.number(),
  role_arn: z.string().optional(),
  policy_names: z.array(z.string()),
  policy_arns: z.record(z.string(), z.string()).describe("By name: what alarms of step policies call"),
  policy_fingerprint: z.string().describe("Changes with the policies"),
  tags_all: z.record(z.string(), z.string()).optional(),
});
export type TargetOutputs = z.output<typeof targetOutputs>;
