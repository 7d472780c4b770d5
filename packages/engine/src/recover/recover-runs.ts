import {
  WfctlError,
  type Intent,
  type JournalEvent,
  type NodeHalf,
  type Outcome,
  type PluginProcess,
  type RecordChange,
  type ResourceRecord,
  type RunState,
  type StackState,
} from "@wfctl/model";
import { completeRecord, replyFault } from "../apply/records.ts";
import type { CompensationReport } from "../compensate/compensate-run.ts";
import { finalizerOwedReason } from "../plan/decide.ts";
import { createGate } from "../plan/plan-stack.ts";
import type { Clock, Digester, EventSink, Hooks, LiveObject, Lease, Provider, Random, Store } from "../ports/index.ts";
import { createSecretSet, type SecretSet } from "../report/redact.ts";
import { resolveIntent, type Resolution } from "./resolve-intent.ts";
import { isUndo, resumeUndo } from "./resume-undo.ts";

export interface RecoverDeps {
  readonly store: Store;
  readonly lease: Lease;
  /** Starts the provider of a module with today's configuration, or the recorded one where the module is gone. Undefined where neither is there. */
  readonly provider: (module: string) => Promise<Provider | undefined>;
  /** Kills plugin processes of dead runs that still live on this machine. False where some may live elsewhere. */
  readonly killPlugins: (processes: readonly PluginProcess[]) => Promise<boolean>;
  readonly clock: Clock;
  readonly random: Random;
  readonly digester: Digester;
  readonly hooks?: Hooks;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
  /** Written into the header of a run that resumes an undo. */
  readonly engineVersion: string;
  readonly user: string;
  readonly host: string;
}

export interface RecoveryReport {
  /** Runs that were closed. */
  readonly runs: readonly string[];
  readonly resolved: readonly {
    readonly run: string;
    readonly name: string;
    readonly operation: string;
    readonly status: string;
    readonly message: string;
  }[];
  /** Resources that stay unknown. */
  readonly unknown: readonly { readonly name: string; readonly why: string }[];
  /** Undos that a dead process had begun and that are finished now: the command should end with them. */
  readonly undos: readonly CompensationReport[];
}

/**
 * Resolves, by evidence, all that dead runs left in flight, fills the slots they left open, calls the hooks they owe, and closes them.
 * Must be called by whoever takes the lease, before anything else is written. An intent without certainty stays open: its resource is `unknown`.
 */
export async function recoverRuns(deps: RecoverDeps): Promise<RecoveryReport> {
  const state = await deps.store.load();
  const report = {
    runs: [] as string[],
    resolved: [] as RecoveryReport["resolved"][number][],
    unknown: [] as RecoveryReport["unknown"][number][],
    undos: [] as CompensationReport[],
  };
  if (state.openRuns.length === 0 && state.unknown.size === 0) return report;
  const processesGone = await deps.killPlugins(state.openRuns.flatMap((run) => run.plugins));
  const secrets = secretsOf(state);
  for (const { intent } of state.unknown.values()) {
    // Closed runs left these; their processes ended with them, on this machine or after their call deadline elsewhere.
    const result = await resolveOne(deps, state, secrets, intent, true);
    await writeUnknown(deps, state, intent, result, report);
  }
  for (const run of state.openRuns) {
    await recoverRun(deps, state, secrets, run, processesGone, report);
    report.runs.push(run.header.id);
  }
  return report;
}

interface Resolved {
  readonly resolution: Resolution;
  readonly record: RecordChange | undefined;
  readonly done: boolean;
}

