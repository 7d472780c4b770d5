import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock, Random } from "@wfctl/engine";

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
};

export const realRandom: Random = {
  id: () => randomBytes(12).toString("hex"),
  number: () => Math.random(),
};

/** `20250131T174512-3f9c2a`: sorts by time, and can be read out and typed. */
export function createRunId(nowMs: number): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+Z$/g, "");
  return `${time}-${randomBytes(3).toString("hex")}`;
}

/** True in automation that has no lasting home. */
export function isCi(env: Readonly<Record<string, string | undefined>>): boolean {
  const value = (env["CI"] ?? "").toLowerCase();
  return value !== "" && value !== "false" && value !== "0";
}
