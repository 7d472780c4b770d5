import {
  type DesiredResource,
  type ErrorCode,
  type Intent,
  type JournalEvent,
  type JsonObject,
  type NodeHalf,
  type Operation,
  type Outcome,
  type PlanAction,
  type ProviderError,
  type RecordChange,
  type ResourceRecord,
  type Timeouts,
  WfctlError,
} from "@wfctl/model";
import { providerErrorCodes } from "../plan/decide.ts";
import { toSpec, type ResolvedConfig } from "../plan/resolve.ts";
import type { CallOptions, LiveObject, Provider, Spec } from "../ports/index.ts";
import { resolveIntent, type Resolution } from "../recover/resolve-intent.ts";
import { asProviderError, sendWithRetries } from "./dispatch.ts";
import { completeRecord, recordToBe, replyFault } from "./records.ts";
import { commit, type Run } from "./run.ts";

/** How one node ended: the outcome it gives its action, or that the action goes on with its next half. */
export type NodeEnd =
  | {
      readonly end: "outcome";
      readonly status: Outcome["status"];
      readonly code?: ErrorCode;
      readonly message?: string;
      readonly causes?: readonly string[];
      readonly record?: RecordChange;
      readonly keepIntents?: boolean;
      /** The record before an action that sends nothing: journaled with the outcome, for an undo. */
      readonly image?: ResourceRecord;
      /** For the applied and deleted hooks. */
      readonly hook?: { readonly applied: ResourceRecord } | { readonly deleted: string };
    }
  | { readonly end: "half"; readonly record: RecordChange; readonly hook?: { readonly deleted: string } };

export interface Slot {
  /** The driver only waits: the slot may serve another call meanwhile. */
  readonly waiting: (isWaiting: boolean) => void;
}

interface Call {
  readonly operation: Operation;
  readonly half: NodeHalf;
  readonly provider: Provider;
  readonly action: PlanAction;
  readonly type: string;
  /** @default "apply" */
  readonly phase?: Intent["phase"];
  readonly providerId?: string;
  /** Input of create and update. */
  readonly write?: Write;
  readonly timeouts?: Timeouts | undefined;
  readonly before?: ResourceRecord;
  readonly liveInputs?: JsonObject;
  readonly priorRead?: Intent["priorRead"];
  readonly deposed?: string;
  readonly markDirty?: string;
  readonly priority: number;
  readonly slot: Slot;
}

/** What a create or update sends, and the record that stands when it is confirmed. */
export interface Write {
  readonly spec: Spec;
  /** JSON pointers into the spec's config. */
  readonly sensitive: readonly string[];
  readonly after: NonNullable<Intent["after"]>;
}

/** The write that brings a resource to what the configuration wants. */
export function writeOf(
  run: Run,
  provider: Provider,
  desired: DesiredResource,
  resolved: ResolvedConfig,
  before: ResourceRecord | undefined,
): Write {
  return {
    spec: toSpec(desired, resolved.config),
    sensitive: resolved.sensitive,
    after: recordToBe(run, provider, desired, resolved, before),
  };
}

export type CallEnd =
  | {
      readonly ok: true;
      readonly live: LiveObject | undefined;
      readonly after: Intent["after"];
      readonly createdByUs: boolean;
    }
  | {
      readonly ok: false;
      readonly error: ProviderError;
      readonly resolution: Resolution | undefined;
      readonly after: Intent["after"];
    };

/** The intent could not be made durable, so the call was not sent. */
export class StoreRefused extends Error {
  readonly error: WfctlError;

  constructor(error: WfctlError) {
    super(error.message);
    this.name = "StoreRefused";
    this.error = error;
  }
}

const defaultTimeoutMs: Readonly<Record<Operation, number>> = {
  create: 1_800_000,
  update: 1_800_000,
  delete: 1_800_000,
};
const maxAttempts = 8;

