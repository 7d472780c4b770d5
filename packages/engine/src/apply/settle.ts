import {
  WfctlError,
  type JournalEvent,
  type Outcome,
  type PlanNode,
  type RecordChange,
  type ResourceRecord,
} from "@wfctl/model";
import { callEffectHook, hasEffectHooks, inHookOrder } from "./hooks.ts";
import type { NodeEnd, OutcomeEnd } from "./call-ends.ts";
import type { Slot } from "./intent.ts";
import { applyChange, isUntold } from "./records.ts";
import { actionOf, commit, halt, outcomeOf, type Run } from "./run.ts";

/**
 * Writes how a node ended and calls its hooks. `release` is called once, as soon as dependents may prepare:
 * their intents come after this outcome in the journal. Resolves to whether the node succeeded.
 */
export async function settleNode(
  run: Run,
  node: PlanNode,
  end: NodeEnd,
  slot: Slot,
  release: (succeeded: boolean) => void,
): Promise<boolean> {
  if (end.record !== undefined) applyChange(run.records, end.record);
  const wantsHook = end.hook !== undefined && hasEffectHooks(run) && (end.end === "half" || end.status === "SUCCESS");
  if (!wantsHook) {
    if (end.end === "outcome")
      return writeOutcome(run, node, { outcome: outcomeOf(run, node.action, end), end }, release);
    const half: JournalEvent[] = [
      { kind: "half", run: run.id, action: node.action, half: node.half, record: end.record },
    ];
    const written = commit(run, half);
    release(true);
    return orUnrecorded(run, node, written, half);
  }
  const record: RecordChange = end.record ?? { remove: actionOf(run, node).name };
  const image = end.end === "outcome" && end.image !== undefined ? [imageEvent(run, node, end.image)] : [];
  const effect: JournalEvent[] = [
    ...image,
    { kind: "half", run: run.id, action: node.action, half: node.half, record, hooksOwed: true },
  ];
  if (!(await orUnrecorded(run, node, commit(run, effect), effect))) {
    release(false);
    return false;
  }
  const owing: OutcomeEnd =
    end.end === "outcome"
      ? end
      : { end: "outcome", status: "SUCCESS", ...(end.hook === undefined ? {} : { hook: end.hook }) };
  const called = await callEffectHook(run, node.action, owing, slot);
  if (end.end === "half" && called.hooksDone) {
    const done: JournalEvent[] = [{ kind: "hooks-done", run: run.id, action: node.action }];
    const written = commit(run, done);
    release(true);
    return orUnrecorded(run, node, written, done);
  }
  if (called.record !== undefined) applyChange(run.records, called.record);
  const succeeded = await writeOutcome(run, node, called, release);
  if (called.tell !== undefined) await tellUndone(run, node, called.tell);
  return succeeded;
}

/** What was told of a create, in part perhaps, is told back. One that fails stays owed: the next command calls it. */
async function tellUndone(run: Run, node: PlanNode, tell: () => Promise<void>): Promise<void> {
  if (run.outcomes[node.action]?.code === "OUTCOME_UNRECORDED") return;
  try {
    await tell();
  } catch {
    return;
  }
  const done: JournalEvent[] = [{ kind: "hooks-done", run: run.id, action: node.action }];
  await orUnrecorded(run, node, commit(run, done), done);
}

async function writeOutcome(
  run: Run,
  node: PlanNode,
  made: {
    readonly outcome: Outcome;
    readonly end?: OutcomeEnd;
    readonly record?: RecordChange;
    readonly hooksDone?: boolean;
    readonly keepIntents?: boolean;
  },
  release: (succeeded: boolean) => void,
): Promise<boolean> {
  const { outcome } = made;
  const record = made.end?.record ?? made.record;
  const succeeded = outcome.status === "SUCCESS";
  if (!succeeded) failed(run);
  run.outcomes[node.action] = outcome;
  const events: JournalEvent[] = [
    ...(made.end?.image === undefined ? [] : [imageEvent(run, node, made.end.image)]),
    ...owedForUntold(run, node, succeeded ? undefined : record),
    {
      kind: "outcome",
      run: run.id,
      outcome,
      ...(record === undefined ? {} : { record }),
      ...(made.end?.keepIntents === true || made.keepIntents === true ? { keepIntents: true } : {}),
    },
  ];
  if (made.hooksDone === true) events.push({ kind: "hooks-done", run: run.id, action: node.action });
  const written = commit(run, events);
  release(succeeded);
  if (!(await orUnrecorded(run, node, written, events))) return false;
  announce(run, outcome);
  return succeeded;
}

