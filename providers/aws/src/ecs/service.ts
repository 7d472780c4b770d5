import type { CreateServiceCommandInput, Service, UpdateServiceCommandInput } from "@aws-sdk/client-ecs";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import type { AwsClient } from "../client.ts";
import { orAbsent, orNone } from "../errors.ts";
import { isSame } from "../json.ts";
import { standInOf, tell } from "../stand-in.ts";
import { awaitThat } from "../waiting.ts";
import type { ServicePlace } from "./names.ts";
import type { ServiceInput } from "./schema.ts";
import { describeStoppedTasks } from "./stopped-tasks.ts";

/** A service that is not gone: ECS shows deleted ones for a while. */
export async function findService({ ecs }: Aws, place: ServicePlace): Promise<Service | undefined> {
  const answer = await orAbsent(
    ecs.describeServices({ cluster: place.cluster, services: [place.service], include: ["TAGS"] }),
  );
  return answer?.services?.find(({ status }) => status !== "INACTIVE");
}

export interface Network {
  readonly subnetIds: readonly string[];
  readonly groupIds: readonly string[];
}

/** Where tasks run: as configured, else as the provider has it, else in the default VPC. */
export async function networkOf({ ec2, client }: Aws, input: ServiceInput): Promise<Network> {
  const { ecs_subnet_ids: subnets, ecs_security_group_ids: groups } = client.config;
  const groupIds = input.security_group_ids ?? groups ?? [];
  const subnetIds = input.subnet_ids ?? subnets;
  if (subnetIds !== undefined) return { subnetIds, groupIds };
  const { Subnets: all = [] } = await ec2.describeSubnets({ Filters: [{ Name: "default-for-az", Values: ["true"] }] });
  if (all.length === 0) throw new ProviderFailure("validation", "There is no default VPC: set subnet_ids");
  return { subnetIds: all.map(({ SubnetId }) => SubnetId ?? "").toSorted(), groupIds };
}

/** What create and update of a service say alike. */
export function serviceSettings(input: ServiceInput, network: Network, taskDefinition: string, container: string) {
  return {
    taskDefinition,
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: [...network.subnetIds],
        securityGroups: [...network.groupIds],
        assignPublicIp: input.assign_public_ip ? "ENABLED" : "DISABLED",
      },
    },
    deploymentConfiguration: {
      deploymentCircuitBreaker: { enable: input.circuit_breaker, rollback: input.circuit_breaker },
      minimumHealthyPercent: input.minimum_healthy_percent,
      maximumPercent: input.maximum_percent,
    },
    enableExecuteCommand: input.enable_execute_command,
    ...(input.load_balancers.length > 0 && input.health_check_grace_period_seconds !== undefined
      ? { healthCheckGracePeriodSeconds: input.health_check_grace_period_seconds }
      : {}),
    loadBalancers: input.load_balancers.map((target) => ({
      targetGroupArn: target.target_group_arn,
      containerName: target.container ?? container,
      containerPort: target.container_port,
    })),
    serviceRegistries: input.service_registry_arn === undefined ? [] : [{ registryArn: input.service_registry_arn }],
    propagateTags: "SERVICE",
  } satisfies Partial<CreateServiceCommandInput> & Partial<UpdateServiceCommandInput>;
}

export function capacityOf(input: ServiceInput) {
  return input.capacity_providers.map(({ name, weight, base }) => ({ capacityProvider: name, weight, base }));
}

/** The update that a service needs; undefined where it is as wanted. */
export function serviceUpdate(
  live: Service,
  settings: ReturnType<typeof serviceSettings>,
  input: ServiceInput,
): Omit<UpdateServiceCommandInput, "service" | "cluster"> | undefined {
  const [a, b] = [settings.networkConfiguration, live.networkConfiguration].map((network) => {
    const vpc = network?.awsvpcConfiguration;
    return {
      subnets: vpc?.subnets?.toSorted(),
      groups: (vpc?.securityGroups ?? []).toSorted(),
      ip: vpc?.assignPublicIp ?? "DISABLED",
    };
  });
  const breaker = live.deploymentConfiguration?.deploymentCircuitBreaker;
  const targets = (live.loadBalancers ?? []).map(({ targetGroupArn, containerName, containerPort }) => ({
    targetGroupArn,
    containerName,
    containerPort,
  }));
  const capacity = capacityOf(input);
  const liveCapacity = (live.capacityProviderStrategy ?? []).map(({ capacityProvider, weight = 0, base = 0 }) => ({
    capacityProvider,
    weight,
    base,
  }));
  const isNewCapacity = capacity.length > 0 && !isSame(capacity, liveCapacity);
  const same = [
    live.taskDefinition === settings.taskDefinition,
    isSame(a, b),
    (breaker?.enable ?? false) === input.circuit_breaker,
    (live.deploymentConfiguration?.minimumHealthyPercent ?? 100) === input.minimum_healthy_percent,
    (live.deploymentConfiguration?.maximumPercent ?? 200) === input.maximum_percent,
    (live.enableExecuteCommand ?? false) === input.enable_execute_command,
    isSame(targets, settings.loadBalancers),
    live.serviceRegistries?.[0]?.registryArn === input.service_registry_arn,
    settings.healthCheckGracePeriodSeconds === undefined ||
      live.healthCheckGracePeriodSeconds === settings.healthCheckGracePeriodSeconds,
    input.replicas === undefined || live.desiredCount === input.replicas,
    !isNewCapacity,
  ];
  if (same.every(Boolean)) return undefined;
  const { loadBalancers, serviceRegistries, ...others } = settings;
  const isNewRegistry = live.serviceRegistries?.[0]?.registryArn !== input.service_registry_arn;
  return {
    ...others,
    // Saying these at all has ECS check and replace them.
    ...(isSame(targets, loadBalancers) ? {} : { loadBalancers }),
    ...(isNewRegistry ? { serviceRegistries } : {}),
    ...(input.replicas === undefined ? {} : { desiredCount: input.replicas }),
    ...(isNewCapacity ? { capacityProviderStrategy: capacity, forceNewDeployment: true } : {}),
  };
}

