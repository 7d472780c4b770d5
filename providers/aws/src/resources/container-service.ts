import type { Service } from "@aws-sdk/client-ecs";
import { isAlreadyExists, notFound, ProviderFailure, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import { fargateProblem, smallestFargate } from "../ecs/fargate.ts";
import { executionRoleOf, logGroupOf, parseServiceArn, servicePlace, type ServicePlace } from "../ecs/names.ts";
import {
  ensureCluster,
  ensureExecutionRole,
  ensureLogGroup,
  findLogGroup,
  isNotReadyYet,
  partialServices,
  partTagsOf,
  removeEmptyCluster,
  removeParts,
} from "../ecs/parts.ts";
import { serviceInput, serviceOutputs, type ServiceInput, type ServiceOutputs } from "../ecs/schema.ts";
import {
  awaitSteady,
  capacityOf,
  deleteService,
  findService,
  networkOf,
  serviceSettings,
  serviceUpdate,
} from "../ecs/service.ts";
import { describeStoppedTasks } from "../ecs/stopped-tasks.ts";
import { ensureTaskDefinition, findTaskDefinition, readTask, removeTaskDefinitions } from "../ecs/task-definition.ts";
import { orAbsent } from "../errors.ts";
import { defined } from "../json.ts";
import { settleName, shortHash } from "../naming.ts";
import { creationTags, currentTags, logicalName, ownerOf, searchTags, tokenTag } from "../ownership.ts";
import { chunk, collect } from "../paging.ts";
import { searchRegions } from "../regions.ts";
import { cpuUnits, fargateSizes, isSize, memoryMib } from "../sizing.ts";
import { fromLowerPairs, tagChanges, toLowerPairs, userTags, type Tags } from "../tags.ts";
import { retryIf } from "../waiting.ts";
import { asCreated, defineAwsResource, incompleteState } from "./define.ts";

type State = ResourceState<ServiceInput, ServiceOutputs>;

const maxNameLength = 255;
const roleKnownMs = 120_000;

/** An ECS service on Fargate with its task definition, execution role and log group. Its id is the service's ARN. */
export const containerService = defineAwsResource<ServiceInput, ServiceOutputs>({
  type: "infra.container_service",
  service: "ecs",
  description: "ECS service on Fargate",
  input: serviceInput,
  outputs: serviceOutputs,
  forceNew: ["service_name", "cluster", "region"],
  writeOnly: ["wait_for_steady_state"],
  resetWhenUnset: ["health_check", "ephemeral_storage_gib", "task_role_arn", "service_registry_arn"],
  unordered: ["subnet_ids", "security_group_ids", "ports", "volumes"],
  settledBy: {
    service_name: "service_name",
    cluster: "cluster",
    execution_role_arn: "execution_role_arn",
    log_group: "log_group",
    subnet_ids: "subnet_ids",
    security_group_ids: "security_group_ids",
  },
  incomplete: { output: "status", input: "image" },
  createFirst: true,
  convergentCreate: true,
  settleMs: 20_000,
  timeouts: { create: 1_200_000, update: 1_800_000, delete: 1_200_000 },
  tier: 3,

  async create({ name, input }, context) {
    const cloud = aws(context, input.region);
    const cluster = input.cluster ?? context.client.config.ecs_cluster;
    const where = await identityOf(cloud);
    const names = { chosen: input.service_name, base: name, maxLength: maxNameLength, what: "Service" };
    const settled = await settleName(context, names, async (candidate) => {
      const service = await findService(cloud, servicePlace(where, cluster, candidate));
      return service === undefined ? undefined : { tags: fromLowerPairs(service.tags), found: service };
    });
    if (isAlreadyExists(settled)) return settled;
    const place = servicePlace(where, cluster, settled.name);
    context.partial(place.arn, { arn: place.arn, cluster, service_name: place.service });
    await reconcile(cloud, place, name, input, settled.made);
    return asCreated(await describeNow(cloud, place), settled.made === undefined);
  },

  async read(ref, context) {
    return readService(await placeOf(ref.id === "" ? ref.name : ref.id, context), context);
  },

  async update(ref, { name, input }, context) {
    const place = await placeOf(ref.id, context);
    const cloud = aws(context, place.region);
    const service = await findService(cloud, place);
    if (service === undefined && (await partTagsOf(cloud, place)) === undefined) {
      return notFound(`Service "${place.service}" does not exist in cluster "${place.cluster}"`);
    }
    await reconcile(cloud, place, name, input, service);
    return describeNow(cloud, place);
  },

  async delete(ref, context) {
    const place = await placeOf(ref.id, context);
    const cloud = aws(context, place.region);
    await deleteService(cloud, place);
    await removeTaskDefinitions(cloud, place, undefined);
    await removeParts(cloud, place);
    await removeEmptyCluster(cloud, place.cluster);
  },

  async lookup({ token }, context) {
    const found = await searchRegions(context, async (cloud) => {
      const others: ServicePlace[] = [];
      for await (const { place, service } of services(cloud)) {
        if (fromLowerPairs(service.tags)[tokenTag] === token) return describe(cloud, place, service);
        others.push(place);
      }
      for await (const { place, tags } of partialServices(cloud, others)) {
        if (tags[tokenTag] === token) return incomplete(place, tags);
      }
      return undefined;
    });
    return found ?? notFound();
  },

  async import(id, context) {
    return readService(await placeOf(id, context), context);
  },

  async *list(context) {
    const cloud = aws(context);
    const places: ServicePlace[] = [];
    for await (const { place, service } of services(cloud)) {
      places.push(place);
      yield describe(cloud, place, service);
    }
    for await (const { place, tags } of partialServices(cloud, places)) yield incomplete(place, tags);
  },

  async setMarks(ref, marks, context) {
    const { arn, region } = await placeOf(ref.id, context);
    const tags = toLowerPairs(marks);
    const answer = await orAbsent(aws(context, region).ecs.tagResource({ resourceArn: arn, tags }));
    return answer === undefined ? notFound() : undefined;
  },

  async scale(ref, replicas, context) {
    const place = await placeOf(ref.id, context);
    const cloud = aws(context, place.region);
    if ((await findService(cloud, place)) === undefined) return notFound();
    await cloud.ecs.updateService({ cluster: place.cluster, service: place.service, desiredCount: replicas });
    await awaitSteady(cloud, place);
    return describeNow(cloud, place);
  },

  async health(ref, context) {
    const place = await placeOf(ref.id, context);
    const service = await findService(aws(context, place.region), place);
    if (service === undefined) return { healthy: false, message: "does not exist" };
    const { desiredCount: desired = 0, runningCount: running = 0, deployments = [], status } = service;
    const state = deployments.length > 1 ? ", a deployment is under way" : "";
    return {
      healthy: status === "ACTIVE" && running >= desired,
      message: `${running} of ${desired} tasks run${state}`,
    };
  },

  sizing({ size, hints }) {
    if (!isSize(size)) return undefined;
    const tier = fargateSizes[size];
    const cpu = cpuUnits(hints?.cpu) ?? Number(tier.cpu);
    const memory = memoryMib(hints?.memory) ?? Number(tier.memory);
    const fitting = fargateProblem(cpu, memory) === undefined ? { cpu, memory } : smallestFargate(cpu, memory);
    if (fitting === undefined) {
      throw new ProviderFailure("validation", `Fargate has no task with ${cpu} CPU units and ${memory} MiB`);
    }
    return { instanceType: "", specs: { cpu: String(fitting.cpu), memory: String(fitting.memory) } };
  },

  async troubleshoot(ref, _failure, context) {
    const place = await placeOf(ref.id === "" ? ref.name : ref.id, context);
    const cloud = aws(context, place.region);
    const [stopped, service] = await Promise.all([describeStoppedTasks(cloud, place), findService(cloud, place)]);
    const events = (service?.events ?? []).slice(0, 10).map(({ id, message, createdAt }) => ({
      id: id ?? "",
      phase: "event",
      cause: message ?? "",
      detail: message ?? "",
      ...(createdAt === undefined ? {} : { at: createdAt }),
    }));
    return [...stopped, ...events];
  },
});

async function identityOf({ client, context, region }: Aws) {
  const { accountId, partition } = await client.identity(context.signal);
  return { accountId, partition, region };
}

/** From an ARN, from `cluster/service`, or from the name of a service in the provider's cluster. */
async function placeOf(id: string, context: Context): Promise<ServicePlace> {
  const place = parseServiceArn(id);
  if (place !== undefined) return place;
  const [cluster, service] = id.includes("/") ? (id.split("/", 2) as [string, string]) : [undefined, id];
  const where = await identityOf(aws(context));
  return servicePlace(where, cluster ?? context.client.config.ecs_cluster, service);
}

/** Brings the service and all that it needs to what is wanted, from whatever is there. */
async function reconcile(
  cloud: Aws,
  place: ServicePlace,
  name: string,
  input: ServiceInput,
  live: Service | undefined,
): Promise<void> {
  const { ecs, context } = cloud;
  const network = await networkOf(cloud, input);
  const logGroup = await ensureLogGroup(cloud, place, name, input);
  const execution = await ensureExecutionRole(cloud, place, name, input);
  await ensureCluster(cloud, place.cluster);
  const roles = { execution, task: input.task_role_arn, logGroup };
  const taskDefinition = await ensureTaskDefinition(cloud, place, name, { input, roles });
  const settings = serviceSettings(input, network, taskDefinition, place.service);
  if (live === undefined) {
    const capacity = capacityOf(input);
    const request = {
      ...settings,
      cluster: place.cluster,
      serviceName: place.service,
      desiredCount: input.replicas ?? 1,
      clientToken: shortHash(context.clientToken, 32),
      enableECSManagedTags: true,
      ...(capacity.length === 0 ? { launchType: "FARGATE" as const } : { capacityProviderStrategy: capacity }),
      tags: toLowerPairs(creationTags(context, name, input.tags)),
    };
    await retryIf(context, isNotReadyYet, "roles and listeners to be known to ECS", () => ecs.createService(request), {
      timeoutMs: roleKnownMs,
    });
  } else {
    const change = serviceUpdate(live, settings, input);
    if (change !== undefined) await ecs.updateService({ cluster: place.cluster, service: place.service, ...change });
    await syncTags(cloud, place, name, input, live);
  }
  if (!input.wait_for_steady_state) return;
  await awaitSteady(cloud, place, taskDefinition);
  // Only now: until then ECS may need the old revision for a rollback.
  await removeTaskDefinitions(cloud, place, taskDefinition);
}

async function syncTags({ ecs, context }: Aws, place: ServicePlace, name: string, input: ServiceInput, live: Service) {
  const tags = fromLowerPairs(live.tags);
  const { set, remove } = tagChanges(tags, currentTags(context, name, input.tags, tags));
  if (Object.keys(set).length > 0) await ecs.tagResource({ resourceArn: place.arn, tags: toLowerPairs(set) });
  if (remove.length > 0) await ecs.untagResource({ resourceArn: place.arn, tagKeys: remove });
}

async function readService(place: ServicePlace, context: Context): Promise<State | NotFound> {
  const cloud = aws(context, place.region);
  const service = await findService(cloud, place);
  if (service !== undefined) return describe(cloud, place, service);
  const tags = await partTagsOf(cloud, place);
  return tags === undefined ? notFound() : incomplete(place, tags);
}

/** A service of which only parts are there. */
function incomplete(place: ServicePlace, tags: Tags): State {
  const outputs = {
    arn: place.arn,
    status: incompleteState,
    desired_count: 0,
    running_count: 0,
    task_definition: "",
    service_name: place.service,
    cluster: place.cluster,
    cluster_arn: "",
    region: place.region,
    container_name: place.service,
    subnet_ids: [],
    security_group_ids: [],
    tags_all: tags,
  };
  const [name, owner] = [logicalName(tags, place.service), ownerOf(tags)];
  return { id: place.arn, name, owner, tags: searchTags(tags), outputs, status: "degraded" };
}

async function* services(cloud: Aws): AsyncGenerator<{ place: ServicePlace; service: Service }> {
  const { ecs } = cloud;
  const clusters = await collect(async (token) => {
    const page = await ecs.listClusters(token === undefined ? {} : { nextToken: token });
    return [page.clusterArns, page.nextToken] as const;
  });
  for (const cluster of clusters) {
    const arns = await collect(async (token) => {
      const page = await ecs.listServices({ cluster, ...(token === undefined ? {} : { nextToken: token }) });
      return [page.serviceArns, page.nextToken] as const;
    });
    for (const some of chunk(arns, 10)) {
      const { services: described = [] } = await ecs.describeServices({ cluster, services: some, include: ["TAGS"] });
      for (const service of described) {
        const place = parseServiceArn(service.serviceArn ?? "");
        if (place !== undefined && service.status !== "INACTIVE") yield { place, service };
      }
    }
  }
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, place: ServicePlace): Promise<State> {
  const service = await findService(cloud, place);
  if (service === undefined)
    throw new ProviderFailure("unknown", `Service "${place.service}" was deleted while it was changed`);
  const { inputs: _inputs, ...state } = await describe(cloud, place, service);
  return state;
}

async function describe(cloud: Aws, place: ServicePlace, service: Service): Promise<State> {
  const tags = fromLowerPairs(service.tags);
  const definition = await findTaskDefinition(cloud, service.taskDefinition ?? "");
  const { task, roles, container } = readTask(definition ?? {}, place.service);
  const vpc = service.networkConfiguration?.awsvpcConfiguration;
  const breaker = service.deploymentConfiguration?.deploymentCircuitBreaker;
  const running = service.runningCount ?? 0;
  const desired = service.desiredCount ?? 0;
  const logGroup = roles.logGroup === undefined ? undefined : await findLogGroup(cloud, roles.logGroup);
  const ownRole = roles.execution?.endsWith(`/${executionRoleOf(place)}`) === true;
  const inputs = defined({
    ...task,
    service_name: place.service,
    region: place.region,
    cluster: place.cluster,
    replicas: desired,
    subnet_ids: vpc?.subnets ?? [],
    security_group_ids: vpc?.securityGroups ?? [],
    assign_public_ip: vpc?.assignPublicIp === "ENABLED",
    execution_role_arn: ownRole ? undefined : roles.execution,
    task_role_arn: roles.task,
    log_group: roles.logGroup === logGroupOf(place) ? undefined : roles.logGroup,
    log_retention_days: logGroup?.retentionInDays as ServiceInput["log_retention_days"] | undefined,
    load_balancers: (service.loadBalancers ?? []).map(({ targetGroupArn, containerName, containerPort }) => ({
      target_group_arn: targetGroupArn ?? "",
      container_port: containerPort ?? 0,
      ...(containerName === container ? {} : { container: containerName }),
    })),
    health_check_grace_period_seconds: service.healthCheckGracePeriodSeconds,
    capacity_providers: (service.capacityProviderStrategy ?? []).map(({ capacityProvider, weight, base }) => ({
      name: capacityProvider ?? "",
      weight: weight ?? 0,
      base: base ?? 0,
    })),
    service_registry_arn: service.serviceRegistries?.[0]?.registryArn,
    circuit_breaker: breaker?.enable,
    minimum_healthy_percent: service.deploymentConfiguration?.minimumHealthyPercent ?? 100,
    maximum_percent: service.deploymentConfiguration?.maximumPercent ?? 200,
    enable_execute_command: service.enableExecuteCommand ?? false,
    tags: userTags(tags, { defaults: cloud.client.config.default_tags }),
  }) as Partial<ServiceInput>;
  return {
    id: place.arn,
    name: logicalName(tags, place.service),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    status: service.status === "ACTIVE" ? (running >= desired ? "running" : "degraded") : "degraded",
    outputs: {
      arn: place.arn,
      status: service.status ?? "",
      desired_count: desired,
      running_count: running,
      task_definition: service.taskDefinition ?? "",
      service_name: place.service,
      cluster: place.cluster,
      cluster_arn: service.clusterArn ?? "",
      region: place.region,
      container_name: container,
      ...(roles.logGroup === undefined ? {} : { log_group: roles.logGroup }),
      ...(roles.execution === undefined ? {} : { execution_role_arn: roles.execution }),
      subnet_ids: vpc?.subnets ?? [],
      security_group_ids: vpc?.securityGroups ?? [],
      tags_all: tags,
    },
    inputs,
  };
}
