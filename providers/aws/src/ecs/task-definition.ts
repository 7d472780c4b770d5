import type {
  ContainerDefinition,
  RegisterTaskDefinitionCommandInput,
  TaskDefinition,
  Volume,
} from "@aws-sdk/client-ecs";
import type { Aws } from "../calls.ts";
import { orNone } from "../errors.ts";
import { defined, isSame } from "../json.ts";
import { partOfTag, partTags } from "../ownership.ts";
import { collect } from "../paging.ts";
import { orUnoffered } from "../stand-in.ts";
import { fromLowerPairs, toLowerPairs } from "../tags.ts";
import { retryIf } from "../waiting.ts";
import { familyOf, type ServicePlace } from "./names.ts";
import { isRoleUnknownYet } from "./parts.ts";
import type { ServiceInput } from "./schema.ts";

/** The inputs that a task definition holds. */
export type TaskInput = Pick<
  ServiceInput,
  | "image"
  | "cpu"
  | "memory"
  | "ephemeral_storage_gib"
  | "cpu_architecture"
  | "command"
  | "entrypoint"
  | "env_vars"
  | "env_vars_secret"
  | "ports"
  | "health_check"
  | "sidecars"
  | "volumes"
>;

export interface TaskRoles {
  readonly execution: string | undefined;
  readonly task: string | undefined;
  readonly logGroup: string | undefined;
}

/** ARN of a task definition as it is wanted: the current one where it is that, else a new revision. */
export async function ensureTaskDefinition(
  cloud: Aws,
  place: ServicePlace,
  name: string,
  wanted: { input: ServiceInput; roles: TaskRoles },
): Promise<string> {
  const { ecs, context } = cloud;
  const family = familyOf(place);
  const latest = await findTaskDefinition(cloud, family);
  if (latest?.status === "ACTIVE" && isWanted(latest, place, wanted)) return latest.taskDefinitionArn ?? "";
  const tags = partTags(context, { of: place.arn, key: "task-definition", name, tags: wanted.input.tags });
  const request = { ...toSdk(cloud, place, wanted), tags: toLowerPairs(tags) };
  const made = await retryIf(
    context,
    isRoleUnknownYet,
    "the execution role to be known",
    () => ecs.registerTaskDefinition(request),
    { timeoutMs: 60_000 },
  );
  return made.taskDefinition?.taskDefinitionArn ?? "";
}

/** By family, which gives the latest active revision, or by ARN. */
export async function findTaskDefinition({ ecs }: Aws, nameOrArn: string): Promise<TaskDefinition | undefined> {
  // ECS has no error of its own for a family that it does not know.
  const answer = await orNone(ecs.describeTaskDefinition({ taskDefinition: nameOrArn }), "ClientException");
  return answer?.taskDefinition;
}

/** Takes the revisions of the service away but for the one that it runs: first out of use, then for good. */
export async function removeTaskDefinitions(cloud: Aws, place: ServicePlace, keep: string | undefined): Promise<void> {
  const { ecs } = cloud;
  const family = familyOf(place);
  const arns = await collect(async (token) => {
    const page = await ecs.listTaskDefinitions({
      familyPrefix: family,
      status: "ACTIVE",
      ...(token === undefined ? {} : { nextToken: token }),
    });
    return [page.taskDefinitionArns, page.nextToken] as const;
  });
  for (const arn of arns.filter((each) => each !== keep && each.split("/").at(-1)?.split(":")[0] === family)) {
    const { tags } = await ecs.describeTaskDefinition({ taskDefinition: arn, include: ["TAGS"] });
    if (fromLowerPairs(tags)[partOfTag] !== place.arn) continue;
    await ecs.deregisterTaskDefinition({ taskDefinition: arn });
    await orUnoffered(cloud, "ecs:DeleteTaskDefinitions", "old revisions stay as inactive", () =>
      ecs.deleteTaskDefinitions({ taskDefinitions: [arn] }),
    );
  }
}

function isWanted(
  live: TaskDefinition,
  place: ServicePlace,
  { input, roles }: { input: ServiceInput; roles: TaskRoles },
): boolean {
  const read = readTask(live, place.service);
  const wanted: TaskInput = {
    image: input.image,
    cpu: input.cpu,
    memory: input.memory,
    ephemeral_storage_gib: input.ephemeral_storage_gib,
    cpu_architecture: input.cpu_architecture,
    command: input.command,
    entrypoint: input.entrypoint,
    env_vars: input.env_vars,
    env_vars_secret: input.env_vars_secret,
    ports: input.ports,
    health_check: input.health_check,
    sidecars: input.sidecars,
    volumes: input.volumes,
  };
  return isSame(read.task, wanted) && isSame(read.roles, roles);
}

