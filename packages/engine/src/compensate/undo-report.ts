import type { Outcome, RunState } from "@wfctl/model";
import { commit, type Run } from "../apply/run.ts";
import type { CompensationReport, Undo } from "./undo.ts";
import type { UndoEnd } from "./undo-action.ts";
import type { PlannedUndo } from "./undo-steps.ts";

/** What cannot be undone keeps the outcome that tells what it did. */
export function stays(target: RunState, undo: PlannedUndo): boolean {
  return undo.step.how === "none" && target.outcomes.has(undo.action.index);
}

/** The outcome of the undone action, as journal and report tell it: what it was comes first. */
export function undoneOutcome(run: Run, target: RunState, undo: PlannedUndo, end: UndoEnd): Outcome {
  const original = target.outcomes.get(undo.action.index);
  const first = original?.status === "SUCCESS" || original?.message === undefined ? "" : `${original.message}; `;
  const code = original?.code ?? (end.status === "COMPENSATED" ? undefined : "UNDO_FAILED");
  return {
    action: undo.action.index,
    status: end.status,
    ...(code === undefined ? {} : { code }),
    message: run.secrets.redact(`${first}${end.message}`),
    attempts: original?.attempts ?? 0,
    durationMs: original?.durationMs ?? 0,
  };
}

export async function closeUndo(
  { run, target, undos, options, unheard }: Undo,
  ends: readonly (UndoEnd | undefined)[],
): Promise<CompensationReport> {
  const own = options.undoRunId;
  const undone: { name: string; message: string }[] = [];
  const remaining: { name: string; why: string }[] = [];
  const outcomes = new Map(target.outcomes);
  for (const [position, undo] of undos.entries()) {
    const end = ends[position];
    if (end === undefined) continue;
    const { action } = undo;
    const failure = unheard.get(position);
    const owed = failure === undefined ? "" : `; a hook after that failed, and the next command calls it: ${failure}`;
    const message = run.secrets.redact(`${end.message}${owed}`);
    if (end.status === "COMPENSATED" && failure === undefined) undone.push({ name: action.name, message });
    else remaining.push({ name: action.name, why: message });
    if (!stays(target, undo)) outcomes.set(action.index, undoneOutcome(run, target, undo, end));
  }
  const end = remaining.length === 0 ? "compensated" : "compensation_failed";
  if (own !== undefined) {
    await commit(run, [{ kind: "run-closed", run: own, end, at: new Date(run.deps.clock.now()).toISOString() }]);
    run.deps.emit({ event: "run-closed", run: own, end });
  }
  return { run: target.header.id, undone, remaining, outcomes, end };
}
