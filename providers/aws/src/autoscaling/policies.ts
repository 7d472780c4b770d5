import type {
  PutScalingPolicyCommandInput,
  ScalableDimension,
  ScalingPolicy,
  ServiceNamespace,
} from "@aws-sdk/client-application-auto-scaling";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { defined, isSame } from "../json.ts";
import { collect } from "../paging.ts";
import { retryWhile } from "../waiting.ts";
import type { Policy } from "./schema.ts";

/** What Application Auto Scaling knows a target by. */
export interface TargetKey {
  readonly ServiceNamespace: ServiceNamespace;
  readonly ResourceId: string;
  readonly ScalableDimension: ScalableDimension;
}

/** Another call about the same target is under way. */
export const busy = ["ConcurrentUpdateException"];

export async function listPolicies({ autoscaling }: Aws, key: TargetKey): Promise<ScalingPolicy[]> {
  return collect(async (token) => {
    const page = await autoscaling.describeScalingPolicies({
      ...key,
      ...(token === undefined ? {} : { NextToken: token }),
    });
    return [page.ScalingPolicies, page.NextToken] as const;
  });
}

/** Exactly these policies. */
export async function syncPolicies(cloud: Aws, key: TargetKey, wanted: readonly Policy[]): Promise<void> {
  const { autoscaling, context } = cloud;
  const live = await listPolicies(cloud, key);
  const named = ({ PolicyName: name }: ScalingPolicy): Policy | undefined =>
    wanted.find((policy) => policy.policy_name === name);
  for (const policy of live) {
    // A policy does not change its type.
    if (named(policy)?.policy_type === policy.PolicyType) continue;
    const request = { ...key, PolicyName: policy.PolicyName ?? "" };
    await retryWhile(context, busy, `policy ${policy.PolicyName} to be free`, () =>
      orAbsent(autoscaling.deleteScalingPolicy(request)),
    );
  }
  for (const policy of wanted) {
    const now = live.find((each) => each.PolicyName === policy.policy_name && each.PolicyType === policy.policy_type);
    if (now !== undefined && isSame(toPolicy(now), policy)) continue;
    await retryWhile(context, busy, `policy ${policy.policy_name} to be free`, () =>
      autoscaling.putScalingPolicy({ ...key, ...toSdk(policy) }),
    );
  }
}

function toSdk(policy: Policy): Omit<PutScalingPolicyCommandInput, keyof TargetKey> {
  const base = { PolicyName: policy.policy_name, PolicyType: policy.policy_type };
  if (policy.policy_type === "StepScaling") {
    const configuration = defined({
      AdjustmentType: policy.adjustment_type,
      StepAdjustments: policy.step_adjustments.map((step) =>
        defined({
          MetricIntervalLowerBound: step.metric_interval_lower_bound,
          MetricIntervalUpperBound: step.metric_interval_upper_bound,
          ScalingAdjustment: step.scaling_adjustment,
        }),
      ),
      Cooldown: policy.cooldown,
      MinAdjustmentMagnitude: policy.min_adjustment_magnitude,
      MetricAggregationType: policy.metric_aggregation_type,
    });
    return { ...base, StepScalingPolicyConfiguration: configuration };
  }
  const { customized_metric: metric, predefined_metric_type: type } = policy;
  const configuration = {
    TargetValue: policy.target_value,
    ScaleInCooldown: policy.scale_in_cooldown,
    ScaleOutCooldown: policy.scale_out_cooldown,
    DisableScaleIn: policy.disable_scale_in,
    ...(type === undefined
      ? {}
      : {
          PredefinedMetricSpecification: defined({
            PredefinedMetricType: type as "ECSServiceAverageCPUUtilization",
            ResourceLabel: policy.resource_label,
          }),
        }),
    ...(metric === undefined
      ? {}
      : {
          CustomizedMetricSpecification: defined({
            MetricName: metric.metric_name,
            Namespace: metric.namespace,
            Statistic: metric.statistic,
            Unit: metric.unit,
            Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
          }),
        }),
  };
  return { ...base, TargetTrackingScalingPolicyConfiguration: configuration };
}

/** A policy as the configuration would say it. */
export function toPolicy(live: ScalingPolicy): Policy {
  const { PolicyName: name = "", StepScalingPolicyConfiguration: step } = live;
  if (live.PolicyType === "StepScaling") {
    return defined({
      policy_name: name,
      policy_type: "StepScaling",
      adjustment_type: step?.AdjustmentType ?? "ChangeInCapacity",
      step_adjustments: (step?.StepAdjustments ?? []).map((each) =>
        defined({
          metric_interval_lower_bound: each.MetricIntervalLowerBound,
          metric_interval_upper_bound: each.MetricIntervalUpperBound,
          scaling_adjustment: each.ScalingAdjustment ?? 0,
        }),
      ),
      cooldown: step?.Cooldown ?? 300,
      min_adjustment_magnitude: step?.MinAdjustmentMagnitude,
      metric_aggregation_type: step?.MetricAggregationType ?? "Average",
    }) as Policy;
  }
  const tracking = live.TargetTrackingScalingPolicyConfiguration;
  const { PredefinedMetricSpecification: predefined, CustomizedMetricSpecification: custom } = tracking ?? {};
  return defined({
    policy_name: name,
    policy_type: "TargetTrackingScaling",
    target_value: tracking?.TargetValue ?? 0,
    predefined_metric_type: predefined?.PredefinedMetricType,
    resource_label: predefined?.ResourceLabel,
    customized_metric:
      custom === undefined
        ? undefined
        : defined({
            metric_name: custom.MetricName ?? "",
            namespace: custom.Namespace ?? "",
            statistic: custom.Statistic ?? "Average",
            unit: custom.Unit,
            dimensions: Object.fromEntries((custom.Dimensions ?? []).map(({ Name = "", Value = "" }) => [Name, Value])),
          }),
    scale_in_cooldown: tracking?.ScaleInCooldown ?? 300,
    scale_out_cooldown: tracking?.ScaleOutCooldown ?? 300,
    disable_scale_in: tracking?.DisableScaleIn ?? false,
  }) as Policy;
}
