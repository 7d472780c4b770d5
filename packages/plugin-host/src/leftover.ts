import { setTimeout as sleep } from "node:timers/promises";

import { WfctlError, type PluginProcess } from "@wfctl/model";

import { readMachineIdentity, readStartTime } from "./process-identity.ts";

const pollMs = 5;

export interface LeftoverReport {
  /** Proven to be gone from this machine: killed now, or dead before. */
  readonly gone: readonly PluginProcess[];
  /** Of another boot, machine or process namespace: nothing is known of them, nothing was done. */
  readonly elsewhere: readonly PluginProcess[];
}

/**
 * Kills the plugin processes of a dead run that still live on this machine, with their process groups, and returns
 * once they are gone. A process is touched only if boot id, process namespace and start time are those recorded.
 * Throws `PLUGIN_TIMEOUT` naming the processes that outlive `timeoutMs` (default 10 s).
 */
export async function killLeftoverPlugins(
  processes: readonly PluginProcess[],
  options: { readonly timeoutMs?: number } = {},
): Promise<LeftoverReport> {
  const machine = readMachineIdentity();
  const isHere = (recorded: PluginProcess) =>
    machine.bootId !== "" && recorded.bootId === machine.bootId && recorded.pidNamespace === machine.pidNamespace;
  const here = processes.filter(isHere);
  const elsewhere = processes.filter((recorded) => !isHere(recorded));
  let alive = here.filter(isAlive);
  for (const { pid } of alive) killGroup(pid);
  const until = performance.now() + (options.timeoutMs ?? 10_000);
  while ((alive = alive.filter(isAlive)).length > 0) {
    if (performance.now() > until) {
      const names = alive.map((recorded) => `${recorded.plugin} (pid ${recorded.pid})`).join(", ");
      throw new WfctlError("PLUGIN_TIMEOUT", `Plugin processes of an earlier run cannot be ended: ${names}`, {
        hint: `End them by hand: kill -9 ${alive.map((recorded) => recorded.pid).join(" ")}`,
      });
    }
    await sleep(pollMs);
  }
  return { gone: here, elsewhere };
}

function isAlive(recorded: PluginProcess): boolean {
  return readStartTime(recorded.pid) === recorded.startTime;
}

/** Kills the process group that a plugin leads. A group that is gone, or belongs to someone else, is passed over. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing left to kill.
  }
}
