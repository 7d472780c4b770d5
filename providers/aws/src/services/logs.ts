import { ProviderFailure, type LogChunk } from "@wfctl/plugin-sdk";
import { aws, type Context } from "../calls.ts";
import { parseServiceArn, servicePlace, type ServicePlace } from "../ecs/names.ts";
import { findService } from "../ecs/service.ts";
import { findTaskDefinition, readTask } from "../ecs/task-definition.ts";
import { readLogs } from "./log-events.ts";
import type { LogRequest } from "./types.ts";

const defaultTailLines = 300;
/** `LOG_CAPTURE_TYPE_DEPLOY`: what ECS says of the service instead of what its containers say. */
const deployLog = 2;

/** Logs of a container service: of its containers from CloudWatch, or the events of its deployments. */
export async function* captureLogs(request: LogRequest, context: Context): AsyncGenerator<LogChunk> {
  if (request.resourceType !== "" && request.resourceType !== "infra.container_service") {
    throw new ProviderFailure("unsupported", `${request.resourceType} has no logs that the provider can read`);
  }
  const place = await placeOf(request, context);
  const cloud = aws(context, place.region);
  const service = await findService(cloud, place);
  if (service === undefined) throw new ProviderFailure("not_found", `Service "${place.service}" does not exist`);
  if (request.logType === deployLog) {
    const events = (service.events ?? []).slice(0, request.tailLines || defaultTailLines).toReversed();
    for (const { createdAt, message = "" } of events) {
      yield { data: Buffer.from(`${createdAt?.toISOString() ?? ""} ${message}\n`), source: "historic" };
    }
    yield { data: new Uint8Array(), eof: true };
    return;
  }
  const definition = await findTaskDefinition(cloud, service.taskDefinition ?? "");
  const group = readTask(definition ?? {}, place.service).roles.logGroup;
  if (group === undefined) {
    throw new ProviderFailure("unsupported", `Service "${place.service}" writes no logs to CloudWatch`);
  }
  yield* readLogs(cloud, {
    group,
    ...(request.componentName === "" ? {} : { streamPrefix: `${request.componentName}/` }),
    tailLines: request.tailLines || defaultTailLines,
    follow: request.follow,
    until: followUntil(request, context),
  });
}

function followUntil({ durationSeconds: seconds }: LogRequest, context: Context): number {
  const wanted = Number(seconds);
  return wanted > 0 ? context.clock.now() + wanted * 1000 : context.deadline;
}

async function placeOf({ providerId, resourceName }: LogRequest, context: Context): Promise<ServicePlace> {
  const place = parseServiceArn(providerId);
  if (place !== undefined) return place;
  const { accountId, partition } = await context.client.identity(context.signal);
  const { region, config } = context.client;
  return servicePlace({ accountId, partition, region }, config.ecs_cluster, resourceName);
}