async function recoverRun(
  deps: RecoverDeps,
  state: StackState,
  secrets: SecretSet,
  run: RunState,
  processesGone: boolean,
  report: {
    resolved: RecoveryReport["resolved"][number][];
    unknown: RecoveryReport["unknown"][number][];
    undos: CompensationReport[];
  },
): Promise<void> {
  const outcomes = new Map(run.outcomes);
  const records = new Map(state.records);
  const open = [...run.openIntents, ...run.unknownIntents.map((entry) => entry.intent)].filter(
    (intent) => intent.phase === "apply",
  );
  // Independent intents are asked for at the same time; what they tell is written one by one.
  const gate = createGate(10);
  const results = await Promise.all(
    open.map(async (intent) => ({
      intent,
      result: await gate(() => resolveOne(deps, state, secrets, intent, processesGone)),
    })),
  );
  for (const { intent, result } of results) {
    const outcome = outcomeOfIntent(run, intent, result, secrets);
    const events: JournalEvent[] = [];
    const keep = result.resolution.found === "unknown";
    if (keep) {
      events.push({
        kind: "intent-unknown",
        run: intent.run,
        action: intent.action,
        half: intent.half,
        phase: intent.phase,
        why: secrets.redact(result.resolution.why),
      });
      report.unknown.push({ name: intent.name, why: secrets.redact(result.resolution.why) });
    }
    if (!outcomes.has(intent.action)) {
      events.push({
        kind: "outcome",
        run: run.header.id,
        outcome,
        ...(result.record === undefined ? {} : { record: result.record }),
        ...(keep ? { keepIntents: true } : {}),
      });
      outcomes.set(intent.action, outcome);
    } else if (!keep) {
      events.push({
        kind: "intent-closed",
        run: intent.run,
        action: intent.action,
        half: intent.half,
        phase: intent.phase,
        ...(result.record === undefined ? {} : { record: result.record }),
      });
    }
    await deps.store.commit(deps.lease, events);
    if (result.record !== undefined) applyChange(records, result.record);
    const message = secrets.redact(result.resolution.why);
    report.resolved.push({
      run: run.header.id,
      name: intent.name,
      operation: intent.operation,
      status: keep ? "unknown" : outcome.status,
      message,
    });
    deps.emit({
      event: "recovery",
      run: run.header.id,
      name: intent.name,
      operation: intent.operation,
      result: keep ? "unknown" : outcome.status,
      message,
    });
  }
  await callOwedHooks(deps, run, records, outcomes);
  if (isUndo(run)) {
    report.undos.push(await resumeUndo(deps, run));
    return;
  }
  await closeRun(deps, run, outcomes, records);
}

/** Asks the provider of an intent; today's configuration counts only while it reaches the same account. */
async function resolveOne(
  deps: RecoverDeps,
  state: StackState,
  secrets: SecretSet,
  intent: Intent,
  processDead: boolean,
): Promise<Resolved> {
  let provider: Provider | undefined;
  try {
    provider = await deps.provider(intent.provider);
  } catch (thrown) {
    const why = `provider "${intent.provider}" cannot be started: ${WfctlError.from(thrown).message}`;
    return { resolution: { found: "unknown", why }, record: undefined, done: false };
  }
  if (provider === undefined) {
    return {
      resolution: { found: "unknown", why: `provider "${intent.provider}" is not configured any more` },
      record: undefined,
      done: false,
    };
  }
  const pastDeadline = deps.clock.now() > Date.parse(intent.deadlineAt) + 30_000;
  const resolution = await resolveIntent(intent, provider, {
    clock: deps.clock,
    random: deps.random,
    signal: deps.signal,
    owner: `${state.lineage}/${intent.name}`,
    answered: false,
    processDead: () => processDead || pastDeadline,
    mayWait: true,
  });
  const providers = new Map([[provider.module, provider]]);
  const record = recordAfter(intent, resolution, state, { secrets, deps: { ...deps, providers } });
  return { resolution, record, done: resolution.found !== "unknown" };
}

/** What the record is, given the evidence; undefined where it stays as it is. */
function recordAfter(
  intent: Intent,
  resolution: Resolution,
  state: StackState,
  run: {
    readonly secrets: SecretSet;
    readonly deps: { readonly clock: Clock; readonly providers: ReadonlyMap<string, Provider> };
  },
): RecordChange | undefined {
  const current = state.records.get(intent.name);
  if (intent.operation === "delete") {
    if (resolution.found !== "absent" && resolution.found !== "gone") return undefined;
    if (intent.deposed === undefined) return current === undefined ? undefined : { remove: intent.name };
    if (current === undefined) return undefined;
    return { put: { ...current, deposed: current.deposed.filter((old) => old.providerId !== intent.deposed) } };
  }
  if (intent.after === undefined) return undefined;
  if (resolution.found === "ours") {
    const object = asOwn(resolution.object, intent);
    const complete = resolution.complete && replyFault(object, intent.name, intent.type) === undefined;
    const made = completeRecord(run as Parameters<typeof completeRecord>[0], intent.after, object, {
      createdByUs: intent.operation === "create" || (intent.before?.createdByUs ?? false),
      ...(complete ? {} : { mark: "dirty", markReason: `its ${intent.operation} was interrupted` }),
    });
    return { put: withOldObject(made, intent) };
  }
  if (resolution.found === "gone" && current !== undefined) {
    return { put: { ...current, mark: "dirty", markReason: "the object was not there any more" } };
  }
  return undefined;
}

