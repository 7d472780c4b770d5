import { WfctlError, type JournalEvent } from "@wfctl/model";

/** What admission has to know of an open run. */
export interface OpenRun {
  readonly actionCount: number;
  /** Actions that have their outcome. */
  readonly filled: Set<number>;
}

/**
 * Guards the journal against a defective writer, before anything is written. Throws `INTERNAL` when
 * - a run starts twice,
 * - a run that is not open gets events that only a running run has (`intent`, `plugin-started`, `finalize-owed`,
 *   `cleanup-started`, `undo-started`, `run-closed`),
 * - an outcome names an action that the run does not have,
 * - an outcome fills a slot again, other than by COMPENSATED or COMPENSATION_FAILED.
 *
 * The undo of a closed run is a run of its own: its intents carry its own id; only outcomes (COMPENSATED,
 * COMPENSATION_FAILED) name the run that is undone.
 * `open` is kept up to date; after a throw it may hold part of the commit, so the handle must not go on.
 */
export function admitEvents(open: Map<string, OpenRun>, events: readonly JournalEvent[]): void {
  for (const event of events) admitEvent(open, event);
}

function admitEvent(open: Map<string, OpenRun>, event: JournalEvent): void {
  switch (event.kind) {
    case "run-started":
      if (open.has(event.run.id)) throw refused(event.kind, event.run.id, "is open already");
      open.set(event.run.id, { actionCount: event.run.actions.length, filled: new Set() });
      break;
    case "intent":
      requireOpen(open, event.kind, event.intent.run);
      break;
    case "plugin-started":
    case "finalize-owed":
    case "cleanup-started":
    case "undo-started":
      requireOpen(open, event.kind, event.run);
      break;
    case "run-closed":
      requireOpen(open, event.kind, event.run);
      open.delete(event.run);
      break;
    case "outcome":
      admitOutcome(open.get(event.run), event);
      break;
    default:
  }
}

function admitOutcome(run: OpenRun | undefined, event: JournalEvent & { kind: "outcome" }): void {
  const { action, status } = event.outcome;
  const undone = status === "COMPENSATED" || status === "COMPENSATION_FAILED";
  if (run === undefined) {
    if (!undone) throw refused(event.kind, event.run, `is not open, and its action ${action} can only end as undone`);
    return;
  }
  if (!Number.isInteger(action) || action < 0 || action >= run.actionCount) {
    throw refused(event.kind, event.run, `has ${run.actionCount} actions and no action ${action}`);
  }
  if (run.filled.has(action) && !undone) {
    throw refused(event.kind, event.run, `has the outcome of action ${action} already`);
  }
  run.filled.add(action);
}

function requireOpen(open: Map<string, OpenRun>, kind: string, run: string): void {
  if (!open.has(run)) throw refused(kind, run, "is not open");
}

function refused(kind: string, run: string, why: string): WfctlError {
  return new WfctlError("INTERNAL", `Journal refused the event '${kind}': run '${run}' ${why}`, {
    hint: "This is a defect of wfctl; the journal is as it was before the event",
  });
}
