import type { JournalEvent, Outcome, ResourceRecord, RunAction } from "@wfctl/model";
import type { Recovery } from "./recover-runs.ts";
import type { DeadRun } from "./recover-run.ts";

/** Calls the hooks whose effects are durable and that were not reported done; gives their actions the outcome that waited for them. */
export async function callOwedHooks(recovery: Recovery, run: DeadRun): Promise<void> {
  const { deps, records, secrets } = recovery;
  const { id, actions } = run.state.header;
  for (const index of run.hooksOwed) {
    const action = actions[index];
    if (action === undefined) continue;
    const record = records.get(action.name);
    const events: JournalEvent[] = [];
    let failure: string | undefined;
    try {
      if (record === undefined) await deps.hooks?.onResourceDeleted?.(id, index, action.name);
      else await deps.hooks?.onResourceApplied?.(id, index, record);
      events.push({ kind: "hooks-done", run: id, action: index });
    } catch (thrown) {
      failure = secrets.redact(thrown instanceof Error ? thrown.message : String(thrown));
    }
    if (!run.outcomes.has(index)) {
      const outcome = outcomeAfterHook(run, action, failure);
      const tainted = failure !== undefined && action.kind === "create" ? taint(record) : undefined;
      if (tainted !== undefined) records.set(tainted.name, tainted);
      events.push({
        kind: "outcome",
        run: id,
        outcome,
        ...(tainted === undefined ? {} : { record: { put: tainted } }),
      });
      run.outcomes.set(index, outcome);
    }
    if (events.length > 0) await deps.store.commit(deps.lease, events);
  }
}

function outcomeAfterHook(run: DeadRun, action: RunAction, failure: string | undefined): Outcome {
  const base = { action: action.index, attempts: 1, durationMs: 0 };
  if (failure !== undefined) {
    const message = `The effect stands, but a hook after it failed: ${failure}`;
    return { ...base, status: "COMPENSATION_FAILED", code: "HOOK_FAILED", message };
  }
  const halves = [...run.halvesDone].filter((done) => done.startsWith(`${action.index}:`));
  if (action.kind !== "replace" || halves.length > 1) return { ...base, status: "SUCCESS" };
  const message = "The process died in the middle of this replace. The next plan goes on from there";
  return { ...base, status: "ERROR", code: "INTERRUPTED", message };
}

/** The next plan replaces what its hook did not accept. */
function taint(record: ResourceRecord | undefined): ResourceRecord | undefined {
  return record === undefined
    ? undefined
    : { ...record, mark: "tainted", markReason: "a hook after its create failed" };
}