/** The new object of a create-first replace stands beside the old one, which a later plan deletes. */
function withOldObject(made: ResourceRecord, intent: Intent): ResourceRecord {
  const old = intent.before;
  if (intent.half !== "create" || old === undefined || intent.operation !== "create") return made;
  return {
    ...made,
    deposed: [
      ...old.deposed,
      {
        providerId: old.providerId,
        type: old.type,
        provider: old.provider,
        outputs: old.outputs,
        sensitiveOutputs: old.sensitiveOutputs,
        dependencies: old.dependencies,
        sinceRun: intent.run,
      },
    ],
  };
}

function asOwn(object: LiveObject, intent: Intent): LiveObject {
  return object.providerId === "" && intent.providerId !== undefined
    ? { ...object, providerId: intent.providerId }
    : object;
}

function outcomeOfIntent(run: RunState, intent: Intent, result: Resolved, secrets: SecretSet): Outcome {
  const { resolution } = result;
  const isDelete = run.header.actions[intent.action]?.kind === "delete";
  const end = (status: Outcome["status"], code?: Outcome["code"], message?: string): Outcome => ({
    action: intent.action,
    status,
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message: secrets.redact(message) }),
    attempts: intent.attempt,
    durationMs: 0,
  });
  if (resolution.found === "unknown") {
    return end(
      isDelete ? "DELETE_FAILED" : "ERROR",
      resolution.code ?? "OUTCOME_UNKNOWN",
      `The process died while this was in flight: ${resolution.why}`,
    );
  }
  if (!isLastHalf(run, intent)) {
    return end(
      "ERROR",
      "INTERRUPTED",
      `The process died in the middle of this replace: ${resolution.why}. The next plan goes on from there`,
    );
  }
  switch (resolution.found) {
    case "ours":
      if (resolution.complete) return end("SUCCESS");
      return end(
        "ERROR",
        intent.operation === "create" ? "INCOMPLETE" : "INTERRUPTED",
        `The process died while this was in flight: ${resolution.why}`,
      );
    case "absent":
      if (intent.operation === "delete") return end("SUCCESS");
      return end("ERROR", "NOT_APPLIED", `The process died while this was in flight: ${resolution.why}`);
    case "gone":
      if (intent.operation === "delete") return end("SUCCESS");
      return end("ERROR", "INTERRUPTED", `The process died while this was in flight: ${resolution.why}`);
    case "there":
      return end("DELETE_FAILED", "INTERRUPTED", `The process died while this was in flight: ${resolution.why}`);
  }
}

/** True where the intent was the last work of its action. */
function isLastHalf(run: RunState, intent: Intent): boolean {
  if (intent.half === "main") return true;
  const other: NodeHalf = intent.half === "create" ? "delete" : "create";
  return run.halvesDone.includes(`${intent.action}:${other}`);
}

async function writeUnknown(
  deps: RecoverDeps,
  state: StackState,
  intent: Intent,
  result: Resolved,
  report: { resolved: RecoveryReport["resolved"][number][]; unknown: RecoveryReport["unknown"][number][] },
): Promise<void> {
  void state;
  if (!result.done) {
    report.unknown.push({ name: intent.name, why: result.resolution.why });
    deps.emit({
      event: "recovery",
      run: intent.run,
      name: intent.name,
      operation: intent.operation,
      result: "unknown",
      message: result.resolution.why,
    });
    return;
  }
  await deps.store.commit(deps.lease, [
    {
      kind: "intent-closed",
      run: intent.run,
      action: intent.action,
      half: intent.half,
      phase: intent.phase,
      ...(result.record === undefined ? {} : { record: result.record }),
    },
  ]);
  report.resolved.push({
    run: intent.run,
    name: intent.name,
    operation: intent.operation,
    status: result.resolution.found,
    message: result.resolution.why,
  });
  deps.emit({
    event: "recovery",
    run: intent.run,
    name: intent.name,
    operation: intent.operation,
    result: result.resolution.found,
    message: result.resolution.why,
  });
}

