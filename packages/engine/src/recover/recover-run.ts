import type { Intent, JournalEvent, NodeHalf, Outcome, RecordChange, ResourceRecord, RunState } from "@wfctl/model";
import { applyChange } from "../apply/records.ts";
import { intentsInDoubt } from "../compensate/undo-steps.ts";
import { finalizerOwedEvents } from "../finalize/owed-records.ts";
import { callOwedHooks } from "./owed-hooks.ts";
import { isComplete, recordAfter } from "./record-after.ts";
import type { Recovery } from "./recover-runs.ts";
import { resolveOne, type Resolved } from "./resolve-one.ts";
import { isUndo, resumeUndo } from "./resume-undo.ts";
import { callLateHook, closingEvents, oweFinalizer, owesUntold, tellUntold } from "./settle-unknown.ts";

/** A dead run while it is being closed. */
export interface DeadRun {
  readonly state: RunState;
  readonly outcomes: Map<number, Outcome>;
  readonly halvesDone: Set<string>;
  readonly hooksOwed: Set<number>;
}

/** Resolves what the run left in flight, calls the hooks it owes, and closes it, or goes on with the undo that it was at. */
export async function recoverRun(recovery: Recovery, state: RunState, processesGone: boolean): Promise<void> {
  const run: DeadRun = {
    state,
    outcomes: new Map(state.outcomes),
    halvesDone: new Set(state.halvesDone),
    hooksOwed: new Set(state.hooksOwed),
  };
  const undoing = isUndo(state);
  const open = intentsInDoubt(state);
  // Independent intents are asked for at the same time; what they tell is written one by one.
  const results = await Promise.all(
    open.map(async (intent) => ({
      intent,
      resolved: await recovery.gate(() => resolveOne(recovery, intent, processesGone)),
    })),
  );
  // The steps of an undo are repeated: of its calls it counts only that none can come to its effect any more.
  const isStep = ({ intent }: (typeof results)[number]): boolean => undoing && intent.phase === "undo";
  for (const result of results) if (!isStep(result)) await settleIntent(recovery, run, result.intent, result.resolved);
  await callOwedHooks(recovery, run);
  if (undoing) recovery.report.undos.push(await resumeUndo(recovery, state, results.filter(isStep)));
  else await closeRun(recovery, run);
}

async function settleIntent(recovery: Recovery, run: DeadRun, intent: Intent, resolved: Resolved): Promise<void> {
  const { deps, secrets, records, report } = recovery;
  const { action, half, phase } = intent;
  const { resolution } = resolved;
  const message = secrets.redact(resolution.why);
  let record =
    intent.phase === "undo" ? afterHookUndo(recovery, run, intent, resolved) : recordAfter(recovery, intent, resolved);
  // Its finalizer is through already: it did not know of this object.
  if (!run.state.finalizeOwed.includes(intent.provider)) record = oweFinalizer(record, resolved);
  const keep = resolution.found === "unknown";
  const outcome = outcomeOfIntent(run, intent, resolved, message);
  const events: JournalEvent[] = [];
  if (keep) {
    events.push({ kind: "intent-unknown", run: intent.run, action, half, phase, why: message });
    report.unknown.push({ name: intent.name, why: message });
  }
  if (run.outcomes.has(action)) {
    const owes = !keep && owesHook(recovery, intent, resolved);
    const late = owes
      ? await callLateHook(recovery, intent, record)
      : await tellUntold(recovery, intent, keep ? undefined : record);
    if (!keep) record = late.record;
    if (!keep) events.push(...closingEvents(intent, late));
  } else if (owesHook(recovery, intent, resolved) && record !== undefined) {
    // The outcome comes with the hook's word.
    events.push({ kind: "half", run: intent.run, action, half, record, hooksOwed: true });
    run.halvesDone.add(`${action}:${half}`);
    run.hooksOwed.add(action);
  } else {
    const change = record === undefined ? {} : { record };
    if (!keep && owesUntold(recovery, intent, record) && record !== undefined) {
      events.push({ kind: "half", run: intent.run, action, half, record, hooksOwed: true });
      run.hooksOwed.add(action);
    }
    events.push({ kind: "outcome", run: intent.run, outcome, ...change, ...(keep ? { keepIntents: true } : {}) });
    // What a hook did not accept and is still there has no hook left to call; of what is gone it is told.
    if (phase === "undo" && !isComplete(intent, resolved) && run.hooksOwed.delete(action))
      events.push({ kind: "hooks-done", run: intent.run, action });
    run.outcomes.set(action, outcome);
  }
  if (events.length > 0) await deps.store.commit(deps.lease, events);
  if (record !== undefined) applyChange(records, record);
  const status = keep ? "unknown" : outcome.status;
  report.resolved.push({ run: intent.run, name: intent.name, operation: intent.operation, status, message });
  deps.emit({
    event: "recovery",
    run: intent.run,
    name: intent.name,
    operation: intent.operation,
    result: status,
    message,
  });
}

