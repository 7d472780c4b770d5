import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import type { LeaseHolder } from "@wfctl/engine";

/** This process, exact enough to be told from a later one of the same number. */
export function thisHolder(command: string): LeaseHolder {
  const { bootId, pidNamespace } = thisMachine();
  return {
    host: hostname(),
    bootId,
    pidNamespace,
    pid: process.pid,
    startTime: readProcess(process.pid)?.startTime ?? "",
    command,
    user: userName(),
    since: new Date().toISOString(),
  };
}

/**
 * `dead`: a process of this machine, boot and pid namespace that is gone, a zombie, or another of the same number.
 * `unknown`: of another machine, boot or namespace, so that only time can tell.
 */
export function isHolderAlive(
  holder: Pick<LeaseHolder, "bootId" | "pidNamespace" | "pid" | "startTime">,
): "alive" | "dead" | "unknown" {
  const here = thisMachine();
  if (here.bootId === "" || holder.bootId !== here.bootId || holder.pidNamespace !== here.pidNamespace)
    return "unknown";
  const found = readProcess(holder.pid);
  if (found === undefined) return isSignalable(holder.pid) ? "unknown" : "dead";
  if (found.zombie) return "dead";
  if (holder.startTime === "" || found.startTime === "") return "unknown";
  return found.startTime === holder.startTime ? "alive" : "dead";
}

/** What makes a process number unique: the boot and the pid namespace it counts in. Empty where the system does not say. */
export function thisMachine(): { readonly bootId: string; readonly pidNamespace: string } {
  if (process.platform === "linux") {
    return {
      bootId: attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) ?? "",
      pidNamespace: attempt(() => readlinkSync("/proc/self/ns/pid")) ?? "",
    };
  }
  const bootId = attempt(() => run("sysctl", ["-n", "kern.bootsessionuuid"])) ?? "";
  return { bootId, pidNamespace: process.platform };
}

/** Undefined where there is no such process. */
export function readProcess(pid: number): { readonly startTime: string; readonly zombie: boolean } | undefined {
  if (process.platform === "linux") {
    const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
    if (stat === undefined) return undefined;
    // The command's name, in parentheses, may hold blanks and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { startTime: fields[19] ?? "", zombie: fields[0] === "Z" || fields[0] === "X" };
  }
  const line = attempt(() => run("ps", ["-o", "stat=,lstart=", "-p", String(pid)]));
  if (line === undefined || line === "") return undefined;
  const [state = "", ...start] = line.split(/\s+/);
  return { startTime: start.join(" "), zombie: state.startsWith("Z") };
}

function isSignalable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function userName(): string {
  return attempt(() => userInfo().username) ?? String(process.getuid?.() ?? "unknown");
}

function run(command: string, args: readonly string[]): string {
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
  return execFileSync(command, args, {
    encoding: "utf8",
    env,
    timeout: 5000,
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
