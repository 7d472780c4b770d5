import type { Intent, PluginProcess, StackState } from "@wfctl/model";
import type { CompensationReport } from "../compensate/undo.ts";
import { createGate } from "../graph/gate.ts";
import type { Clock, Digester, EventSink, Hooks, Lease, Provider, Random, Store } from "../ports/index.ts";
import { createSecretSet, secretsOfState, type SecretSet } from "../report/redact.ts";
import { callHooksOfClosedRuns } from "./owed-hooks.ts";
import { recoverRun } from "./recover-run.ts";
import { resolveOne } from "./resolve-one.ts";
import { settleUnknown } from "./settle-unknown.ts";

export interface RecoverDeps {
  readonly store: Store;
  readonly lease: Lease;
  /** Starts the provider of a module with today's configuration, or the recorded one where the module is gone. Undefined where neither is there. */
  readonly provider: (module: string) => Promise<Provider | undefined>;
  /** Kills plugin processes of dead runs that still live on this machine. False where some may live elsewhere. */
  readonly killPlugins: (processes: readonly PluginProcess[]) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: Random;
  readonly digester: Digester;
  readonly hooks?: Hooks;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
  /** Written into the header of a run that resumes an undo. */
  readonly engineVersion: string;
  readonly user: string;
  readonly host: string;
}

export interface RecoveryReport {
  /** Runs that were closed. */
  readonly runs: readonly string[];
  readonly resolved: readonly {
    readonly run: string;
    readonly name: string;
    readonly operation: string;
    readonly status: string;
    readonly message: string;
  }[];
  /** Resources that stay unknown. */
  readonly unknown: readonly { readonly name: string; readonly why: string }[];
  /** Undos that a dead process had begun and that are finished now: the command should end with them. */
  readonly undos: readonly CompensationReport[];
}

/** One recovery while it goes on. */
export interface Recovery {
  readonly deps: RecoverDeps;
  readonly lineage: string;
  readonly secrets: SecretSet;
  /** Records as far as they are committed. */
  readonly records: Map<string, StackState["records"] extends ReadonlyMap<string, infer R> ? R : never>;
  readonly report: {
    readonly runs: string[];
    readonly resolved: RecoveryReport["resolved"][number][];
    readonly unknown: RecoveryReport["unknown"][number][];
    readonly undos: CompensationReport[];
  };
  /** Bounds the calls that are open at once. */
  readonly gate: ReturnType<typeof createGate>;
}

/**
 * Resolves, by evidence, all that dead runs left in flight, fills the slots they left open, calls the hooks they owe, and closes them; calls the hooks that closed runs owe.
 * Must be called by whoever takes the lease, before anything else is written. An intent without certainty stays open: its resource is `unknown`.
 */
export async function recoverRuns(deps: RecoverDeps): Promise<RecoveryReport> {
  const state = await deps.store.load();
  const recovery: Recovery = {
    deps,
    lineage: state.lineage,
    secrets: createSecretSet(),
    records: new Map(state.records),
    report: { runs: [], resolved: [], unknown: [], undos: [] },
    gate: createGate(10),
  };
  const { report } = recovery;
  if (state.openRuns.length === 0 && state.unknown.size === 0 && state.hooksOwed.length === 0) return report;
  secretsOfState(state, recovery.secrets);
  await recoverUnknown(recovery, state);
  await callHooksOfClosedRuns(recovery, state);
  for (const run of state.openRuns) {
    const processesGone = await deps.killPlugins(run.plugins);
    await recoverRun(recovery, run, processesGone);
    report.runs.push(run.header.id);
  }
  return report;
}

/** What closed runs left in doubt is asked for again: all of it, though the state shows of each resource the newest only. */
async function recoverUnknown(recovery: Recovery, state: StackState): Promise<void> {
  const { deps, gate } = recovery;
  const gone = new Map<string, Promise<boolean>>();
  const asked = new Set<string>();
  let shown = [...state.unknown.values()];
  while (shown.length > 0) {
    const results = await Promise.all(
      shown.map(async ({ intent }) => {
        asked.add(keyOf(intent));
        if (!gone.has(intent.run)) gone.set(intent.run, processesOfClosedRunGone(deps, intent.run));
        const processesGone = await (gone.get(intent.run) as Promise<boolean>);
        return { intent, resolution: await gate(() => resolveOne(recovery, intent, processesGone)) };
      }),
    );
    for (const { intent, resolution } of results) await settleUnknown(recovery, intent, resolution);
    if (results.every(({ resolution }) => resolution.resolution.found === "unknown")) return;
    const { unknown } = await deps.store.load();
    shown = [...unknown.values()].filter(({ intent }) => !asked.has(keyOf(intent)));
  }
}

function keyOf({ run, action, half, phase }: Intent): string {
  return `${run}:${action}:${half}:${phase}`;
}

/** A run that closed itself has ended its plugins before; of one that was closed for it they may live on elsewhere. */
async function processesOfClosedRunGone(deps: RecoverDeps, id: string): Promise<boolean> {
  const run = await deps.store.run(id);
  return run === undefined || run.closed?.end !== "recovered" || deps.killPlugins(run.plugins);
}
