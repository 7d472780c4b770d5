import type { RunState, StackState } from "@wfctl/model";
import type { OpenRun } from "./admission.ts";
import type { RunDraft, StackDraft, UnknownIntent } from "./draft.ts";

/** A snapshot that later changes of the draft do not touch. */
export function toRunState(run: RunDraft): RunState {
  return {
    header: run.header,
    openIntents: [...run.open.values()],
    unknownIntents: [...run.unknown.values()],
    outcomes: new Map(run.outcomes),
    hooksOwed: [...run.hooksOwed],
    halvesDone: [...run.halvesDone],
    sentIntents: [...run.sent.values()],
    finalizeOwed: [...run.finalizeOwed],
    finalizeErrors: [...run.finalizeErrors],
    plugins: [...run.plugins],
    cleanupStarted: run.cleanupStarted,
    ...(run.undo === undefined ? {} : { undo: run.undo }),
    ...(run.closed === undefined ? {} : { closed: run.closed }),
    lastSerial: run.lastSerial,
  };
}

/** A snapshot that later changes of the draft do not touch. */
export function toStackState(draft: StackDraft): StackState {
  const unknown = new Map<string, UnknownIntent>();
  for (const entry of draft.unknown.values()) unknown.set(entry.intent.name, entry);
  return {
    lineage: draft.lineage,
    serial: draft.serial,
    records: new Map(draft.records),
    openRuns: [...draft.openRuns.values()].map(toRunState),
    unknown,
    finalizeOwed: [...draft.finalizeOwed],
    hooksOwed: [...draft.hooksOwed.values()],
    providerConfigs: new Map(draft.providerConfigs),
  };
}

/** What admission has to know of the open runs. */
export function openRunsOf(draft: StackDraft): Map<string, OpenRun> {
  const open = new Map<string, OpenRun>();
  for (const [id, run] of draft.openRuns) {
    open.set(id, { actionCount: run.header.actions.length, filled: new Set(run.outcomes.keys()) });
  }
  return open;
}
