import {
  WfctlError,
  type ApplyResult,
  type JournalEvent,
  type Outcome,
  type Plan,
  type RunEnd,
  type RunHeader,
  type StackState,
} from "@wfctl/model";
import { compensateRun } from "../compensate/compensate-run.ts";
import type { CompensationReport } from "../compensate/undo.ts";
import { finalizeOwed, type FinalizeError } from "../finalize/finalize.ts";
import { finalizerOwedEvents } from "../finalize/owed-records.ts";
import { buildApplyResult } from "../report/apply-result.ts";
import { commit, createRun, halt, type ApplyOptions, type EngineDeps, type Run } from "./run.ts";
import { createSchedule } from "./schedule.ts";

export interface RunReport {
  readonly run: string;
  /** One per action, in plan order. */
  readonly outcomes: readonly Outcome[];
  readonly result: ApplyResult;
  readonly end: RunEnd;
  /** What stopped the run, where it was more than a failed action. */
  readonly fatal?: WfctlError;
  readonly finalizeErrors: readonly FinalizeError[];
  /** What the undo of the failed run did, where there was one. */
  readonly compensation?: CompensationReport;
  /** Resources whose state is not known after the run. */
  readonly unknown: readonly string[];
}

/**
 * Runs a plan: each action ends in exactly one outcome, durable before anything that depends on it is sent.
 * Never throws for what happens to actions; throws only where the run could not begin.
 */
export async function applyPlan(
  deps: EngineDeps,
  plan: Plan,
  state: StackState,
  options: ApplyOptions,
): Promise<RunReport> {
  if (state.serial !== plan.serial || state.lineage !== plan.stack.lineage) {
    throw new WfctlError(
      "PLAN_STALE",
      `The plan was made from serial ${plan.serial} of the state, which is at ${state.serial} now`,
      {
        hint: "Plan again",
      },
    );
  }
  const run = createRun(deps, state, { runId: options.runId, plan, options });
  await beginRun(run, plan);
  const stopWatching = watchInterrupts(run);
  try {
    const schedule = createSchedule(run);
    await schedule.runMainPhase();
    await runFinalizers(run);
    // The barrier opens only when all before it went well, skipped actions included.
    if (plan.onFailure !== "continue" && run.failed) halt(run, { kind: "failed" });
    await schedule.runCleanupPhase();
    if (plan.onFailure === "compensate") await undoFailed(run);
  } finally {
    stopWatching();
  }
  return endRun(run, plan);
}

async function beginRun(run: Run, plan: Plan): Promise<void> {
  const { deps, options } = run;
  const header: RunHeader = {
    id: run.id,
    command: plan.command,
    planId: plan.id,
    planDigest: plan.digest,
    onFailure: plan.onFailure,
    actions: plan.actions.map(({ index, kind, name, type, provider }) => ({ index, kind, name, type, provider })),
    startedAt: new Date(deps.clock.now()).toISOString(),
    user: deps.user,
    host: deps.host,
    fence: deps.lease.fence,
    engineVersion: deps.engineVersion,
  };
  const events: JournalEvent[] = [{ kind: "run-started", run: header }];
  for (const process of options.plugins ?? []) events.push({ kind: "plugin-started", run: run.id, process });
  for (const module of new Set(plan.actions.map((action) => action.provider))) {
    const config = deps.providerConfigs.get(module);
    if (config !== undefined)
      events.push({ kind: "provider-config", provider: module, name: config.name, config: config.config });
  }
  for (const record of options.settle ?? []) events.push({ kind: "record", run: run.id, record });
  await commit(run, events);
  deps.emit({ event: "run-started", run: run.id, actions: plan.actions.length });
}

/** The first interrupt: nothing new, drivers stop waiting; calls still open after the grace are given up, their intents stay open. */
function watchInterrupts(run: Run): () => void {
  const over = new AbortController();
  const { signal } = run.options;
  const onInterrupt = (): void => {
    halt(run, { kind: "cancelled" });
    for (const provider of run.deps.providers.values()) {
      if (provider.features.stop) provider.stop(run.id).catch(() => undefined);
    }
    run.deps.clock.sleep(run.options.graceMs ?? 4000, over.signal).then(
      () => run.calls.abort(new Error("the run was cancelled")),
      () => undefined,
    );
  };
  const onLost = (): void => {
    halt(run, {
      kind: "fatal",
      error: new WfctlError("LEASE_LOST", "The lease of the stack was taken over by another run"),
    });
  };
  if (signal?.aborted === true) onInterrupt();
  else signal?.addEventListener("abort", onInterrupt, { once: true });
  run.deps.lease.lost.addEventListener("abort", onLost, { once: true });
  return () => {
    over.abort();
    signal?.removeEventListener("abort", onInterrupt);
    run.deps.lease.lost.removeEventListener("abort", onLost);
  };
}

