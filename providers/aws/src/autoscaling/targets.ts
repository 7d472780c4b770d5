import type { ScalableTarget, ServiceNamespace } from "@aws-sdk/client-application-auto-scaling";
import type { Aws } from "../calls.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { parseProviderId } from "../ids.ts";
import { each } from "../paging.ts";
import { orUnoffered } from "../stand-in.ts";
import type { Tags } from "../tags.ts";
import type { TargetKey } from "./policies.ts";
import { namespaces } from "./schema.ts";

/** A target with its tags. */
export interface FoundTarget {
  readonly target: ScalableTarget;
  /** Undefined where it has none and can have none: a target of old, or one at a server that knows no tags. */
  readonly tags: Tags | undefined;
}

/** `ecs|service/cluster/name|ecs:service:DesiredCount` */
export function formatKey({
  ServiceNamespace: namespace,
  ResourceId: id,
  ScalableDimension: dimension,
}: TargetKey): string {
  return `${namespace}|${id}|${dimension}`;
}

/** What a provider id names; undefined where it is none of a target. */
export function parseKey(id: string, home: string): { key: TargetKey; region: string } | undefined {
  const { native, region } = parseProviderId(id, home);
  const [namespace, resource, dimension, ...rest] = native.split("|");
  if (namespace === undefined || resource === undefined || dimension === undefined || rest.length > 0) return undefined;
  const key = { ServiceNamespace: namespace, ResourceId: resource, ScalableDimension: dimension };
  return { key: key as TargetKey, region };
}

export function keyOf(target: ScalableTarget): TargetKey {
  const { ServiceNamespace, ResourceId = "", ScalableDimension } = target;
  return { ServiceNamespace, ResourceId, ScalableDimension } as TargetKey;
}

export async function findTarget(cloud: Aws, key: TargetKey): Promise<FoundTarget | undefined> {
  const { ServiceNamespace, ResourceId, ScalableDimension } = key;
  const { ScalableTargets: [target] = [] } = await cloud.autoscaling.describeScalableTargets({
    ServiceNamespace,
    ScalableDimension,
    ResourceIds: [ResourceId],
  });
  return target === undefined ? undefined : { target, tags: await tagsOf(cloud, target) };
}

/** All targets of a region. */
export async function* targets(cloud: Aws): AsyncGenerator<FoundTarget> {
  for (const namespace of namespaces) {
    try {
      for await (const target of targetsIn(cloud, namespace)) yield { target, tags: await tagsOf(cloud, target) };
    } catch (error) {
      // What stands in for AWS may not know the namespaces that came later.
      const isUnknown = isAwsError(error, "ValidationException") && error.call.operation === "DescribeScalableTargets";
      if (!isUnknown || error.call.address === undefined) throw error;
    }
  }
}

function targetsIn({ autoscaling }: Aws, namespace: ServiceNamespace): AsyncGenerator<ScalableTarget> {
  return each(async (token) => {
    const request = { ServiceNamespace: namespace, ...(token === undefined ? {} : { NextToken: token }) };
    const page = await autoscaling.describeScalableTargets(request);
    return [page.ScalableTargets, page.NextToken] as const;
  });
}

async function tagsOf(cloud: Aws, { ScalableTargetARN: arn }: ScalableTarget): Promise<Tags | undefined> {
  // Targets of old have no ARN, and no tags.
  if (arn === undefined) return undefined;
  const instead = "tags of scalable targets are not looked at";
  const found = await orUnoffered(cloud, "autoscaling:ListTagsForResource", instead, async () => ({
    tags: (await orAbsent(cloud.autoscaling.listTagsForResource({ ResourceARN: arn })))?.Tags ?? {},
  }));
  return found?.tags;
}
