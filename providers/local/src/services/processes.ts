import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Environment variable that every process of a service inherits; its value is the service's folder. */
export const serviceVariable = "WFCTL_LOCAL_SERVICE";

/** What a service, and its supervisor, may know of the environment that the provider was started in. */
export function baseEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"];
  return Object.fromEntries(
    names.filter((name) => environment[name] !== undefined).map((name) => [name, environment[name]]),
  );
}

/** A process, told from a later one of the same number by when it started. */
export interface ProcessMark {
  readonly pid: number;
  /** Empty where the system does not say. */
  readonly started: string;
}

export function markProcess(pid: number): ProcessMark {
  return { pid, started: startTime(pid) };
}

/** True while exactly this process lives; a zombie does not. */
export function isRunning({ pid, started }: ProcessMark): boolean {
  if (process.platform === "linux") return started !== "" && startTime(pid) === started && !isZombie(pid);
  return canSignal(pid) && (started === "" || startTime(pid) === started);
}

/** Signals a process group, else the process alone. Nothing happens where it is gone. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // Gone, or never a group of its own.
    }
  }
}

/**
 * Processes that belong to the service by what they inherited, those too that left their group and lost their parent.
 * Linux only: elsewhere the groups must do.
 */
function findServiceProcesses(folder: string, except: number): number[] {
  if (process.platform !== "linux") return [];
  const wanted = `${serviceVariable}=${folder}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== except && environmentOf(pid).includes(wanted) && !isZombie(pid));
}

/** SIGTERM to their groups, then SIGKILL when the grace is over; resolves when they are gone. */
export async function endProcesses(marks: readonly ProcessMark[], graceMs: number): Promise<void> {
  await endAll(() => marks.filter(isRunning).map(({ pid }) => pid), graceMs);
}

/** The same for all that belongs to the service, except this process. */
export async function endService(folder: string, marks: readonly ProcessMark[], graceMs: number): Promise<void> {
  await endAll(() => {
    const recorded = marks.filter(isRunning).map(({ pid }) => pid);
    return [...new Set([...recorded, ...findServiceProcesses(folder, process.pid)])];
  }, graceMs);
}

const pollMs = 20;
/** How long a killed process may take to disappear. */
const killMs = 5000;

async function endAll(left: () => number[], graceMs: number): Promise<void> {
  const send = (signal: NodeJS.Signals): void => {
    for (const pid of left()) signalGroup(pid, signal);
  };
  send("SIGTERM");
  const deadline = Date.now() + graceMs;
  while (left().length > 0 && Date.now() < deadline) await delay(pollMs);
  for (let waited = 0; left().length > 0 && waited < killMs; waited += pollMs) {
    send("SIGKILL");
    await delay(pollMs);
  }
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Field 22 of /proc/PID/stat, clock ticks between boot and start; elsewhere a text of the system's own. */
function startTime(pid: number): string {
  if (process.platform === "linux") return statFields(pid)[19] ?? "";
  const { stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
  return stdout?.trim() ?? "";
}

function isZombie(pid: number): boolean {
  const state = statFields(pid)[0];
  return state === "Z" || state === "X";
}

/** The fields after the name, which may hold anything. */
function statFields(pid: number): string[] {
  const text = readProcFile(pid, "stat");
  return text === "" ? [] : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function environmentOf(pid: number): string[] {
  return readProcFile(pid, "environ").split("\0");
}

function readProcFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