/** After creates and updates, also after failed ones; not when the run was cancelled or may not write any more: then it stays owed. */
async function runFinalizers(run: Run): Promise<void> {
  run.finalizersCalled = true;
  const modules = new Set([...run.inheritedFinalizers, ...run.finalizeOwed]);
  if (modules.size === 0 || run.halt?.kind === "cancelled" || isStoreFault(run)) return;
  const errors = await finalizeOwed({
    run: run.id,
    planId: run.plan.id,
    modules: [...modules],
    providers: run.deps.providers,
    signal: run.calls.signal,
    commit: (events) => commit(run, events),
    emit: run.deps.emit,
    redact: (text) => run.secrets.redact(text),
    restarted: run.restarted,
  });
  run.finalizeErrors.push(...errors);
  if (errors.length > 0) run.failed = true;
  const open = new Set(errors.map((error) => error.provider));
  for (const module of modules) if (!open.has(module)) run.finalizeOwed.delete(module);
}

function endOf(run: Run): RunEnd {
  if (run.halt?.kind === "cancelled") return "interrupted";
  if (run.compensation !== undefined) return run.compensation.end;
  return run.failed || run.halt !== undefined ? "failed" : "succeeded";
}

function isStoreFault(run: Run): boolean {
  const code = run.halt?.error?.code;
  return code === "STORE_UNAVAILABLE" || code === "LEASE_LOST" || code === "STORE_CORRUPT";
}

/** A failed run undoes itself where nothing forbids it: no interrupt, no trouble with the store, no clean-up call yet. */
async function undoFailed(run: Run): Promise<void> {
  if (!run.failed || run.halt?.kind === "cancelled" || run.cleanupStarted || isStoreFault(run)) return;
  try {
    await run.durable;
    const target = await run.deps.store.run(run.id);
    if (target === undefined) throw new WfctlError("RUN_UNKNOWN", `The journal does not hold run ${run.id}`);
    const state = await run.deps.store.load();
    const report = await compensateRun(run.deps, target, state, {
      skip: new Set(),
      ...(run.options.parallelism === undefined ? {} : { parallelism: run.options.parallelism }),
      ...(run.options.signal === undefined ? {} : { signal: run.options.signal }),
    });
    for (const [action, outcome] of report.outcomes) run.outcomes[action] = outcome;
    for (const name of run.records.keys()) run.records.delete(name);
    for (const record of (await run.deps.store.load()).records.values()) run.records.set(record.name, record);
    run.compensation = report;
  } catch (thrown) {
    halt(run, { kind: "fatal", error: WfctlError.from(thrown, "UNDO_FAILED") });
  }
}

async function endRun(run: Run, plan: Plan): Promise<RunReport> {
  const missing = run.outcomes.findIndex((outcome) => outcome === undefined);
  if (missing >= 0) {
    throw new WfctlError(
      "INTERNAL",
      `Action ${missing} of run ${run.id} has no outcome: ${run.outcomes.length} actions were planned`,
    );
  }
  const outcomes = run.outcomes as Outcome[];
  const end = endOf(run);
  const fatal = run.halt?.error;
  try {
    await run.durable;
    await run.hookChain;
    await commit(run, [
      ...finalizerOwedEvents(run.id, run.finalizeOwed, run.records),
      {
        kind: "run-closed",
        run: run.id,
        end,
        at: new Date(run.deps.clock.now()).toISOString(),
        ...(fatal === undefined ? {} : { error: fatal.message }),
      },
    ]);
  } catch (thrown) {
    halt(run, { kind: "fatal", error: WfctlError.from(thrown, "STORE_UNAVAILABLE") });
  }
  run.deps.emit({ event: "run-closed", run: run.id, end });
  const unknown = outcomes.flatMap((outcome) =>
    outcome.code === "OUTCOME_UNKNOWN" ? [(run.plan.actions[outcome.action] as { name: string }).name] : [],
  );
  const error = run.halt?.error ?? fatal;
  return {
    run: run.id,
    outcomes,
    result: buildApplyResult(plan, outcomes, run.records, run.replacedIds, run.finalizeErrors),
    end,
    ...(error === undefined ? {} : { fatal: error }),
    finalizeErrors: run.finalizeErrors,
    ...(run.compensation === undefined ? {} : { compensation: run.compensation }),
    unknown,
  };
}
