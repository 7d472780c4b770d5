import { WfctlError, type Outcome, type RecordChange, type ResourceRecord } from "@wfctl/model";
import { settleDelete, type NodeEnd } from "./call-ends.ts";
import type { Slot } from "./intent.ts";
import { sendWithIntent } from "./operate.ts";
import { confirmGone } from "./read-object.ts";
import { withoutObject } from "./records.ts";
import type { Hooks } from "../ports/index.ts";
import { halt, outcomeOf, type Run } from "./run.ts";

/** True where somebody listens to effects, so that outcomes wait for the hook's word. */
export function hasEffectHooks(run: Run): boolean {
  return run.deps.hooks?.onResourceApplied !== undefined || run.deps.hooks?.onResourceDeleted !== undefined;
}

/** Runs the hook when those before it are through. */
export function inHookOrder<T>(run: Run, work: () => Promise<T>): Promise<T> {
  const result = run.hookChain.then(work);
  run.hookChain = result.then(
    () => undefined,
    () => undefined,
  );
  return result;
}

/** What the word of a hook makes of its action. */
export interface HookEnd {
  readonly outcome: Outcome;
  readonly record?: RecordChange;
  /** Nothing is left to be told. */
  readonly hooksDone: boolean;
  /** The delete of what the hook did not accept has no known end. */
  readonly keepIntents?: boolean;
  /** Called once the outcome is durable: of the object that was deleted again. */
  readonly tell?: () => Promise<void>;
}

/**
 * Calls the effect's hook. A failure is fatal: a created object is deleted again and its absence confirmed (COMPENSATED);
 * any other effect stays as the new truth and its hook is owed to the next run (COMPENSATION_FAILED).
 */
export async function callEffectHook(
  run: Run,
  action: number,
  end: Extract<NodeEnd, { end: "outcome" }>,
  slot: Slot,
): Promise<HookEnd> {
  const { hook } = end;
  try {
    await inHookOrder(run, async () => {
      if (hook === undefined) return;
      if ("applied" in hook) await run.deps.hooks?.onResourceApplied?.(run.id, action, hook.applied);
      else await run.deps.hooks?.onResourceDeleted?.(run.id, action, hook.deleted);
    });
    return { outcome: outcomeOf(run, action, end), hooksDone: true };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const planned = run.plan.actions[action];
    halt(run, {
      kind: "fatal",
      error: new WfctlError("HOOK_FAILED", `A hook after "${planned?.name}" failed: ${run.secrets.redact(message)}`, {
        cause: thrown,
      }),
    });
    if (planned?.kind === "create" && hook !== undefined && "applied" in hook)
      return undoCreate(run, action, message, slot, end.left);
    return {
      outcome: outcomeOf(run, action, {
        status: "COMPENSATION_FAILED",
        code: "HOOK_FAILED",
        message: `The effect stands, but a hook after it failed: ${message}`,
      }),
      hooksDone: false,
    };
  }
}

async function undoCreate(
  run: Run,
  index: number,
  message: string,
  slot: Slot,
  left: ResourceRecord | undefined,
): Promise<HookEnd> {
  const action = run.plan.actions[index];
  const record = action === undefined ? undefined : run.records.get(action.name);
  const provider = action === undefined ? undefined : run.deps.providers.get(action.provider);
  const kept = (why: string, keepIntents = false): HookEnd => ({
    outcome: outcomeOf(run, index, {
      status: "COMPENSATION_FAILED",
      code: "HOOK_FAILED",
      message: `A hook failed: ${message}; undoing the create failed: ${why}`,
    }),
    ...(record === undefined
      ? {}
      : { record: { put: { ...record, mark: "tainted", markReason: "a hook after its create failed" } } }),
    hooksDone: true,
    ...(keepIntents ? { keepIntents } : {}),
  });
  if (action === undefined || record === undefined || provider === undefined) return kept("its record is gone");
  if (!record.createdByUs) return kept("it is not proven that this run created the object");
  // An older object that was still to be deleted stays in the record; one that was only read is again.
  const gone: RecordChange = left === undefined ? withoutObject(record, record.providerId) : { put: left };
  try {
    const end = settleDelete(
      await sendWithIntent(run, {
        operation: "delete",
        half: "main",
        phase: "undo",
        provider,
        action,
        type: record.type,
        providerId: record.providerId,
        before: record,
        priority: 0,
        slot,
      }),
      gone,
    );
    if (end.status !== "SUCCESS") return kept(end.message ?? "the delete failed", end.keepIntents);
    if (!(await confirmGone(run, provider, record))) return kept("the object is still there after its delete");
  } catch (thrown) {
    return kept(thrown instanceof Error ? thrown.message : String(thrown));
  }
  return {
    outcome: outcomeOf(run, index, {
      status: "COMPENSATED",
      code: "HOOK_FAILED",
      message: `A hook failed: ${message}; the created object was deleted again`,
    }),
    record: gone,
    hooksDone: false,
    tell: () => inHookOrder(run, () => tellChange(run.deps.hooks, run.id, index, action.name, gone)),
  };
}

/** Tells who listens of a resource as its record is now. */
export async function tellChange(
  hooks: Hooks | undefined,
  run: string,
  action: number,
  name: string,
  change: RecordChange,
): Promise<void> {
  if ("put" in change) await hooks?.onResourceApplied?.(run, action, change.put);
  else await hooks?.onResourceDeleted?.(run, action, name);
}
