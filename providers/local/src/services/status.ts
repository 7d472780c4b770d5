import type { SupervisorStatus } from "./control.ts";
import type { ServiceFile } from "./service-file.ts";

/** True where all instances run, and are healthy where there is a check. */
export function isUp(status: SupervisorStatus | undefined): boolean {
  if (status === undefined || status.instances.length < status.spec.instance_count) return false;
  const needsHealth = status.spec.health_check !== undefined;
  return status.instances.every(({ state, health }) => state === "running" && (!needsHealth || health === "healthy"));
}

/** For people: what the instances do. */
export function describe(status: SupervisorStatus | undefined): string {
  if (status === undefined) return "no supervisor";
  const words = status.instances.map(({ state, health, lastExit }) => {
    const ending = lastExit === undefined || state === "running" ? "" : `, ended with ${lastExit}`;
    return `${state}${health === "unknown" ? "" : `, ${health}`}${ending}`;
  });
  return [...new Set(words)].join("; ") || "starting";
}

export function statusWord(service: ServiceFile, status: SupervisorStatus | undefined): string {
  if (status === undefined || !service.spec.running) return "stopped";
  if (isUp(status)) return "running";
  return status.instances.every(({ state }) => state === "stopped") ? "stopped" : "degraded";
}
