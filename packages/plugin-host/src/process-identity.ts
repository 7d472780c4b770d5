import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";

/** What a process id is unique within. */
export interface MachineIdentity {
  /** Changes with each boot; empty where the system does not say. */
  readonly bootId: string;
  /** Empty on systems without process id namespaces. */
  readonly pidNamespace: string;
}

/** Reads boot id and process id namespace of this process. Never throws. */
export function readMachineIdentity(): MachineIdentity {
  if (process.platform === "linux") {
    return {
      bootId: attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) ?? "",
      pidNamespace: attempt(() => readlinkSync("/proc/self/ns/pid")) ?? "",
    };
  }
  return { bootId: attempt(() => run("sysctl", ["-n", "kern.boottime"])) ?? "", pidNamespace: "" };
}

/**
 * Start time of a process, a text that tells it from a later one with the same id; undefined where there is none,
 * or only its remains wait to be collected by the parent.
 */
export function readStartTime(pid: number): string | undefined {
  if (process.platform === "linux") {
    const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
    if (stat === undefined) return undefined;
    // The second field, the command in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const state = fields[0];
    return state === "Z" || state === "X" ? undefined : fields[19];
  }
  const line = attempt(() => run("ps", ["-o", "stat=,lstart=", "-p", String(pid)]));
  const match = line === undefined ? null : /^(\S+)\s+(.+)$/.exec(line);
  return match === null || match[1]?.startsWith("Z") ? undefined : match[2];
}

function run(command: string, args: string[]): string {
  return execFileSync(command, args, { encoding: "utf8", timeout: 5_000, stdio: ["ignore", "pipe", "ignore"] }).trim();
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