/** Makes the intent durable, sends the call, and finds out how it ended. Nothing that changes anything is sent by any other way. */
export async function sendWithIntent(run: Run, call: Call): Promise<CallEnd> {
  const { clock } = run.deps;
  const traits = call.provider.traits(call.type);
  const timeoutMs =
    call.timeouts?.[call.operation] ?? traits?.timeouts?.[call.operation] ?? defaultTimeoutMs[call.operation];
  const sentAt = clock.now();
  const after = call.operation === "delete" ? undefined : call.write?.after;
  const clientToken = run.deps.random.id();
  const intent: Intent = {
    run: run.id,
    action: call.action.index,
    half: call.half,
    phase: call.phase ?? "apply",
    operation: call.operation,
    name: call.action.name,
    type: call.type,
    provider: call.provider.module,
    providerName: call.provider.name,
    providerVersion: call.provider.version,
    ...(call.provider.identity === undefined ? {} : { providerIdentity: call.provider.identity }),
    ...(call.write === undefined ? {} : { inputs: call.write.spec.config }),
    sensitiveInputs: call.write?.sensitive ?? [],
    ...(call.write?.spec.size === undefined ? {} : { size: call.write.spec.size }),
    ...(call.write?.spec.hints === undefined ? {} : { hints: call.write.spec.hints }),
    ...(call.providerId === undefined ? {} : { providerId: call.providerId }),
    ...(call.before === undefined ? {} : { before: call.before }),
    ...(call.liveInputs === undefined ? {} : { liveInputs: call.liveInputs }),
    ...(after === undefined ? {} : { after }),
    clientToken,
    attempt: 1,
    sentAt: new Date(sentAt).toISOString(),
    deadlineAt: new Date(sentAt + timeoutMs).toISOString(),
    ...(call.priorRead === undefined ? {} : { priorRead: call.priorRead }),
    ...(call.deposed === undefined ? {} : { deposed: call.deposed }),
  };
  try {
    await commit(run, intentEvents(run, call, intent));
  } catch (thrown) {
    throw new StoreRefused(WfctlError.from(thrown, "STORE_UNAVAILABLE"));
  }
  run.startedAt[call.action.index] ||= clock.now();
  run.deps.emit({
    event: "action-started",
    action: call.action.index,
    half: call.half,
    kind: call.action.kind,
    name: call.action.name,
    type: call.type,
  });
  const options: CallOptions = {
    timeoutMs,
    run: run.id,
    clientToken,
    owner: `${run.lineage}/${call.action.name}`,
    signal: run.calls.signal,
    priority: call.priority,
    onProgress: (progress) => {
      call.slot.waiting(progress.waiting);
      run.deps.emit({
        event: "action-progress",
        action: call.action.index,
        name: call.action.name,
        message: run.secrets.redact(progress.message),
        elapsedMs: clock.now() - sentAt,
      });
    },
  };
  const tokens =
    call.provider.features.clientTokens && (call.operation !== "create" || traits?.convergentCreate === true);
  let sends = 0;
  try {
    const live = await sendWithRetries(
      () => {
        sends += 1;
        run.attempts[call.action.index] = (run.attempts[call.action.index] as number) + 1;
        return sendOnce(call, options);
      },
      { repeatable: call.operation === "delete" || tokens, maxAttempts, deadlineAt: sentAt + timeoutMs },
      {
        clock,
        random: run.deps.random,
        signal: run.calls.signal,
        stopped: () => run.halt?.kind === "cancelled",
        onRetry: (attempt, afterMs, why) =>
          run.deps.emit({
            event: "action-retry",
            action: call.action.index,
            name: call.action.name,
            attempt,
            afterMs,
            why: run.secrets.redact(why),
          }),
      },
    );
    const createdByUs = live !== undefined && (live.created ?? (call.priorRead === "absent" || (sends > 1 && tokens)));
    return { ok: true, live, after, createdByUs };
  } catch (thrown) {
    const error = asProviderError(thrown);
    if (error.definite) return { ok: false, error, resolution: undefined, after };
    if (run.calls.signal.aborted)
      return {
        ok: false,
        error,
        resolution: { found: "unknown", why: "the run was cancelled before the answer came" },
        after,
      };
    const resolution = await resolveIntent(intent, call.provider, {
      clock,
      random: run.deps.random,
      signal: run.calls.signal,
      owner: `${run.lineage}/${call.action.name}`,
      answered: error.answered,
      processDead: () => error.class === "plugin_exit" || call.provider.processGone(),
      mayWait: run.halt?.kind !== "cancelled",
      ...(error.partial === undefined ? {} : { partialId: error.partial.providerId }),
    });
    return { ok: false, error, resolution, after };
  } finally {
    call.slot.waiting(false);
  }
}

function intentEvents(run: Run, call: Call, intent: Intent): JournalEvent[] {
  const events: JournalEvent[] = [];
  if (call.provider.features.finalizer && !run.finalizeOwed.has(call.provider.module)) {
    run.finalizeOwed.add(call.provider.module);
    events.push({ kind: "finalize-owed", run: run.id, provider: call.provider.module });
  }
  if (call.before !== undefined && call.markDirty !== undefined) {
    const record: ResourceRecord = { ...call.before, mark: "dirty", markReason: call.markDirty };
    run.records.set(record.name, record);
    events.push({ kind: "intent", intent, record });
  } else {
    events.push({ kind: "intent", intent });
  }
  return events;
}

