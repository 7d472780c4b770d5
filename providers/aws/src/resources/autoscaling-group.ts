import { isAlreadyExists, notFound, ProviderFailure, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import { canonicalJson } from "@wfctl/plugin-sdk";
import { busy, listPolicies, syncPolicies, toPolicy, type TargetKey } from "../autoscaling/policies.ts";
import { listScheduledActions, syncScheduledActions, toAction } from "../autoscaling/scheduled-actions.ts";
import { targetInput, targetOutputs, type TargetInput, type TargetOutputs } from "../autoscaling/schema.ts";
import { findTarget, formatKey, keyOf, parseKey, targets, type FoundTarget } from "../autoscaling/targets.ts";
import { aws, type Aws, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { parseArn, toProviderId } from "../ids.ts";
import { defined, isSame } from "../json.ts";
import { settleName, shortHash } from "../naming.ts";
import { creationTags, currentTags, logicalName, nameTag, ownerOf, searchTags, tokenTag } from "../ownership.ts";
import { searchRegions } from "../regions.ts";
import { tagChanges, userTags } from "../tags.ts";
import { retryWhile } from "../waiting.ts";
import { asCreated, defineAwsResource } from "./define.ts";

type State = ResourceState<TargetInput, TargetOutputs>;

/**
 * A target of Application Auto Scaling with its policies and scheduled actions. Its id is
 * `namespace|resource|dimension`.
 */
export const autoscalingGroup = defineAwsResource<TargetInput, TargetOutputs>({
  type: "infra.autoscaling_group",
  service: "autoscaling",
  description: "Application Auto Scaling of a service, table or cluster",
  input: targetInput,
  outputs: targetOutputs,
  forceNew: ["service_namespace", "resource_id", "scalable_dimension", "region"],
  unordered: ["policies", "policies.step_adjustments", "scheduled_actions"],
  settledBy: { role_arn: "role_arn", resource_id: "resource_id" },
  createFirst: true,
  convergentCreate: true,
  settleMs: 15_000,
  timeouts: { create: 300_000, update: 300_000, delete: 300_000 },
  tier: 3,

  async create({ name, input }, context) {
    const cloud = aws(context, input.region);
    const key = wantedKey(cloud, name, input);
    const native = formatKey(key);
    const names = { chosen: native, base: native, maxLength: native.length, what: "Scalable target" };
    const settled = await settleName(context, names, async () => {
      const found = await findTarget(cloud, key);
      return found === undefined ? undefined : { tags: found.tags ?? {}, found };
    });
    if (isAlreadyExists(settled)) return settled;
    const id = toProviderId(native, cloud.region, context.client.region);
    context.partial(id, { resource_id: key.ResourceId });
    await sync(cloud, key, name, input, settled.made);
    return asCreated(await describeNow(cloud, key), settled.made === undefined);
  },

  async read(ref, context) {
    return find(ref.id === "" ? ref.name : ref.id, context);
  },

  async update(ref, { name, input }, context) {
    const { cloud, key } = placeOf(ref.id, context);
    const found = await findTarget(cloud, key);
    if (found === undefined) return notFound(`Scalable target "${formatKey(key)}" does not exist`);
    await sync(cloud, key, name, input, found);
    return describeNow(cloud, key);
  },

  async delete(ref, context) {
    const { cloud, key } = placeOf(ref.id, context);
    await syncScheduledActions(cloud, key, []);
    await syncPolicies(cloud, key, []);
    if ((await findTarget(cloud, key)) === undefined) return notFound();
    await retryWhile(context, busy, `scalable target ${formatKey(key)} to be free`, () =>
      orAbsent(cloud.autoscaling.deregisterScalableTarget(key)),
    );
    return undefined;
  },

  async lookup({ token }, context) {
    const found = await searchRegions(context, (cloud) => findWhere(cloud, ({ tags }) => tags?.[tokenTag] === token));
    return found ?? notFound();
  },

  import: (id, context) => find(id, context),

  async *list(context) {
    const cloud = aws(context);
    for await (const found of targets(cloud)) yield describe(cloud, found, { inputs: false });
  },

  async setMarks(ref, marks, context) {
    const { cloud, key } = placeOf(ref.id, context);
    const found = await findTarget(cloud, key);
    if (found?.target.ScalableTargetARN === undefined) return notFound();
    const request = { ResourceARN: found.target.ScalableTargetARN, Tags: marks };
    return (await orAbsent(cloud.autoscaling.tagResource(request))) === undefined ? notFound() : undefined;
  },
});

function wantedKey({ client }: Aws, name: string, input: TargetInput): TargetKey {
  return {
    ServiceNamespace: input.service_namespace,
    ResourceId: input.resource_id ?? `service/${client.config.ecs_cluster}/${name}`,
    ScalableDimension: input.scalable_dimension as TargetKey["ScalableDimension"],
  };
}

function placeOf(id: string, context: Context): { cloud: Aws; key: TargetKey } {
  const place = parseKey(id, context.client.region);
  if (place !== undefined) return { cloud: aws(context, place.region), key: place.key };
  throw new ProviderFailure("validation", `"${id}" is no scalable target: expected namespace|resource|dimension`);
}

/** By id, by ARN, by the id of what is scaled, or by the resource's name. */
async function find(id: string, context: Context): Promise<State | NotFound> {
  const place = parseKey(id, context.client.region);
  if (place !== undefined) {
    const cloud = aws(context, place.region);
    const found = await findTarget(cloud, place.key);
    return found === undefined ? notFound() : describe(cloud, found);
  }
  const arn = parseArn(id);
  const resource = arn?.service === "ecs" ? arn.resource : id;
  const cloud = aws(context, arn?.region);
  const found = await findWhere(
    cloud,
    ({ target, tags }) => target.ScalableTargetARN === id || tags?.[nameTag] === id || target.ResourceId === resource,
  );
  return found ?? notFound();
}

async function findWhere(cloud: Aws, isIt: (found: FoundTarget) => boolean): Promise<State | undefined> {
  for await (const found of targets(cloud)) if (isIt(found)) return describe(cloud, found);
  return undefined;
}

/** Brings the target and its parts to what is wanted, from whatever is there. */
async function sync(
  cloud: Aws,
  key: TargetKey,
  name: string,
  input: TargetInput,
  live: FoundTarget | undefined,
): Promise<void> {
  const { autoscaling, context } = cloud;
  const suspended = {
    DynamicScalingInSuspended: input.suspended.scale_in,
    DynamicScalingOutSuspended: input.suspended.scale_out,
    ScheduledScalingSuspended: input.suspended.scheduled,
  };
  const settings = {
    MinCapacity: input.min_capacity,
    MaxCapacity: input.max_capacity,
    SuspendedState: suspended,
    ...(input.role_arn === undefined ? {} : { RoleARN: input.role_arn }),
  };
  const register = (more: { Tags?: Record<string, string> }) =>
    retryWhile(context, busy, `scalable target ${formatKey(key)} to be free`, () =>
      autoscaling.registerScalableTarget({ ...key, ...settings, ...more }),
    );
  if (live === undefined) await register({ Tags: creationTags(context, name, input.tags) });
  else {
    const { target, tags } = live;
    const now = { MinCapacity: target.MinCapacity, MaxCapacity: target.MaxCapacity, SuspendedState: suspendedOf(live) };
    const role = input.role_arn === undefined ? {} : { RoleARN: target.RoleARN };
    if (!isSame(settings, { ...now, ...role })) await register({});
    const arn = target.ScalableTargetARN;
    if (arn !== undefined && tags !== undefined) {
      const { set, remove } = tagChanges(tags, currentTags(context, name, input.tags, tags));
      if (Object.keys(set).length > 0) await autoscaling.tagResource({ ResourceARN: arn, Tags: set });
      if (remove.length > 0) await autoscaling.untagResource({ ResourceARN: arn, TagKeys: remove });
    }
  }
  await syncPolicies(cloud, key, input.policies);
  await syncScheduledActions(cloud, key, input.scheduled_actions);
}

function suspendedOf({ target: { SuspendedState: state = {} } }: FoundTarget) {
  return {
    DynamicScalingInSuspended: state.DynamicScalingInSuspended ?? false,
    DynamicScalingOutSuspended: state.DynamicScalingOutSuspended ?? false,
    ScheduledScalingSuspended: state.ScheduledScalingSuspended ?? false,
  };
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, key: TargetKey): Promise<State> {
  const found = await findTarget(cloud, key);
  if (found !== undefined) return describe(cloud, found, { inputs: false });
  throw new ProviderFailure("unknown", `Scalable target "${formatKey(key)}" was deleted while it was changed`);
}

async function describe(cloud: Aws, found: FoundTarget, options: { inputs?: boolean } = {}): Promise<State> {
  const { target, tags = {} } = found;
  const key = keyOf(target);
  const live = await listPolicies(cloud, key);
  const policies = live.map(toPolicy).toSorted((a, b) => (a.policy_name < b.policy_name ? -1 : 1));
  const names = policies.map(({ policy_name: name }) => name);
  const suspended = suspendedOf(found);
  const identity = {
    service_namespace: key.ServiceNamespace as TargetInput["service_namespace"],
    resource_id: key.ResourceId,
    scalable_dimension: key.ScalableDimension as string,
    region: cloud.region,
  };
  const bounds = { min_capacity: target.MinCapacity ?? 0, max_capacity: target.MaxCapacity ?? 0 };
  const { RoleARN: role } = target;
  const outputs = defined({
    ...identity,
    ...bounds,
    arn: target.ScalableTargetARN ?? "",
    role_arn: role,
    policy_names: names,
    policy_arns: Object.fromEntries(live.map(({ PolicyName = "", PolicyARN = "" }) => [PolicyName, PolicyARN])),
    policy_fingerprint: shortHash(canonicalJson(policies as never), 32),
    tags_all: found.tags,
  });
  const state = {
    id: toProviderId(formatKey(key), cloud.region, cloud.client.region),
    name: logicalName(tags, key.ResourceId),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    outputs: outputs as TargetOutputs,
  };
  if (options.inputs === false) return state;
  const inputs = defined({
    ...identity,
    ...bounds,
    role_arn: role,
    policies,
    scheduled_actions: (await listScheduledActions(cloud, key)).map(toAction),
    suspended: {
      scale_in: suspended.DynamicScalingInSuspended,
      scale_out: suspended.DynamicScalingOutSuspended,
      scheduled: suspended.ScheduledScalingSuspended,
    },
    tags: found.tags && userTags(found.tags, { defaults: cloud.client.config.default_tags }),
  });
  return { ...state, inputs: inputs as Partial<TargetInput> };
}
