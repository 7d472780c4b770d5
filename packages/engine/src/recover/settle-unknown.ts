import type { Intent, RecordChange } from "@wfctl/model";
import { applyChange } from "../apply/records.ts";
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
  const record = isComplete(intent, resolved) ? await callLateHook(recovery, intent, found) : found;
  await deps.store.commit(deps.lease, [
    {
      kind: "intent-closed",
      run: intent.run,
      action: intent.action,
      half: intent.half,
      phase: intent.phase,
      ...(record === undefined ? {} : { record }),
    },
  ]);
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

/** The finalizer's process of that run is gone, and what it was to do for this object with it. */
function oweFinalizer(change: RecordChange | undefined, { provider }: Resolved): RecordChange | undefined {
  if (change === undefined || !("put" in change) || provider?.features.finalizer !== true) return change;
  if (change.put.mark !== undefined) return change;
  return { put: { ...change.put, mark: "dirty", markReason: finalizerOwedReason } };
}

/**
 * Calls the hook of an action that has its outcome already, before its intent is closed, so that a kill in between calls
 * it again. There is no outcome left to tell a failure with: the mark that the record gets does it.
 */
export async function callLateHook(
  recovery: Recovery,
  intent: Intent,
  record: RecordChange | undefined,
): Promise<RecordChange | undefined> {
  const { hooks } = recovery.deps;
  if (intent.phase !== "apply") return record;
  try {
    if (intent.operation === "delete") {
      if (intent.deposed === undefined) await hooks?.onResourceDeleted?.(intent.run, intent.action, intent.name);
    } else if (record !== undefined && "put" in record) {
      await hooks?.onResourceApplied?.(intent.run, intent.action, record.put);
    }
    return record;
  } catch {
    if (record === undefined || !("put" in record)) return record;
    const mark = intent.operation === "create" ? "tainted" : "dirty";
    return { put: { ...record.put, mark, markReason: `a hook after its ${intent.operation} failed` } };
  }
}