async function sendOnce(call: Call, options: CallOptions): Promise<LiveObject | undefined> {
  const ref = { name: call.action.name, type: call.type, providerId: call.providerId ?? "" };
  if (call.operation === "delete") {
    await call.provider.delete(ref, options);
    return undefined;
  }
  if (call.write === undefined) throw new Error("A create or update needs its input");
  const { spec } = call.write;
  return call.operation === "create" ? call.provider.create(spec, options) : call.provider.update(ref, spec, options);
}

/** The end of a create or update call as a record and a status. */
export function settleWrite(run: Run, action: PlanAction, end: CallEnd, before: ResourceRecord | undefined): NodeEnd {
  const { after } = end;
  if (after === undefined) throw new Error("A create or update has a record to be");
  const isCreate = action.kind === "create" || action.kind === "replace";
  const tainted = (live: LiveObject, why: string, mark: "tainted" | "dirty"): ResourceRecord =>
    completeRecord(run, after, live, {
      mark,
      markReason: why,
      createdByUs: isCreate || (before?.createdByUs ?? false),
    });
  if (end.ok) {
    const live = end.live as LiveObject;
    const fault = replyFault(live, action.name, action.type);
    if (fault === undefined) {
      const record = completeRecord(run, after, live, {
        createdByUs: isCreate ? end.createdByUs : (before?.createdByUs ?? false),
      });
      return { end: "outcome", status: "SUCCESS", record: { put: record }, hook: { applied: record } };
    }
    const kept = {
      ...live,
      providerId: live.providerId === "" ? (before?.providerId ?? "") : live.providerId,
      sensitive: live.sensitive,
    };
    return {
      end: "outcome",
      status: "ERROR",
      code: "BAD_RESULT",
      message: `The provider's answer breaks the contract: ${fault}`,
      record: { put: tainted(kept, fault, "tainted") },
    };
  }
  const { error, resolution } = end;
  const failed = (code: ErrorCode, message: string, record?: RecordChange, keepIntents?: boolean): NodeEnd => ({
    end: "outcome",
    status: "ERROR",
    code,
    message,
    ...(record === undefined ? {} : { record }),
    ...(keepIntents === true ? { keepIntents } : {}),
  });
  // A refused update leaves its record dirty: only SUCCESS clears that.
  if (resolution === undefined) return failed(providerErrorCodes[error.class], error.message);
  switch (resolution.found) {
    case "ours": {
      if (resolution.complete) {
        const fault = replyFault(resolution.object, action.name, action.type);
        if (fault === undefined) {
          const record = completeRecord(run, after, resolution.object, {
            createdByUs: isCreate || (before?.createdByUs ?? false),
          });
          return { end: "outcome", status: "SUCCESS", record: { put: record }, hook: { applied: record } };
        }
      }
      const code =
        error.class === "transient" || error.class === "rate_limited" ? providerErrorCodes[error.class] : "INCOMPLETE";
      // An interrupted wait leaves a whole object behind more often than not: read it again rather than replace it.
      const mark = isCreate && run.halt?.kind !== "cancelled" ? "tainted" : "dirty";
      return failed(code, `${error.message} (${resolution.why})`, {
        put: tainted(resolution.object, resolution.why, mark),
      });
    }
    case "gone":
      return failed("NOT_FOUND", `${error.message} (${resolution.why})`);
    case "absent":
      return failed(
        error.answered ? providerErrorCodes[error.class] : "NOT_APPLIED",
        `${error.message} (${resolution.why})`,
      );
    case "there":
    case "unknown":
      return failed("OUTCOME_UNKNOWN", `${error.message} (${resolution.why})`, undefined, true);
  }
}

/** The end of a delete call. `removed` is the record change once the object is confirmed gone. */
export function settleDelete(end: CallEnd, removed: RecordChange): NodeEnd {
  if (end.ok) return { end: "outcome", status: "SUCCESS", record: removed };
  const { error, resolution } = end;
  if (resolution === undefined) {
    if (error.class === "not_found") return { end: "outcome", status: "SUCCESS", record: removed };
    return { end: "outcome", status: "DELETE_FAILED", code: providerErrorCodes[error.class], message: error.message };
  }
  if (resolution.found === "absent" || resolution.found === "gone")
    return { end: "outcome", status: "SUCCESS", record: removed };
  if (resolution.found === "there") {
    const code = error.answered ? providerErrorCodes[error.class] : "INTERRUPTED";
    return { end: "outcome", status: "DELETE_FAILED", code, message: `${error.message} (${resolution.why})` };
  }
  return {
    end: "outcome",
    status: "DELETE_FAILED",
    code: "OUTCOME_UNKNOWN",
    message: `${error.message} (${resolution.why})`,
    keepIntents: true,
  };
}
