import type { JournalEvent, Outcome, OwedHook, ResourceRecord, RunAction, StackState } from "@wfctl/model";
import { tellChange } from "../apply/hooks.ts";
import type { Recovery } from "./recover-runs.ts";
import type { DeadRun } from "./recover-run.ts";

/** Calls the hooks whose effects are durable and that were not reported done; gives their actions the outcome that waited for them. */
export async function callOwedHooks(recovery: Recovery, run: DeadRun): Promise<void> {
  const { deps, records } = recovery;
  const { id, actions } = run.state.header;
  for (const index of run.hooksOwed) {
    const action = actions[index];
    if (action === undefined) continue;
    const record = records.get(action.name);
    const events: JournalEvent[] = [];
    const failure = await callHook(recovery, { run: id, action: index, name: action.name });
    const isOpen = !run.outcomes.has(index);
    // A create that its hook does not accept is tainted: the hook of the object that takes its place counts.
    if (failure === undefined || (isOpen && action.kind === "create"))
      events.push({ kind: "hooks-done", run: id, action: index });
    if (isOpen) {
      const outcome = outcomeAfterHook(run, action, record, failure);
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

/**
 * Calls the hooks that closed runs owe: of an update, replace or delete whose hook had failed. They tell of the resource
 * as it is by now. One that fails again stays owed; nothing else waits for it.
 */
export async function callHooksOfClosedRuns(recovery: Recovery, state: StackState): Promise<void> {
  const { deps } = recovery;
  for (const owed of state.hooksOwed) {
    // What became of the resource is not known yet.
    if (recovery.report.unknown.some(({ name }) => name === owed.name)) continue;
    const failure = await callHook(recovery, owed);
    if (failure === undefined)
      await deps.store.commit(deps.lease, [{ kind: "hooks-done", run: owed.run, action: owed.action }]);
    deps.emit({
      event: "recovery",
      run: owed.run,
      name: owed.name,
      operation: "hook",
      result: failure === undefined ? "SUCCESS" : "HOOK_FAILED",
      message: failure ?? "the hook that the run owed was called",
    });
  }
}

/** Tells the hook of the resource as it is. Gives the redacted message of a failure. */
async function callHook({ deps, records, secrets }: Recovery, owed: OwedHook): Promise<string | undefined> {
  const record = records.get(owed.name);
  const change = record === undefined ? { remove: owed.name } : { put: record };
  try {
    await tellChange(deps.hooks, owed.run, owed.action, owed.name, change);
    return undefined;
  } catch (thrown) {
    return secrets.redact(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function outcomeAfterHook(
  run: DeadRun,
  action: RunAction,
  record: ResourceRecord | undefined,
  failure: string | undefined,
): Outcome {
  const base = { action: action.index, attempts: 1, durationMs: 0 };
  if (failure !== undefined) {
    const message = `The effect stands, but a hook after it failed: ${failure}`;
    return { ...base, status: "COMPENSATION_FAILED", code: "HOOK_FAILED", message };
  }
  const isTaken = action.kind === "adopt" || action.kind === "import";
  if (isTaken && (record?.mark === "adopted" || record?.mark === "imported")) {
    const message = "The process died once the object was recorded. The next plan compares it";
    return { ...base, status: "ERROR", code: "INTERRUPTED", message };
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
