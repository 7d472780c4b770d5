import type { Task } from "@aws-sdk/client-ecs";
import { ProviderFailure, type JobHandle, type JobStatus, type LogChunk } from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import { ensureCluster, findLogGroup } from "../ecs/parts.ts";
import { orNone } from "../errors.ts";
import { shortHash } from "../naming.ts";
import { creationTags } from "../ownership.ts";
import { toLowerPairs } from "../tags.ts";
import { readLogs } from "./log-events.ts";
import type { JobSpec, Jobs } from "./types.ts";

const size = { cpu: "256", memory: "512" };
const container = "job";
const maxFamilyLength = 200;

/** One-off jobs as ECS tasks: on Fargate where the provider has `ecs_subnet_ids`, else on the cluster's own instances. */
export const jobs: Jobs = {
  async run(spec, context): Promise<JobHandle> {
    checkSpec(spec, context);
    const cloud = aws(context);
    const { ecs_cluster: cluster, ecs_subnet_ids: subnets, ecs_security_group_ids: groups } = context.client.config;
    await ensureCluster(cloud, cluster);
    await ensureLogGroup(cloud, context.client.config.ecs_runner_log_group);
    const taskDefinition = await registerJob(cloud, spec);
    const { tasks: [task] = [], failures: [failure] = [] } = await cloud.ecs.runTask({
      cluster,
      taskDefinition,
      count: 1,
      // The same job again gives the task that runs.
      clientToken: shortHash(context.clientToken, 32),
      startedBy: "wfctl",
      tags: toLowerPairs(creationTags(context, spec.name, {})),
      ...(subnets === undefined
        ? {}
        : {
            launchType: "FARGATE" as const,
            networkConfiguration: {
              awsvpcConfiguration: { subnets, securityGroups: groups ?? [], assignPublicIp: "ENABLED" as const },
            },
          }),
    });
    if (task?.taskArn === undefined) {
      await removeDefinition(cloud, taskDefinition);
      throw new ProviderFailure(
        "unknown",
        `ECS did not start job "${spec.name}": ${failure?.reason ?? "no reason given"}`,
      );
    }
    const metadata = {
      cluster,
      task_definition: taskDefinition,
      log_group: context.client.config.ecs_runner_log_group,
    };
    return { id: task.taskArn, name: spec.name, metadata };
  },

  async status(handle, context): Promise<JobStatus> {
    const cloud = aws(context);
    const task = await findTask(cloud, handle);
    if (task === undefined)
      throw new ProviderFailure("not_found", `Task "${handle.id}" of job "${handle.name}" is not known any more`);
    const status = statusOf(task);
    const definition = handle.metadata?.["task_definition"];
    if (task.lastStatus === "STOPPED" && definition !== undefined) await removeDefinition(cloud, definition);
    return status;
  },

  async *logs(handle, context): AsyncGenerator<LogChunk> {
    const cloud = aws(context);
    yield* readLogs(cloud, {
      group: handle.metadata?.["log_group"] ?? context.client.config.ecs_runner_log_group,
      streamPrefix: `${container}/${container}/${handle.id.split("/").at(-1) ?? ""}`,
      tailLines: 10_000,
      follow: true,
      until: context.deadline,
      isOver: async () => {
        const task = await findTask(cloud, handle);
        return task === undefined || task.lastStatus === "STOPPED";
      },
    });
  },
};

function checkSpec(spec: JobSpec, context: Context): void {
  const { ecs_subnet_ids: subnets, ecs_task_execution_role_arn: role } = context.client.config;
  if (spec.image === "") throw new ProviderFailure("validation", `Job "${spec.name}" has no image`);
  if (spec.cron !== "" || spec.kind === "SCHEDULED") {
    throw new ProviderFailure("unsupported", `Job "${spec.name}" has a schedule: the provider runs jobs at once only`);
  }
  if (subnets !== undefined && role === undefined) {
    throw new ProviderFailure(
      "validation",
      "Jobs on Fargate need ecs_task_execution_role_arn in the provider's configuration",
    );
  }
  const unresolved = Object.entries(spec.envVarsSecret).filter(([, reference]) => !reference.startsWith("arn:"));
  if (unresolved.length > 0) {
    const names = unresolved.map(([name]) => name).join(", ");
    throw new ProviderFailure(
      "validation",
      `Job "${spec.name}": ${names} must be ARNs of Secrets Manager secrets or SSM parameters`,
    );
  }
}

async function ensureLogGroup(cloud: Aws, group: string): Promise<void> {
  if ((await findLogGroup(cloud, group)) !== undefined) return;
  const { default_tags: tags } = cloud.client.config;
  await orNone(cloud.logs.createLogGroup({ logGroupName: group, tags }), "ResourceAlreadyExistsException");
}

async function registerJob({ ecs, client, region, context }: Aws, spec: JobSpec): Promise<string> {
  const { ecs_subnet_ids: subnets, ecs_task_execution_role_arn: role, ecs_runner_log_group: group } = client.config;
  const isFargate = subnets !== undefined;
  const name = spec.name.replaceAll(/[^\w-]+/g, "-").slice(0, maxFamilyLength);
  const { taskDefinition } = await ecs.registerTaskDefinition({
    family: `wfctl-job-${name}`,
    networkMode: isFargate ? "awsvpc" : "bridge",
    requiresCompatibilities: [isFargate ? "FARGATE" : "EC2"],
    ...size,
    ...(role === undefined ? {} : { executionRoleArn: role }),
    containerDefinitions: [
      {
        name: container,
        image: spec.image,
        essential: true,
        ...(spec.runCommand === "" ? {} : { entryPoint: ["/bin/sh", "-c"], command: [spec.runCommand] }),
        environment: Object.entries(spec.envVars).map(([key, value]) => ({ name: key, value })),
        secrets: Object.entries(spec.envVarsSecret).map(([key, valueFrom]) => ({ name: key, valueFrom })),
        logConfiguration: {
          logDriver: "awslogs",
          options: { "awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": container },
        },
      },
    ],
    tags: toLowerPairs(creationTags(context, spec.name, {})),
  });
  return taskDefinition?.taskDefinitionArn ?? "";
}

/** A job's definition is its own: it goes when the job is over. */
async function removeDefinition({ ecs }: Aws, arn: string): Promise<void> {
  await orNone(ecs.deregisterTaskDefinition({ taskDefinition: arn }), "ClientException", "InvalidParameterException");
}

async function findTask({ ecs, client }: Aws, handle: JobHandle): Promise<Task | undefined> {
  const cluster = handle.metadata?.["cluster"] ?? client.config.ecs_cluster;
  return (await ecs.describeTasks({ cluster, tasks: [handle.id] })).tasks?.[0];
}

function statusOf(task: Task): JobStatus {
  const { lastStatus, stopCode, stoppedReason, containers: [own] = [] } = task;
  if (lastStatus !== "STOPPED") return { state: lastStatus === "RUNNING" ? "running" : "pending" };
  const message = own?.reason ?? stoppedReason ?? "";
  const { exitCode } = own ?? {};
  if (stopCode === "UserInitiated")
    return { state: "cancelled", message, ...(exitCode === undefined ? {} : { exitCode }) };
  if (exitCode === 0) return { state: "succeeded", exitCode: 0, message };
  return { state: "failed", exitCode: exitCode ?? 1, message };
}