function toSdk(
  { region }: Aws,
  place: ServicePlace,
  { input, roles }: { input: ServiceInput; roles: TaskRoles },
): RegisterTaskDefinitionCommandInput {
  const log = (container: string): Partial<ContainerDefinition> =>
    roles.logGroup === undefined
      ? {}
      : {
          logConfiguration: {
            logDriver: "awslogs",
            options: { "awslogs-group": roles.logGroup, "awslogs-region": region, "awslogs-stream-prefix": container },
          },
        };
  const main: ContainerDefinition = {
    name: place.service,
    image: input.image,
    essential: true,
    ...containerParts(input),
    ...(input.entrypoint.length === 0 ? {} : { entryPoint: input.entrypoint }),
    ...(input.health_check === undefined
      ? {}
      : {
          healthCheck: {
            command: input.health_check.command,
            interval: input.health_check.interval_seconds,
            timeout: input.health_check.timeout_seconds,
            retries: input.health_check.retries,
            ...(input.health_check.start_period_seconds === 0
              ? {}
              : { startPeriod: input.health_check.start_period_seconds }),
          },
        }),
    ...(input.volumes.length === 0
      ? {}
      : {
          mountPoints: input.volumes.map((volume) => ({
            sourceVolume: volume.name,
            containerPath: volume.path,
            readOnly: volume.read_only,
          })),
        }),
    ...log(place.service),
  };
  const sidecars = input.sidecars.map((sidecar): ContainerDefinition => {
    const { name, image, essential } = sidecar;
    return { name, image, essential, ...containerParts(sidecar), ...log(name) };
  });
  return {
    family: familyOf(place),
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    cpu: input.cpu,
    memory: input.memory,
    runtimePlatform: { cpuArchitecture: input.cpu_architecture, operatingSystemFamily: "LINUX" },
    containerDefinitions: [main, ...sidecars],
    ...(roles.execution === undefined ? {} : { executionRoleArn: roles.execution }),
    ...(roles.task === undefined ? {} : { taskRoleArn: roles.task }),
    ...(input.ephemeral_storage_gib === undefined
      ? {}
      : { ephemeralStorage: { sizeInGiB: input.ephemeral_storage_gib } }),
    ...(input.volumes.length === 0 ? {} : { volumes: input.volumes.map(toSdkVolume) }),
  };
}

function containerParts(input: Pick<TaskInput, "command" | "env_vars" | "env_vars_secret" | "ports">) {
  const sorted = (values: Readonly<Record<string, string>>) =>
    Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...(input.command.length === 0 ? {} : { command: input.command }),
    environment: sorted(input.env_vars).map(([name, value]) => ({ name, value })),
    secrets: sorted(input.env_vars_secret).map(([name, valueFrom]) => ({ name, valueFrom })),
    portMappings: input.ports.map(({ port, protocol }) => ({ containerPort: port, hostPort: port, protocol })),
  };
}

function toSdkVolume(volume: ServiceInput["volumes"][number]): Volume {
  const { access_point_id: accessPoint, root_directory: directory } = volume;
  return {
    name: volume.name,
    efsVolumeConfiguration: {
      fileSystemId: volume.file_system_id,
      transitEncryption: "ENABLED",
      ...(directory === undefined ? {} : { rootDirectory: directory }),
      ...(accessPoint === undefined ? {} : { authorizationConfig: { accessPointId: accessPoint, iam: "ENABLED" } }),
    },
  };
}

/** A task definition as the input has it. `service`: name of the container that is not a sidecar, where there is one. */
export function readTask(
  live: TaskDefinition,
  service: string,
): { task: TaskInput; roles: TaskRoles; container: string } {
  const containers = live.containerDefinitions ?? [];
  const main =
    containers.find(({ name }) => name === service) ?? containers.find(({ essential }) => essential !== false);
  const check = main?.healthCheck;
  const volumes = live.volumes ?? [];
  const task = defined({
    image: main?.image ?? "",
    cpu: live.cpu ?? "",
    memory: live.memory ?? "",
    ephemeral_storage_gib: live.ephemeralStorage?.sizeInGiB,
    cpu_architecture: live.runtimePlatform?.cpuArchitecture ?? ("X86_64" as const),
    entrypoint: main?.entryPoint ?? [],
    ...readContainer(main),
    health_check:
      check === undefined
        ? undefined
        : {
            command: check.command ?? [],
            interval_seconds: check.interval ?? 30,
            timeout_seconds: check.timeout ?? 5,
            retries: check.retries ?? 3,
            start_period_seconds: check.startPeriod ?? 0,
          },
    sidecars: containers
      .filter((each) => each !== main)
      .map((each) => ({
        name: each.name ?? "",
        image: each.image ?? "",
        essential: each.essential ?? true,
        ...readContainer(each),
      })),
    volumes: (main?.mountPoints ?? []).map((mount) => {
      const efs = volumes.find(({ name }) => name === mount.sourceVolume)?.efsVolumeConfiguration;
      const directory = efs?.rootDirectory === "/" ? undefined : efs?.rootDirectory;
      return defined({
        name: mount.sourceVolume ?? "",
        path: mount.containerPath ?? "",
        file_system_id: efs?.fileSystemId ?? "",
        access_point_id: efs?.authorizationConfig?.accessPointId,
        root_directory: directory,
        read_only: mount.readOnly ?? false,
      });
    }),
  });
  const roles = {
    // Some servers say an empty text of a role that is not there.
    execution: live.executionRoleArn || undefined,
    task: live.taskRoleArn || undefined,
    logGroup: main?.logConfiguration?.options?.["awslogs-group"],
  };
  return { task, roles, container: main?.name ?? service };
}

function readContainer(live: ContainerDefinition | undefined) {
  return {
    command: live?.command ?? [],
    env_vars: Object.fromEntries((live?.environment ?? []).map(({ name, value }) => [name ?? "", value ?? ""])),
    env_vars_secret: Object.fromEntries(
      (live?.secrets ?? []).map(({ name, valueFrom }) => [name ?? "", valueFrom ?? ""]),
    ),
    ports: (live?.portMappings ?? []).map(({ containerPort, protocol }) => ({
      port: containerPort ?? 0,
      protocol: protocol ?? ("tcp" as const),
    })),
  };
}