/** ECS tells of a new service within seconds. */
const firstEventMs = 20_000;

/** Accounts of which it was seen already that nothing is started there. */
const idle = new WeakSet<AwsClient>();

/** True of what stands in for ECS and starts no tasks: nothing was said and nothing was started for a while. */
async function runsNothing(cloud: Aws, place: ServicePlace, service: Service, started: number): Promise<boolean> {
  const { client, ecs, context } = cloud;
  const isQuiet = (service.events ?? []).length === 0;
  if (!isQuiet || (!idle.has(client) && context.clock.now() - started < firstEventMs)) return false;
  const address = await standInOf(cloud, "ecs");
  if (address === undefined) return false;
  for (const desiredStatus of ["RUNNING", "STOPPED"] as const) {
    const { taskArns = [] } = await ecs.listTasks({
      cluster: place.cluster,
      serviceName: place.service,
      desiredStatus,
    });
    if (taskArns.length > 0) return false;
  }
  idle.add(client);
  tell(context, `${address} starts no tasks: service ${place.service} counts as it is`);
  return true;
}

/** Waits until the service runs what is wanted, all of it and nothing else. `taskDefinition` undefined: whatever it runs. */
export async function awaitSteady(cloud: Aws, place: ServicePlace, taskDefinition?: string): Promise<Service> {
  let seen = "";
  const started = cloud.context.clock.now();
  return awaitThat(
    cloud.context,
    () => `service ${place.service} to be steady${seen}`,
    async () => {
      const service = await findService(cloud, place);
      if (service === undefined) return undefined;
      const { desiredCount: desired = 0, runningCount: running = 0, deployments = [] } = service;
      seen = `: ${running} of ${desired} tasks run`;
      const primary = deployments.find(({ status }) => status === "PRIMARY");
      const isRolledBack = taskDefinition !== undefined && service.taskDefinition !== taskDefinition;
      if (primary?.rolloutState === "FAILED" || isRolledBack) {
        throw new ProviderFailure(
          "unknown",
          await failureText(cloud, place, primary?.rolloutStateReason, isRolledBack),
        );
      }
      const isSteady = deployments.length === 1 && running === desired && primary?.rolloutState !== "IN_PROGRESS";
      if (isSteady || (await runsNothing(cloud, place, service, started))) return service;
      return undefined;
    },
  );
}

async function failureText(
  cloud: Aws,
  place: ServicePlace,
  reason: string | undefined,
  isRolledBack: boolean,
): Promise<string> {
  const stopped = await describeStoppedTasks(cloud, place);
  const [latest] = stopped;
  const why = latest === undefined ? (reason ?? "no reason given") : latest.cause;
  const then = isRolledBack ? ", and ECS rolled it back" : "";
  return `The deployment of service "${place.service}" failed${then}: ${why.replace(/\.$/, "")}`;
}

/** Stops all tasks and deletes the service; returns when its network interfaces can be gone. */
export async function deleteService(cloud: Aws, place: ServicePlace): Promise<void> {
  const { ecs, context } = cloud;
  const service = await findService(cloud, place);
  if (service === undefined) return;
  if (service.status === "ACTIVE") {
    await orNone(
      orAbsent(ecs.deleteService({ cluster: place.cluster, service: place.service, force: true })),
      "ServiceNotActiveException",
    );
  }
  let seen = "";
  await awaitThat(
    context,
    () => `service ${place.service} to be deleted${seen}`,
    async () => {
      const left = await findService(cloud, place);
      if (left === undefined) return true;
      seen = `: ${left.runningCount ?? 0} tasks still run`;
      return undefined;
    },
  );
}
