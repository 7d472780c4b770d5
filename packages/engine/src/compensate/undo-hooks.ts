import type { JournalEvent, RunState } from "@wfctl/model";
import { inHookOrder } from "../apply/hooks.ts";
import { commit, type Run } from "../apply/run.ts";
import type { Undo } from "./undo.ts";
import type { UndoEnd } from "./undo-action.ts";
import type { PlannedUndo } from "./undo-steps.ts";

/** A hook that is told of the resource as an undo has left it. */
export interface UndoHook {
  /** In one commit with the outcome, so that a kill before the hook leaves it owed. */
  readonly owed: Extract<JournalEvent, { kind: "half" }>;
  readonly call: () => Promise<void>;
}

/** Who listens is told of what is deleted and of what the record is again. Of what is only forgotten there is no hook. */
export function hookAfter(
  run: Run,
  target: RunState,
  { action, step }: PlannedUndo,
  end: UndoEnd,
): UndoHook | undefined {
  const { record: change } = end;
  const { hooks } = run.deps;
  if (change === undefined) return undefined;
  const { id } = target.header;
  const owed = { kind: "half", run: id, action: action.index, half: "main", record: change, hooksOwed: true } as const;
  if ("put" in change) {
    const applied = hooks?.onResourceApplied?.bind(hooks);
    return applied === undefined ? undefined : { owed, call: () => applied(id, action.index, change.put) };
  }
  const deleted = hooks?.onResourceDeleted?.bind(hooks);
  if (deleted === undefined || step.how !== "delete") return undefined;
  return { owed, call: () => deleted(id, action.index, action.name) };
}

/** One that fails changes nothing of the undo: it stays owed, and the next command calls it. */
export async function tellHook({ run, undos, unheard, target }: Undo, position: number, hook: UndoHook): Promise<void> {
  const { action } = undos[position] as PlannedUndo;
  try {
    await inHookOrder(run, hook.call);
  } catch (thrown) {
    unheard.set(position, thrown instanceof Error ? thrown.message : String(thrown));
    return;
  }
  await commit(run, [{ kind: "hooks-done", run: target.header.id, action: action.index }]);
}