/** The record after the delete of a create that its hook did not accept: what was only read before is that again. */
function afterHookUndo(recovery: Recovery, run: DeadRun, intent: Intent, resolved: Resolved): RecordChange | undefined {
  if (!isComplete(intent, resolved)) return unaccepted(recovery.records.get(intent.name));
  const left = run.state.sentIntents.find(({ action, half }) => action === intent.action && half === "main")?.before;
  return left === undefined ? recordAfter(recovery, intent, resolved) : { put: left };
}

/** What a hook did not accept and is still there: the next plan replaces it. */
function unaccepted(record: ResourceRecord | undefined): RecordChange | undefined {
  if (record === undefined) return undefined;
  return { put: { ...record, mark: "tainted", markReason: "a hook after its create failed" } };
}

/** An effect that is there and whose hook cannot have been called. */
function owesHook(recovery: Recovery, intent: Intent, resolved: Resolved): boolean {
  const { hooks } = recovery.deps;
  if (intent.phase === "undo" || !isComplete(intent, resolved)) return false;
  if (intent.operation !== "delete" || intent.half === "delete") return hooks?.onResourceApplied !== undefined;
  return intent.deposed === undefined && hooks?.onResourceDeleted !== undefined;
}

function outcomeOfIntent(run: DeadRun, intent: Intent, resolved: Resolved, why: string): Outcome {
  const { resolution } = resolved;
  const end = (status: Outcome["status"], code?: Outcome["code"], message?: string): Outcome => ({
    action: intent.action,
    status,
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    attempts: intent.attempt,
    durationMs: 0,
  });
  const died = `The process died while this was in flight: ${why}`;
  if (intent.phase === "undo") {
    const undoing = `A hook after the create failed, and the process died while it was undone: ${why}`;
    if (isComplete(intent, resolved)) return end("COMPENSATED", "HOOK_FAILED", undoing);
    return end("COMPENSATION_FAILED", "HOOK_FAILED", undoing);
  }
  const isDelete = run.state.header.actions[intent.action]?.kind === "delete" || isOldHalf(run, intent);
  if (resolution.found === "unknown")
    return end(isDelete ? "DELETE_FAILED" : "ERROR", resolution.code ?? "OUTCOME_UNKNOWN", died);
  if (!isLastHalf(run, intent)) {
    const middle = `The process died in the middle of this replace: ${why}. The next plan goes on from there`;
    return end("ERROR", "INTERRUPTED", middle);
  }
  if (isComplete(intent, resolved)) return end("SUCCESS");
  switch (resolution.found) {
    case "ours":
      return end("ERROR", intent.operation === "create" ? "INCOMPLETE" : "INTERRUPTED", died);
    case "absent":
      return end("ERROR", "NOT_APPLIED", died);
    case "gone":
      return end("ERROR", "INTERRUPTED", died);
    case "there":
      return end("DELETE_FAILED", "INTERRUPTED", died);
  }
}

/** The delete that ends a create-first replace. */
function isOldHalf(run: DeadRun, intent: Intent): boolean {
  return intent.half === "delete" && run.halvesDone.has(`${intent.action}:create`);
}

/** True where the intent was the last work of its action. */
function isLastHalf(run: DeadRun, intent: Intent): boolean {
  if (intent.half === "main") return true;
  const other: NodeHalf = intent.half === "create" ? "delete" : "create";
  return run.halvesDone.has(`${intent.action}:${other}`);
}

async function closeRun(recovery: Recovery, run: DeadRun): Promise<void> {
  const { deps, records } = recovery;
  const { header } = run.state;
  const events: JournalEvent[] = [];
  for (const { index } of header.actions) {
    if (run.outcomes.has(index)) continue;
    const touched = [...run.halvesDone].some((done) => done.startsWith(`${index}:`));
    const outcome: Outcome = touched
      ? {
          action: index,
          status: "ERROR",
          code: "INTERRUPTED",
          message: "The process died in the middle of this replace. The next plan goes on from there",
          attempts: 1,
          durationMs: 0,
        }
      : {
          action: index,
          status: "SKIPPED",
          code: "INTERRUPTED",
          message: "The process died before this was sent",
          attempts: 0,
          durationMs: 0,
        };
    events.push({ kind: "outcome", run: header.id, outcome });
  }
  events.push(...finalizerOwedEvents(header.id, run.state.finalizeOwed, records));
  const at = new Date(deps.clock.now()).toISOString();
  events.push({ kind: "run-closed", run: header.id, end: "recovered", at });
  await deps.store.commit(deps.lease, events);
  deps.emit({ event: "run-closed", run: header.id, end: "recovered" });
}
