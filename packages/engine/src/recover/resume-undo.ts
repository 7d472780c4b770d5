import { WfctlError, type Intent, type JournalEvent, type RunState } from "@wfctl/model";
import type { EngineDeps } from "../apply/run.ts";
import { compensateRun } from "../compensate/compensate-run.ts";
import { undoKey, type CompensationReport } from "../compensate/undo.ts";
import { finalizerOwedEvents, undoneOwedEvents } from "../finalize/owed-records.ts";
import type { Provider } from "../ports/index.ts";
import type { RecoverDeps, Recovery } from "./recover-runs.ts";
import type { Resolved } from "./resolve-one.ts";

/** True where a process died while it was undoing a run. */
export function isUndo(run: RunState): boolean {
  return run.undo !== undefined || run.header.undoes !== undefined;
}

/** A call of a dead undo, and what became of it. */
interface SentStep {
  readonly intent: Intent;
  readonly resolved: Resolved;
}

/**
 * Goes on with an undo that a dead process had begun. Its steps are repeated: each looks at the cloud first. A call that
 * was in flight is closed once it is certain that nothing can come of it any more; else it stays open until its step is done.
 */
export async function resumeUndo(
  { deps, secrets, report: recovered }: Recovery,
  run: RunState,
  sent: readonly SentStep[],
): Promise<CompensationReport> {
  const skip = new Set(run.undo?.skip ?? []);
  const records = new Map((await deps.store.load()).records);
  const doubts = new Map<string, Intent>();
  const reasons = new Map<string, string>();
  const events: JournalEvent[] = [];
  for (const { intent, resolved } of sent) {
    const { run: id, action, half, phase } = intent;
    const { resolution } = resolved;
    const planned = run.header.actions[action];
    if (resolution.found !== "unknown" || planned === undefined) {
      events.push({ kind: "intent-closed", run: id, action, half, phase });
      continue;
    }
    const why = secrets.redact(resolution.why);
    events.push({ kind: "intent-unknown", run: id, action, half, phase, why });
    doubts.set(undoKey(planned), intent);
    reasons.set(undoKey(planned), why);
  }
  await deps.store.commit(deps.lease, [...events, ...undoneOwedEvents(run, records)]);
  const ownRun = run.header.undoes !== undefined;
  if (ownRun) await deps.store.commit(deps.lease, closeUndoRun(deps, run, doubts));
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
    doubts,
    ...(ownRun ? { undoRunId: deps.random.id() } : {}),
  });
  const undone = new Set(report.undone.map(({ name }) => name));
  for (const [key, { name }] of doubts)
    if (!undone.has(name)) recovered.unknown.push({ name, why: reasons.get(key) ?? "" });
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

/** The run that was doing the undo ends here; a new one goes on. */
function closeUndoRun(deps: RecoverDeps, run: RunState, doubts: ReadonlyMap<string, Intent>): JournalEvent[] {
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
      ...(doubts.has(undoKey(action)) ? { keepIntents: true } : {}),
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
  return { ...deps, providers, providerConfigs: new Map(), env: {}, bounded: (run) => run() };
}
