import { spawn } from "node:child_process";
import { existsSync, openSync, closeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { askSupervisor, type SupervisorStatus } from "./control.ts";
import { endRecorded } from "./leftovers.ts";
import { baseEnvironment, endProcesses, isRunning, markProcess } from "./processes.ts";
import type { ServicePaths } from "./service-file.ts";

/** Beyond the grace of its processes: for the supervisor to answer, and then to disappear. */
const answerMs = 10_000;
const disappearMs = 5_000;

/** The supervisor's program: beside this one in a bundle, in its own folder in the sources. */
function supervisorProgram(): string {
  const bundled = fileURLToPath(new URL("./supervisor.js", import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL("../supervisor/main.ts", import.meta.url));
}

/**
 * Starts a supervisor that lives on when this process and its group are gone. Where one runs already, the new one sees
 * that and ends.
 */
export function launchSupervisor(paths: ServicePaths): void {
  const log = openSync(paths.supervisorLog, "a", 0o600);
  try {
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", supervisorProgram(), paths.folder],
      {
        cwd: paths.folder,
        detached: true,
        env: baseEnvironment(process.env),
        stdio: ["ignore", log, log],
      },
    );
    child.on("error", () => {});
    child.unref();
  } finally {
    closeSync(log);
  }
}

export function readStatus(paths: ServicePaths, signal: AbortSignal): Promise<SupervisorStatus | undefined> {
  return askSupervisor(paths.socket, { op: "status" }, { signal });
}

/**
 * Ends the supervisor and all processes of the service; resolves when they are gone. A supervisor that does not answer
 * is killed, and what it leaves behind is ended without it.
 */
export async function stopService(paths: ServicePaths, graceMs: number, signal?: AbortSignal): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const status = await askSupervisor(paths.socket, { op: "status" }, options).catch(() => undefined);
  if (status !== undefined) {
    const supervisor = markProcess(status.pid);
    await askSupervisor(paths.socket, { op: "stop" }, { timeoutMs: graceMs + answerMs, ...options }).catch(
      (error: unknown) => {
        if (signal?.aborted) throw error;
      },
    );
    if (isRunning(supervisor)) await endProcesses([supervisor], disappearMs);
  }
  await endRecorded(paths.folder);
}
