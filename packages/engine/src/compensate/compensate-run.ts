import {
  WfctlError,
  type JournalEvent,
  type PlanAction,
  type ResourceRecord,
  type RunAction,
  type RunHeader,
  type RunState,
  type StackState,
} from "@wfctl/model";
import { createGate } from "../graph/gate.ts";
import { commit, createRun, type EngineDeps, type Run } from "../apply/run.ts";
import { finalizeOwed } from "../finalize/finalize.ts";
import { topologicalOrder } from "../graph/topology.ts";
import { finalizerOwedReason } from "../plan/finalizer-owed.ts";
import { undoAction, type UndoEnd } from "./undo-action.ts";
import { hookAfter, tellHook } from "./undo-hooks.ts";
import { closeUndo, stays, undoneOutcome } from "./undo-report.ts";
import { planUndo, type PlannedUndo } from "./undo-steps.ts";
import { doubtsOf, undoKey, type CompensateOptions, type CompensationReport, type Undo } from "./undo.ts";

/**
 * Undoes what a run did, dependents first; undos that do not depend on each other go on when one fails.
 * Journaled step by step, so that it can be killed anywhere and resumed.
 */
export async function compensateRun(
  deps: EngineDeps,
  target: RunState,
  state: StackState,
  options: CompensateOptions,
): Promise<CompensationReport> {
  if (target.cleanupStarted) {
    throw new WfctlError(
      "UNDO_FAILED",
      `Run ${target.header.id} cannot be undone: its clean-up had begun, which was its point of no return`,
      {
        hint: "Apply the configuration that you want instead",
      },
    );
  }
  if (target.closed !== undefined && target.lastSerial !== state.serial) {
    throw new WfctlError(
      "PLAN_STALE",
      `Run ${target.header.id} cannot be undone: the state has changed since it ended (serial ${target.lastSerial}, now ${state.serial})`,
      {
        hint: "Apply the configuration that you want instead",
      },
    );
  }
  const undos = planUndo(target, state, deps.providers);
  const own = options.undoRunId;
  const actions = own === undefined ? target.header.actions : undos.map(({ action }) => action);
  const run = createRun(deps, state, {
    runId: own ?? target.header.id,
    plan: {
      id: target.header.planId,
      command: target.header.command === "destroy" ? "destroy" : "apply",
      actions: actions.map(stubAction),
      nodes: [],
      onFailure: "continue",
    },
    options: { runId: own ?? target.header.id },
  });
  options.signal?.addEventListener("abort", () => run.calls.abort(new Error("the undo was cancelled")), { once: true });
  const undo: Undo = { run, target, undos, options, doubts: doubtsOf(target, options), unheard: new Map() };
  await begin(run, target, undos, options);
  const ends = await undoAll(undo);
  await finalizeUndo(run, target, undos, ends);
  return closeUndo(undo, ends);
}

async function begin(
  run: Run,
  target: RunState,
  undos: readonly PlannedUndo[],
  options: CompensateOptions,
): Promise<void> {
  const events: JournalEvent[] = [];
  if (options.undoRunId !== undefined) {
    const header: RunHeader = {
      id: run.id,
      command: "compensate",
      planId: target.header.planId,
      planDigest: target.header.planDigest,
      onFailure: "continue",
      actions: undos.map(({ action }, index) => ({ ...action, index })),
      startedAt: new Date(run.deps.clock.now()).toISOString(),
      user: run.deps.user,
      host: run.deps.host,
      fence: run.deps.lease.fence,
      engineVersion: run.deps.engineVersion,
      undoes: target.header.id,
    };
    events.push({ kind: "run-started", run: header });
    for (const process of options.plugins ?? []) events.push({ kind: "plugin-started", run: run.id, process });
  }
  events.push({
    kind: "undo-started",
    run: run.id,
    actions: undos.map(({ action }) => action.index),
    skip: [...options.skip],
  });
  await commit(run, events);
}

async function undoAll(all: Undo): Promise<(UndoEnd | undefined)[]> {
  const { undos, options } = all;
  const ends: (UndoEnd | undefined)[] = undos.map(() => undefined);
  const gate = createGate(options.parallelism ?? 10);
  const works: Promise<void>[] = [];
  const order = orderOf(undos);
  for (const position of order) {
    const undo = undos[position] as PlannedUndo;
    const waits = undo.after.map((before) => works[before] as Promise<void>);
    works[position] = Promise.all(waits).then(async () => {
      const blocked = undo.after.find(
        (before) => ends[before]?.status !== "COMPENSATED" && !isInert((undos[before] as PlannedUndo).step),
      );
      const end = await gate(() =>
        undoOne(all, undo, position, blocked === undefined ? undefined : (undos[blocked] as PlannedUndo).action.name),
      );
      ends[position] = end;
      await record(all, undo, position, end);
    });
  }
  await Promise.all(works);
  return ends;
}

