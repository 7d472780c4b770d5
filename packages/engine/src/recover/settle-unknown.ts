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
  const record = oweFinalizer(recordAfter(recovery, intent, resolved), resolved);
  if (isComplete(intent, resolved) && intent.phase === "apply") await callHook(recovery, intent, record);
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

/** Before the intent is closed, so that a kill in between calls it again. The action has its outcome: a failure changes nothing. */
async function callHook(recovery: Recovery, intent: Intent, record: ReturnType<typeof recordAfter>): Promise<void> {
  const { hooks } = recovery.deps;
  try {
    if (intent.operation === "delete") {
      if (intent.deposed === undefined) await hooks?.onResourceDeleted?.(intent.run, intent.action, intent.name);
    } else if (record !== undefined && "put" in record) {
      await hooks?.onResourceApplied?.(intent.run, intent.action, record.put);
    }
  } catch {
    // Its run is closed; there is no outcome left to tell it with.
  }
}
