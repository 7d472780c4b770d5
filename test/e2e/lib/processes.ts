import { readFileSync } from "node:fs";
import type { DiskCloud } from "@wfctl/testkit";

/** Processes of plugins that were ever asked something. */
export function pluginPids(cloud: DiskCloud): number[] {
  return [...new Set(cloud.calls().map((call) => call.pid))];
}

/** True while the process is there and is more than what waits to be collected. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}
