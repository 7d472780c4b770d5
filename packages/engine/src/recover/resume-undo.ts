import { WfctlError, type JournalEvent, type RunState } from "@wfctl/model";
import type { EngineDeps } from "../apply/run.ts";
import { compensateRun, type CompensationReport } from "../compensate/compensate-run.ts";
import { finalizerOwedEvents, undoneOwedEvents } from "../finalize/owed-records.ts";
import type { Provider } from "../ports/index.ts";
import type { RecoverDeps } from "./recover-runs.ts";

/** True where a process died while it was undoing a run. */
export function isUndo(run: RunState): boolean {
  return run.undo !== undefined || run.header.undoes !== undefined;
}

/**
 * Goes on with an undo that a dead process had begun. Its steps may be repeated: each looks at the cloud first,
 * so the calls that were in flight need no resolving of their own.
 */
export async function resumeUndo(deps: RecoverDeps, run: RunState): Promise<CompensationReport> {
  const skip = new Set(run.undo?.skip ?? []);
  const records = new Map((await deps.store.load()).records);
  await deps.store.commit(deps.lease, [...closeIntents(run), ...undoneOwedEvents(run, records)]);
  const ownRun = run.header.undoes !== undefined;
  if (ownRun) await deps.store.commit(deps.lease, closeUndoRun(deps, run));
  const target = await deps.store.run(run.header.undoes ?? run.header.id);
  if (target === undefined) {
    throw new WfctlError(
      "RUN_UNKNOWN",
      `Cannot go on with the undo of run ${run.header.undoes}: the journal does not hold it any more`,
    );
  }
  const state = await deps.store.load();
  const report = await compensateRun(await engineDeps(deps, target), target, state, {
    skip,
    signal: deps.signal,
    ...(ownRun ? { undoRunId: deps.random.id() } : {}),
  });
  if (!ownRun) {
    const left = new Map((await deps.store.load()).records);
    await deps.store.commit(deps.lease, [
      ...finalizerOwedEvents(run.header.id, run.finalizeOwed, left),
      { kind: "run-closed", run: run.header.id, end: report.end, at: new Date(deps.clock.now()).toISOString() },
    ]);
    deps.emit({ event: "run-closed", run: run.header.id, end: report.end });
  }
  return report;
}

function closeIntents(run: RunState): JournalEvent[] {
  return [...run.openIntents, ...run.unknownIntents.map((entry) => entry.intent)]
    .filter((intent) => intent.phase === "undo")
    .map(({ run: id, action, half, phase }) => ({ kind: "intent-closed", run: id, action, half, phase }));
}

/** The run that was doing the undo ends here; a new one goes on. */
function closeUndoRun(deps: RecoverDeps, run: RunState): JournalEvent[] {
  const events: JournalEvent[] = run.header.actions
    .filter((action) => !run.outcomes.has(action.index))
    .map((action) => ({
      kind: "outcome",
      run: run.header.id,
      outcome: {
        action: action.index,
        status: "SKIPPED",
        code: "INTERRUPTED",
        message: "The process died before this was undone; another run goes on",
        attempts: 0,
        durationMs: 0,
      },
    }));
  events.push({
    kind: "run-closed",
    run: run.header.id,
    end: "recovered",
    at: new Date(deps.clock.now()).toISOString(),
  });
  return events;
}

async function engineDeps(deps: RecoverDeps, target: RunState): Promise<EngineDeps> {
  const providers = new Map<string, Provider>();
  for (const module of new Set(target.header.actions.map((action) => action.provider))) {
    const provider = await deps.provider(module);
    if (provider !== undefined) providers.set(module, provider);
  }
  return { ...deps, providers, providerConfigs: new Map(), env: {} };
}
