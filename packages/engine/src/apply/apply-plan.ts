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
import { finalizeOwed, type FinalizeError } from "../finalize/finalize.ts";
import { buildApplyResult } from "../report/apply-result.ts";
import { createSecretSet } from "../report/redact.ts";
import { commit, halt, type ApplyOptions, type EngineDeps, type Run } from "./run.ts";
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
  const run = createRun(deps, plan, state, options);
  await beginRun(run, options);
  const stopWatching = watchInterrupts(run);
  try {
    const schedule = createSchedule(run);
    await schedule.runMainPhase();
    await runFinalizers(run);
    if (plan.onFailure !== "continue" && run.finalizeErrors.length > 0) halt(run, { kind: "failed" });
    await schedule.runCleanupPhase();
  } finally {
    stopWatching();
  }
  return endRun(run);
}

function createRun(deps: EngineDeps, plan: Plan, state: StackState, options: ApplyOptions): Run {
  const secrets = createSecretSet();
  for (const record of state.records.values()) {
    if (record.inputs !== undefined) secrets.add(record.inputs, record.sensitiveInputs);
    secrets.add(
      record.outputs,
      record.sensitiveOutputs.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`),
    );
  }
  const records = new Map(state.records);
  for (const change of options.settle ?? []) {
    if ("put" in change) records.set(change.put.name, change.put);
    else records.delete(change.remove);
  }
  return {
    id: options.runId,
    deps,
    plan,
    options,
    lineage: state.lineage,
    records,
    unknown: state.unknown,
    outcomes: Array.from({ length: plan.actions.length }, () => undefined),
    attempts: new Uint32Array(plan.actions.length),
    startedAt: new Float64Array(plan.actions.length),
    secrets,
    finalizeOwed: new Set(),
    inheritedFinalizers: state.finalizeOwed,
    finalizeErrors: [],
    calls: new AbortController(),
    replacedIds: new Map(),
    halt: undefined,
    failed: false,
    durable: Promise.resolve(),
    cleanupStarted: false,
    hookChain: Promise.resolve(),
  };
}

async function beginRun(run: Run, options: ApplyOptions): Promise<void> {
  const { deps, plan } = run;
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
  });
  run.finalizeErrors.push(...errors);
  if (errors.length > 0) run.failed = true;
}

function isStoreFault(run: Run): boolean {
  const code = run.halt?.error?.code;
  return code === "STORE_UNAVAILABLE" || code === "LEASE_LOST" || code === "STORE_CORRUPT";
}

async function endRun(run: Run): Promise<RunReport> {
  const missing = run.outcomes.findIndex((outcome) => outcome === undefined);
  if (missing >= 0) {
    throw new WfctlError(
      "INTERNAL",
      `Action ${missing} of run ${run.id} has no outcome: ${run.outcomes.length} actions were planned`,
    );
  }
  const outcomes = run.outcomes as Outcome[];
  const end: RunEnd =
    run.halt?.kind === "cancelled" ? "interrupted" : run.failed || run.halt !== undefined ? "failed" : "succeeded";
  const fatal = run.halt?.error;
  try {
    await run.durable;
    await run.hookChain;
    await commit(run, [
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
    result: buildApplyResult(run.plan, outcomes, run.records, run.replacedIds, run.finalizeErrors),
    end,
    ...(error === undefined ? {} : { fatal: error }),
    finalizeErrors: run.finalizeErrors,
    unknown,
  };
}