/**
 * A create that ended with an error and a record which the next plan may find as wanted: no action would tell of its object
 * then, so the hook is owed by this one. A tainted record is replaced, and told of by that.
 */
function owedForUntold(run: Run, node: PlanNode, record: RecordChange | undefined): JournalEvent[] {
  const { kind } = actionOf(run, node);
  const creates = kind === "create" || (kind === "replace" && node.half !== "delete");
  if (!creates || record === undefined || !isUntold(record) || run.deps.hooks?.onResourceApplied === undefined)
    return [];
  return [{ kind: "half", run: run.id, action: node.action, half: node.half, record, hooksOwed: true }];
}

/** The before-image of an action that sends nothing: an intent that its outcome, in the same commit, closes. */
export function imageEvent(run: Run, node: PlanNode, image: ResourceRecord): JournalEvent {
  const now = new Date(run.deps.clock.now()).toISOString();
  return {
    kind: "intent",
    intent: {
      run: run.id,
      action: node.action,
      half: node.half,
      phase: "apply",
      operation: "update",
      name: image.name,
      type: image.type,
      provider: image.provider,
      providerName: image.providerName,
      providerVersion: image.providerVersion,
      sensitiveInputs: [],
      providerId: image.providerId,
      before: image,
      clientToken: run.deps.random.id(),
      attempt: 0,
      sentAt: now,
      deadlineAt: now,
    },
  };
}

/** Records an outcome that needed no work. The store's refusal halts the run; the slot is filled all the same. */
export function fillSlot(run: Run, node: PlanNode, end: Parameters<typeof outcomeOf>[2]): void {
  if (run.outcomes[node.action] !== undefined) return;
  const outcome = outcomeOf(run, node.action, end);
  run.failed = true;
  if (outcome.status !== "SKIPPED") failed(run);
  run.outcomes[node.action] = outcome;
  commit(run, [{ kind: "outcome", run: run.id, outcome }]).then(
    () => announce(run, outcome),
    (thrown: unknown) => {
      halt(run, { kind: "fatal", error: WfctlError.from(thrown, "STORE_UNAVAILABLE") });
      announce(run, outcome);
    },
  );
}

/** An action did not succeed: under `stop` and `compensate` nothing new starts. */
function failed(run: Run): void {
  run.failed = true;
  if (run.plan.onFailure !== "continue") halt(run, { kind: "failed" });
}

function announce(run: Run, outcome: Outcome): void {
  const action = run.plan.actions[outcome.action];
  if (action === undefined) return;
  run.deps.emit({ event: "action-done", action: outcome.action, name: action.name, kind: action.kind, outcome });
  const complete = run.deps.hooks?.onActionComplete;
  // Its failure changes nothing, by contract.
  if (complete !== undefined) void inHookOrder(run, () => complete(run.id, outcome)).catch(() => undefined);
}

/** The store refused an effect that has happened: reported as such, nothing undone, the intent stays open, the run stops. */
async function orUnrecorded(
  run: Run,
  node: PlanNode,
  written: Promise<unknown>,
  events: readonly JournalEvent[],
): Promise<boolean> {
  try {
    await written;
    return true;
  } catch (thrown) {
    const error = WfctlError.from(thrown, "STORE_UNAVAILABLE");
    halt(run, { kind: "fatal", error });
    run.failed = true;
    const before = run.outcomes[node.action];
    if (before?.status !== "SKIPPED") {
      run.outcomes[node.action] = outcomeOf(run, node.action, {
        status: "ERROR",
        code: "OUTCOME_UNRECORDED",
        message: `${before === undefined || before.status === "SUCCESS" ? "It was done" : `It ended (${before.message ?? before.status})`}, and that could not be recorded: ${error.message}`,
      });
      try {
        await run.deps.emergency?.(events);
      } catch {
        // The emergency file is the last resort; the outcome already says what happened.
      }
    }
    announce(run, run.outcomes[node.action] as Outcome);
    return false;
  }
}
