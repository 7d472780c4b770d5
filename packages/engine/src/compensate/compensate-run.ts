import {
  WfctlError,
  type Intent,
  type JournalEvent,
  type Outcome,
  type PlanAction,
  type PluginProcess,
  type ResourceRecord,
  type RunAction,
  type RunEnd,
  type RunHeader,
  type RunState,
  type StackState,
} from "@wfctl/model";
import { createGate } from "../graph/gate.ts";
import { inHookOrder } from "../apply/hooks.ts";
import { commit, createRun, type EngineDeps, type Run } from "../apply/run.ts";
import { finalizeOwed } from "../finalize/finalize.ts";
import { topologicalOrder } from "../graph/topology.ts";
import { finalizerOwedReason } from "../plan/finalizer-owed.ts";
import { undoAction, type UndoEnd } from "./undo-action.ts";
import { intentsInDoubt, planUndo, type PlannedUndo } from "./undo-steps.ts";

export interface CompensateOptions {
  /** Resources to leave as they are. */
  readonly skip: ReadonlySet<string>;
  readonly parallelism?: number;
  readonly signal?: AbortSignal;
  /** Id of the run that does the undo, where the undone one is closed: a run of its own. Absent while the undone run is still open. */
  readonly undoRunId?: string;
  /** Calls of an undo that died and of which nothing is known, by `undoKey`: they may still come to their effect. */
  readonly doubts?: ReadonlyMap<string, Intent>;
  /** Plugin processes that serve the undo, journaled with its own run. */
  readonly plugins?: readonly PluginProcess[];
}

export interface CompensationReport {
  /** Run that was undone. */
  readonly run: string;
  readonly undone: readonly { readonly name: string; readonly message: string }[];
  /** What is not as it was before the run, with the reason. */
  readonly remaining: readonly { readonly name: string; readonly why: string }[];
  /** Outcomes of the undone run's actions as they stand now. */
  readonly outcomes: ReadonlyMap<number, Outcome>;
  readonly end: Extract<RunEnd, "compensated" | "compensation_failed">;
}

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
  return finish(undo, ends);
}

/** One undo of one run while it goes on. */
interface Undo {
  /** The run whose journal the calls go to. */
  readonly run: Run;
  readonly target: RunState;
  readonly undos: readonly PlannedUndo[];
  readonly options: CompensateOptions;
  readonly doubts: ReadonlyMap<string, Intent>;
  /** Positions whose hook failed, with its message: the hook stays owed. */
  readonly unheard: Map<number, string>;
}

/** Names an action in the run that is undone and in the runs that undo it. */
export function undoKey({ kind, name }: Pick<RunAction, "kind" | "name">): string {
  return `${kind} ${name}`;
}

function doubtsOf(target: RunState, options: CompensateOptions): ReadonlyMap<string, Intent> {
  const doubts = new Map(options.doubts);
  for (const intent of intentsInDoubt(target)) {
    const action = target.header.actions[intent.action];
    if (intent.phase === "undo" && action !== undefined) doubts.set(undoKey(action), intent);
  }
  return doubts;
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

/** A hook that is told of the resource as an undo has left it. */
interface UndoHook {
  /** In one commit with the outcome, so that a kill before the hook leaves it owed. */
  readonly owed: Extract<JournalEvent, { kind: "half" }>;
  readonly call: () => Promise<void>;
}

/** Who listens is told of what is deleted and of what the record is again. Of what is only forgotten there is no hook. */
function hookAfter(run: Run, target: RunState, { action, step }: PlannedUndo, end: UndoEnd): UndoHook | undefined {
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
async function tellHook({ run, undos, unheard, target }: Undo, position: number, hook: UndoHook): Promise<void> {
  const { action } = undos[position] as PlannedUndo;
  try {
    await inHookOrder(run, hook.call);
  } catch (thrown) {
    unheard.set(position, thrown instanceof Error ? thrown.message : String(thrown));
    return;
  }
  await commit(run, [{ kind: "hooks-done", run: target.header.id, action: action.index }]);
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

/** What cannot be undone keeps the outcome that tells what it did. */
function stays(target: RunState, undo: PlannedUndo): boolean {
  return undo.step.how === "none" && target.outcomes.has(undo.action.index);
}

/** The outcome of the undone action, as journal and report tell it: what it was comes first. */
function undoneOutcome(run: Run, target: RunState, undo: PlannedUndo, end: UndoEnd): Outcome {
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

async function finish(
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
