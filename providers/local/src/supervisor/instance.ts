import { spawn, type ChildProcess } from "node:child_process";
import { setPriority } from "node:os";
import type { InstanceStatus } from "../services/control.ts";
import {
  baseEnvironment,
  endProcesses,
  markProcess,
  serviceVariable,
  type ProcessMark,
} from "../services/processes.ts";
import type { ServiceSpec } from "../services/service-file.ts";
import { watchHealth, type Health } from "./health.ts";
import type { LogFile } from "./log-file.ts";

const firstBackoffMs = 500;
const maxBackoffMs = 30_000;
/** A process that ran this long was well: the next restart comes soon again. */
const steadyMs = 10_000;

/** One running copy of the command, restarted as its policy says. */
export interface Instance {
  status(): InstanceStatus;
  /** Its process, while there is one. */
  mark(): ProcessMark | undefined;
  spawnError(): string | undefined;
  /** Ends it for good. Resolves when no process of it is left. */
  stop(graceMs: number): Promise<void>;
}

export interface InstanceOptions {
  readonly index: number;
  readonly port: number;
  readonly folder: string;
  readonly workingFolder: string;
  readonly spec: ServiceSpec;
  readonly log: LogFile;
  /** A process was started or has ended. */
  onChange(): void;
}

export function startInstance(options: InstanceOptions): Instance {
  const { index, port, workingFolder, spec, log, onChange } = options;
  let child: ChildProcess | undefined;
  let mark: ProcessMark | undefined;
  let state: InstanceStatus["state"] = "starting";
  let health: Health = "unknown";
  let watch: { stop(): void } | undefined;
  let restarts = 0;
  let backoffMs = firstBackoffMs;
  let startedAt = 0;
  let lastExit: string | undefined;
  let spawnError: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopping = false;

  const ended = (how: string, failed: boolean): void => {
    watch?.stop();
    child = undefined;
    mark = undefined;
    health = "unknown";
    lastExit = how;
    if (stopping || spec.restart === "never" || (spec.restart === "on_failure" && !failed)) {
      state = "stopped";
    } else {
      state = "waiting";
      if (Date.now() - startedAt >= steadyMs) backoffMs = firstBackoffMs;
      timer = setTimeout(() => {
        restarts += 1;
        start();
      }, backoffMs);
      backoffMs = Math.min(maxBackoffMs, backoffMs * 2);
    }
    onChange();
  };

  const start = (): void => {
    state = "starting";
    startedAt = Date.now();
    const [file, args] = commandOf(spec);
    // A group of its own: ending it ends what the command has started.
    child = spawn(file, args, {
      cwd: workingFolder,
      env: environmentOf(options),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const own = child;
    own.stdout?.on("data", (chunk: Buffer) => log.write(chunk));
    own.stderr?.on("data", (chunk: Buffer) => log.write(chunk));
    own.once("error", (error: NodeJS.ErrnoException) => {
      spawnError = `${error.code ?? "unknown error"} on ${file}`;
      if (own.pid === undefined) ended(`not started: ${spawnError}`, true);
    });
    own.once("spawn", () => {
      spawnError = undefined;
      state = "running";
      mark = markProcess(own.pid!);
      if (spec.nice !== 0) lowerPriority(own.pid!, spec.nice);
      if (spec.health_check !== undefined) {
        watch = watchHealth(spec.health_check, port, (verdict) => (health = verdict));
      }
      onChange();
    });
    own.once("exit", (code, signal) => {
      if (own !== child) return;
      ended(signal === null ? `exit code ${code}` : `signal ${signal}`, code !== 0);
    });
  };

  start();
  return {
    status: () => ({
      index,
      pid: child?.pid,
      state,
      health,
      upMs: state === "running" ? Date.now() - startedAt : 0,
      restarts,
      lastExit,
    }),
    mark: () => mark,
    spawnError: () => spawnError,
    async stop(graceMs) {
      stopping = true;
      clearTimeout(timer);
      watch?.stop();
      const marks = mark === undefined ? [] : [mark];
      const gone = child === undefined ? Promise.resolve() : new Promise((resolve) => child!.once("exit", resolve));
      await endProcesses(marks, graceMs);
      if (marks.length > 0) await gone;
      state = "stopped";
    },
  };
}

function commandOf(spec: ServiceSpec): [string, readonly string[]] {
  if (spec.run_command !== undefined) return ["/bin/sh", ["-c", spec.run_command, "sh", ...(spec.args ?? [])]];
  const [file = "", ...rest] = spec.command ?? [];
  return [file, [...rest, ...(spec.args ?? [])]];
}

/** The service's own variables on a small base: nothing of what the provider was started with leaks into it. */
function environmentOf({ index, port, folder, spec }: InstanceOptions): NodeJS.ProcessEnv {
  return {
    ...baseEnvironment(process.env),
    HOST: "127.0.0.1",
    PORT: String(port),
    INSTANCE: String(index),
    ...spec.env_vars,
    ...spec.env_vars_secret,
    [serviceVariable]: folder,
  };
}

function lowerPriority(pid: number, nice: number): void {
  try {
    setPriority(pid, nice);
  } catch {
    // Gone already, or not allowed: not worth failing for.
  }
}
