import { jsonEqual, ProviderFailure, waitFor, type CallContext, type JsonObject } from "@wfctl/plugin-sdk";
import { askSupervisor, type SupervisorStatus } from "./control.ts";
import { launchSupervisor, readStatus, stopService } from "./launch.ts";
import type { ServiceFile, ServicePaths } from "./service-file.ts";
import { describe, isUp } from "./status.ts";

/** Longest wait for a service to come up, where its health check does not say. */
const startTimeoutMs = 60_000;
const pollMs = 50;
/** A service without a health check counts as up when it has run this long. */
const settledMs = 300;

/** Makes what runs equal to what the service file says, and waits until it is up. */
export async function bringUp(service: ServiceFile, paths: ServicePaths, context: CallContext<unknown>): Promise<void> {
  const { spec } = service;
  const { drain_seconds: drain, grace_period_seconds: grace } = spec.termination;
  const graceMs = (drain + grace) * 1000;
  const before = await readStatus(paths, context.signal);
  if (!spec.running) {
    await stopService(paths, graceMs, context.signal);
    return;
  }
  if (before === undefined) launchSupervisor(paths);
  else if (!isSame(before, service)) {
    context.progress(`Restarting service ${service.name}`, { waiting: true });
    await askSupervisor(paths.socket, { op: "apply" }, { timeoutMs: graceMs + 10_000, signal: context.signal });
  }
  const check = spec.health_check;
  const patience =
    check === undefined ? 0 : check.initial_delay_seconds + check.period_seconds * (check.failure_threshold + 1);
  let status: SupervisorStatus | undefined;
  try {
    await waitFor(context, {
      describe: () => `service ${service.name} to come up (${describe(status)})`,
      everyMs: pollMs,
      timeoutMs: Math.max(startTimeoutMs, patience * 1000),
      check: async () => {
        status = await readStatus(paths, context.signal);
        if (status?.spawnError !== undefined) throw notStarted(service, status.spawnError);
        if (status?.instances.some(({ restarts, state }) => restarts >= 3 || state === "stopped")) {
          throw keepsEnding(service, paths, status);
        }
        const settled = check !== undefined || status?.instances.every(({ upMs }) => upMs >= settledMs) === true;
        return settled && isUp(status) ? true : undefined;
      },
    });
  } catch (error) {
    if (!(error instanceof ProviderFailure) || error.class !== "deadline") throw error;
    throw new ProviderFailure("unknown", `${error.message}; its output is in ${paths.log}`, { cause: error });
  }
}

/** True while the supervisor runs what is wanted and no instance has given up. */
function isSame(status: SupervisorStatus, service: ServiceFile): boolean {
  const spec = status.spec as unknown as JsonObject;
  return (
    status.port === service.port &&
    jsonEqual(spec, JSON.parse(JSON.stringify(service.spec)) as JsonObject) &&
    status.instances.every(({ state }) => state !== "stopped")
  );
}

function notStarted(service: ServiceFile, reason: string): ProviderFailure {
  return new ProviderFailure("validation", `Cannot start the command of service "${service.name}": ${reason}`);
}

function keepsEnding(service: ServiceFile, paths: ServicePaths, status: SupervisorStatus): ProviderFailure {
  const exit = status.instances.find(({ lastExit }) => lastExit !== undefined)?.lastExit ?? "no reason given";
  return new ProviderFailure(
    "unknown",
    `Service "${service.name}" does not stay up: it ends with ${exit}; its output is in ${paths.log}`,
  );
}