async function undoOne(
  { run, options, doubts }: Undo,
  undo: PlannedUndo,
  position: number,
  blockedBy: string | undefined,
): Promise<UndoEnd> {
  if (options.skip.has(undo.action.name))
    return { status: "COMPENSATION_FAILED", message: "Left as it is: --skip names it" };
  if (options.signal?.aborted === true)
    return { status: "COMPENSATION_FAILED", message: "The undo was cancelled before this was sent" };
  if (blockedBy !== undefined && undo.step.how !== "none") {
    return { status: "COMPENSATION_FAILED", message: `Not undone: "${blockedBy}" stands on it and was not undone` };
  }
  const doubt = doubts.get(undoKey(undo.action));
  // One more could come to its effect before it; a delete may be sent twice.
  if (doubt?.operation === "update" && undo.step.how === "update")
    return { status: "COMPENSATION_FAILED", message: "What became of its update back is not known", keepIntents: true };
  const end = await undoAction(run, undo.action, indexIn(undo, position, options), undo.step);
  return doubt === undefined || end.status === "COMPENSATED" ? end : { ...end, keepIntents: true };
}

/** An action of which nothing is there blocks nobody. */
function isInert(step: PlannedUndo["step"]): boolean {
  return step.how === "none" && !step.stands;
}

/** Index of the action in the run whose journal the undo's intents go to: its own run's, or that of the run that is undone. */
function indexIn(undo: PlannedUndo, position: number, options: CompensateOptions): number {
  return options.undoRunId === undefined ? undo.action.index : position;
}

async function record(all: Undo, undo: PlannedUndo, position: number, end: UndoEnd): Promise<void> {
  const { run, target, options } = all;
  const outcome = undoneOutcome(run, target, undo, end);
  const events: JournalEvent[] = [];
  const hook = hookAfter(run, target, undo, end);
  if (hook !== undefined) events.push(hook.owed);
  else if (isForgotten(end) && target.hooksOwed.includes(undo.action.index))
    events.push({ kind: "hooks-done", run: target.header.id, action: undo.action.index });
  const doubt = all.doubts.get(undoKey(undo.action));
  if (doubt !== undefined && doubt.run !== target.header.id && end.status === "COMPENSATED") {
    const { run: id, action, half, phase } = doubt;
    events.push({ kind: "intent-closed", run: id, action, half, phase });
  }
  if (!stays(target, undo)) {
    events.push({
      kind: "outcome",
      run: target.header.id,
      outcome,
      ...(end.record === undefined ? {} : { record: end.record }),
      ...(end.keepIntents === true ? { keepIntents: true } : {}),
    });
  }
  if (options.undoRunId !== undefined) {
    events.push({
      kind: "outcome",
      run: run.id,
      outcome: { ...outcome, action: position, status: end.status },
      ...(end.keepIntents === true ? { keepIntents: true } : {}),
    });
  }
  if (end.record !== undefined) {
    if ("put" in end.record) run.records.set(end.record.put.name, end.record.put);
    else run.records.delete(end.record.remove);
  }
  if (events.length > 0) await commit(run, events);
  if (hook !== undefined) await tellHook(all, position, hook);
  run.deps.emit({
    event: "undo",
    run: target.header.id,
    name: undo.action.name,
    status: end.status,
    message: outcome.message ?? "",
  });
}

/** Nothing is left of the resource that a hook could be told of. */
function isForgotten({ record: change }: UndoEnd): boolean {
  return change !== undefined && "remove" in change;
}

/** Updates back may leave deferred work as well as others; where it is not done, the next plan updates them again. */
async function finalizeUndo(
  run: Run,
  target: RunState,
  undos: readonly PlannedUndo[],
  ends: readonly (UndoEnd | undefined)[],
): Promise<void> {
  if (run.finalizeOwed.size === 0) return;
  const errors = await finalizeOwed({
    run: run.id,
    planId: target.header.planId,
    modules: [...run.finalizeOwed],
    providers: run.deps.providers,
    signal: run.calls.signal,
    commit: (events) => commit(run, events),
    emit: run.deps.emit,
    redact: (text) => run.secrets.redact(text),
    restarted: run.restarted,
  });
  const open = new Set(errors.map((error) => error.provider));
  const events: JournalEvent[] = [];
  for (const [position, { action, step }] of undos.entries()) {
    const record = run.records.get(action.name);
    if (step.how !== "update" || ends[position]?.status !== "COMPENSATED" || record === undefined) continue;
    if (!open.has(record.provider) || record.mark !== undefined) continue;
    const put: ResourceRecord = { ...record, mark: "dirty", markReason: finalizerOwedReason };
    run.records.set(put.name, put);
    events.push({ kind: "record", run: run.id, record: { put } });
  }
  if (events.length > 0) await commit(run, events);
}

function stubAction(action: RunAction, index: number): PlanAction {
  return {
    ...action,
    index,
    changes: [],
    reasons: [],
    undo: { undo: "no", why: "it is an undo itself" },
    after: [],
    unknown: [],
  };
}

/** Positions so that each comes after those it waits for. */
function orderOf(undos: readonly PlannedUndo[]): number[] {
  const keys = undos.map((_, position) => String(position));
  try {
    return topologicalOrder(keys, (key) => (undos[Number(key)] as PlannedUndo).after.map(String)).map(Number);
  } catch {
    // Edges of before and after the run together may form a circle: then the plan's order, backwards, has to do.
    return keys.map(Number).toReversed();
  }
}
