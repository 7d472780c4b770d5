import type { Intent, JournalEvent, RecordChange } from "@wfctl/model";
import { applyChange, isUntold } from "../apply/records.ts";
import { tellChange } from "../apply/hooks.ts";
import { finalizerOwedReason } from "../plan/finalizer-owed.ts";
import { isComplete, recordAfter } from "./record-after.ts";
import type { Recovery } from "./recover-runs.ts";
import type { Resolved } from "./resolve-one.ts";

/** Closes an intent of a closed run once its end is known, and calls the hook that its action could not have called. */
export async function settleUnknown(recovery: Recovery, intent: Intent, resolved: Resolved): Promise<void> {
  const { deps, secrets, records, report } = recovery;
  const { resolution } = resolved;
  const message = secrets.redact(resolution.why);
  const tell = (result: string): void =>
    deps.emit({ event: "recovery", run: intent.run, name: intent.name, operation: intent.operation, result, message });
  if (resolution.found === "unknown") {
    report.unknown.push({ name: intent.name, why: message });
    tell("unknown");
    return;
  }
  const found = oweFinalizer(recordAfter(recovery, intent, resolved), resolved);
  const late = isComplete(intent, resolved)
    ? await callLateHook(recovery, intent, found)
    : await tellUntold(recovery, intent, found);
  const { record } = late;
  await deps.store.commit(deps.lease, closingEvents(intent, late));
  if (record !== undefined) applyChange(records, record);
  report.resolved.push({
    run: intent.run,
    name: intent.name,
    operation: intent.operation,
    status: resolution.found,
    message,
  });
  tell(resolution.found);
}

/** The object of a create that is recorded incomplete: where the next plan finds it as wanted, no action tells of it. */
export function owesUntold(recovery: Recovery, intent: Intent, record: RecordChange | undefined): boolean {
  if (intent.phase === "undo" || intent.operation !== "create" || record === undefined) return false;
  return recovery.deps.hooks?.onResourceApplied !== undefined && isUntold(record);
}

/** Tells of such an object before its intent is closed; a hook that fails stays owed. */
export async function tellUntold(
  recovery: Recovery,
  intent: Intent,
  record: RecordChange | undefined,
): Promise<LateHook> {
  if (record === undefined || !owesUntold(recovery, intent, record)) return { record, hooksOwed: false };
  try {
    await tellChange(recovery.deps.hooks, intent.run, intent.action, intent.name, record);
    return { record, hooksOwed: false };
  } catch {
    return { record, hooksOwed: true };
  }
}

/** What a late hook said: the record, and whether the hook stays owed. */
export interface LateHook {
  readonly record: RecordChange | undefined;
  readonly hooksOwed: boolean;
}

/** Closes an intent whose action has its outcome already. */
export function closingEvents(intent: Intent, { record, hooksOwed }: LateHook): JournalEvent[] {
  const { run, action, half, phase } = intent;
  const owed: JournalEvent[] =
    hooksOwed && record !== undefined ? [{ kind: "half", run, action, half, record, hooksOwed }] : [];
  // Such an event closes an intent of the apply phase by itself.
  if (owed.length > 0 && phase === "apply") return owed;
  return [...owed, { kind: "intent-closed", run, action, half, phase, ...(record === undefined ? {} : { record }) }];
}

/** The finalizer's process of that run is gone, and what it was to do for this object with it. */
export function oweFinalizer(change: RecordChange | undefined, { provider }: Resolved): RecordChange | undefined {
  if (change === undefined || !("put" in change) || provider?.features.finalizer !== true) return change;
  if (change.put.mark !== undefined) return change;
  return { put: { ...change.put, mark: "dirty", markReason: finalizerOwedReason } };
}

/**
 * Calls the hook of an action that has its outcome already, before its intent is closed, so that a kill in between calls
 * it again. There is no outcome left to tell a failure with: a create is tainted, any other hook stays owed.
 */
export async function callLateHook(
  recovery: Recovery,
  intent: Intent,
  record: RecordChange | undefined,
): Promise<LateHook> {
  const { hooks } = recovery.deps;
  // Of the new object of a replace who listens was told when it became the current one.
  const isOldHalf = intent.operation === "delete" && intent.deposed !== undefined;
  try {
    // A delete that was planned is told as such, whatever older object is the current one again.
    const gone = intent.operation === "delete" && (intent.phase === "apply" || record === undefined);
    const change = gone ? { remove: intent.name } : record;
    if (change !== undefined && !isOldHalf) await tellChange(hooks, intent.run, intent.action, intent.name, change);
    return { record, hooksOwed: false };
  } catch {
    if (intent.operation !== "create") return { record: record ?? { remove: intent.name }, hooksOwed: true };
    if (record === undefined || !("put" in record)) return { record, hooksOwed: false };
    const put = { ...record.put, mark: "tainted", markReason: "a hook after its create failed" } as const;
    return { record: { put }, hooksOwed: false };
  }
}