async function callOwedHooks(
  deps: RecoverDeps,
  run: RunState,
  records: ReadonlyMap<string, ResourceRecord>,
  outcomes: Map<number, Outcome>,
): Promise<void> {
  for (const index of run.hooksOwed) {
    const action = run.header.actions[index];
    if (action === undefined) continue;
    const record = records.get(action.name);
    const events: JournalEvent[] = [];
    let failure: string | undefined;
    try {
      if (record === undefined) await deps.hooks?.onResourceDeleted?.(run.header.id, index, action.name);
      else await deps.hooks?.onResourceApplied?.(run.header.id, index, record);
      events.push({ kind: "hooks-done", run: run.header.id, action: index });
    } catch (thrown) {
      failure = thrown instanceof Error ? thrown.message : String(thrown);
    }
    if (!outcomes.has(index)) {
      const base = { action: index, attempts: 1, durationMs: 0 };
      const half = run.halvesDone.filter((done) => done.startsWith(`${index}:`));
      const whole = action.kind !== "replace" || half.length > 1;
      const outcome: Outcome =
        failure !== undefined
          ? {
              ...base,
              status: "COMPENSATION_FAILED",
              code: "HOOK_FAILED",
              message: `The effect stands, but a hook after it failed: ${failure}`,
            }
          : whole
            ? { ...base, status: "SUCCESS" }
            : {
                ...base,
                status: "ERROR",
                code: "INTERRUPTED",
                message: "The process died in the middle of this replace. The next plan goes on from there",
              };
      outcomes.set(index, outcome);
      events.push({ kind: "outcome", run: run.header.id, outcome });
    }
    if (events.length > 0) await deps.store.commit(deps.lease, events);
  }
}

async function closeRun(
  deps: RecoverDeps,
  run: RunState,
  outcomes: ReadonlyMap<number, Outcome>,
  records: ReadonlyMap<string, ResourceRecord>,
): Promise<void> {
  const events: JournalEvent[] = [];
  for (const action of run.header.actions) {
    if (outcomes.has(action.index)) continue;
    const touched = run.halvesDone.some((done) => done.startsWith(`${action.index}:`));
    const outcome: Outcome = touched
      ? {
          action: action.index,
          status: "ERROR",
          code: "INTERRUPTED",
          message: "The process died in the middle of this replace. The next plan goes on from there",
          attempts: 1,
          durationMs: 0,
        }
      : {
          action: action.index,
          status: "SKIPPED",
          code: "INTERRUPTED",
          message: "The process died before this was sent",
          attempts: 0,
          durationMs: 0,
        };
    events.push({ kind: "outcome", run: run.header.id, outcome });
  }
  // A finalizer that was owed may have lost its memory with the process: what this run wrote there is updated again.
  for (const module of run.finalizeOwed) {
    for (const record of records.values()) {
      if (record.provider === module && record.run === run.header.id && record.mark === undefined) {
        events.push({
          kind: "record",
          run: run.header.id,
          record: { put: { ...record, mark: "dirty", markReason: finalizerOwedReason } },
        });
      }
    }
  }
  events.push({
    kind: "run-closed",
    run: run.header.id,
    end: "recovered",
    at: new Date(deps.clock.now()).toISOString(),
  });
  await deps.store.commit(deps.lease, events);
  deps.emit({ event: "run-closed", run: run.header.id, end: "recovered" });
}

function secretsOf(state: StackState): SecretSet {
  const secrets = createSecretSet();
  for (const record of state.records.values()) {
    if (record.inputs !== undefined) secrets.add(record.inputs, record.sensitiveInputs);
  }
  for (const run of state.openRuns) {
    for (const intent of run.openIntents)
      if (intent.inputs !== undefined) secrets.add(intent.inputs, intent.sensitiveInputs);
  }
  return secrets;
}

function applyChange(records: Map<string, ResourceRecord>, change: RecordChange): void {
  if ("put" in change) records.set(change.put.name, change.put);
  else records.delete(change.remove);
}
