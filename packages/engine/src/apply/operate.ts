import { ProviderError, WfctlError, type Intent, type PlanAction } from "@wfctl/model";
import type { CallOptions, LiveObject } from "../ports/index.ts";
import { resolveIntent, type Resolution } from "../recover/resolve-intent.ts";
import { settleMsOf } from "../recover/settle-time.ts";
import { asProviderError, backoffMs, sendWithRetries } from "./dispatch.ts";
import { idFault, sharedIdFault } from "./id-fault.ts";
import { createIntent, intentEvents, rankOf, timeoutOf, type Call } from "./intent.ts";
import { reportProgress } from "./progress.ts";
import { proveLease } from "./prove-lease.ts";
import { commit, type Run } from "./run.ts";

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
      /** What the resolver found out; undefined after a definite error. */
      readonly resolution: Resolution | undefined;
      readonly after: Intent["after"];
      readonly clientToken: string;
      /** Why a passing fault was not answered with another attempt, where one was safe. */
      readonly notRepeated?: string;
      /** The call succeeded, and its answer breaks the contract like this. */
      readonly fault?: string;
    };

/** Nothing was sent: the run has stopped meanwhile, or the store refused the intent (`error` says why). */
export class NotSent extends Error {
  readonly error: WfctlError | undefined;

  constructor(error?: WfctlError) {
    super(error?.message ?? "The run has stopped");
    this.name = "NotSent";
    this.error = error;
  }
}

const maxAttempts = 8;

/**
 * Makes the intent durable, sends the call, and finds out how it ended. Nothing that changes anything is sent by any
 * other way. Throws `NotSent` only; the intent may be open then, and the outcome closes it.
 */
export async function sendWithIntent(run: Run, call: Call): Promise<CallEnd> {
  const { clock, random } = run.deps;
  const clientToken = random.id();
  const deadlineMs = clock.now() + timeoutOf(call);
  const first = createIntent(run, call, { clientToken, attempt: 1, deadlineMs });
  await journal(run, call, first);
  announce(run, call);
  let end = await sendOnce(run, call, first, deadlineMs);
  for (let attempt = 2; attempt <= maxAttempts && !end.ok && mayTryAgain(end, call); attempt += 1) {
    const delayMs = backoffMs(attempt - 1, end.error.retryAfterMs, random);
    if (isStopped(run, call)) return end;
    if (clock.now() + delayMs >= deadlineMs) return { ...end, notRepeated: tooLate(call) };
    tellRetry(run, call, attempt, delayMs, end.error.message);
    const again = createIntent(run, call, { clientToken, attempt, deadlineMs });
    try {
      await clock.sleep(delayMs, run.calls.signal);
      await journal(run, call, again);
    } catch {
      // Stopped meanwhile: the attempt before is how it ended.
      return end;
    }
    end = await sendOnce(run, call, again, deadlineMs);
  }
  return end;
}

/** An undo is sent in a stopped run too: it is why the run stopped. */
function isStopped(run: Run, call: Call): boolean {
  return run.halt !== undefined && call.phase !== "undo";
}

async function journal(run: Run, call: Call, intent: Intent): Promise<void> {
  if (isStopped(run, call)) throw new NotSent();
  try {
    await proveLease(
      run.deps.clock,
      () => commit(run, intentEvents(run, call, intent)),
      () => commit(run, []),
    );
  } catch (thrown) {
    throw new NotSent(WfctlError.from(thrown, "STORE_UNAVAILABLE"));
  }
  if (isStopped(run, call)) throw new NotSent();
}

function confirmLease(run: Run): Promise<void> {
  const prove = (): Promise<unknown> => commit(run, []);
  return proveLease(run.deps.clock, prove, prove);
}

/** Throttled or passing, and the resolver says that nothing has happened: what has no token may be sent again as well. */
function mayTryAgain(end: Extract<CallEnd, { ok: false }>, call: Call): boolean {
  if (call.operation === "delete" || honoursTokens(call)) return false;
  const passing = end.error.class === "rate_limited" || end.error.class === "transient";
  const { resolution } = end;
  return passing && (resolution?.found === "absent" || (resolution?.found === "ours" && isUntouched(call, resolution)));
}

/** No time is left: with a short deadline, also because the cloud had to get its time to show an object first. */
function tooLate(call: Call): string {
  const timeoutMs = timeoutOf(call);
  const settleMs = settleMsOf(call.provider, call.type);
  const over = `its time of ${timeoutMs / 1000} s (timeouts.${call.operation}) is over`;
  return call.operation !== "create" || timeoutMs > settleMs
    ? `not repeated: ${over}`
    : `not repeated: ${over}, and only ${settleMs / 1000} s after the answer is it certain that nothing was created`;
}

/** An update that the provider answered with an error and that shows no effect. */
function isUntouched(call: Call, resolution: Extract<Resolution, { found: "ours" }>): boolean {
  return call.operation === "update" && !resolution.complete;
}

function honoursTokens(call: Call): boolean {
  const traits = call.provider.traits(call.type);
  return call.provider.features.clientTokens && (call.operation !== "create" || traits?.convergentCreate === true);
}

/** One intent's worth of sending: retried under the same token where that is safe, resolved where its end is open. */
async function sendOnce(run: Run, call: Call, intent: Intent, deadlineMs: number): Promise<CallEnd> {
  const { clock, random } = run.deps;
  const { after, clientToken } = intent;
  const tokens = honoursTokens(call);
  const progress = reportProgress(run, call);
  let sends = 0;
  let lastSentAtMs = clock.now();
  try {
    const live = await sendWithRetries(
      () => {
        sends += 1;
        lastSentAtMs = clock.now();
        run.attempts[call.action.index] = (run.attempts[call.action.index] as number) + 1;
        return dispatch(call, {
          timeoutMs: Math.max(1, deadlineMs - clock.now()),
          run: run.id,
          clientToken: intent.clientToken,
          owner: ownerOf(run, call.action),
          signal: run.calls.signal,
          ...rankOf(call),
          onProgress: progress.report,
        });
      },
      { repeatable: call.operation === "delete" || tokens, maxAttempts, deadlineAt: deadlineMs },
      {
        clock,
        random,
        signal: run.calls.signal,
        stopped: () => isStopped(run, call),
        confirmLease: () => confirmLease(run),
        onRetry: (attempt, afterMs, why) => tellRetry(run, call, attempt, afterMs, why),
      },
    );
    const id = live?.providerId;
    const fault = id === undefined ? undefined : (idFault(run, call, id) ?? (await sharedIdFault(run, call, id)));
    if (fault !== undefined) {
      const error = new ProviderError("bad_reply", fault);
      return {
        ok: false,
        error,
        fault,
        resolution: await resolve(run, call, intent, error, lastSentAtMs),
        after,
        clientToken,
      };
    }
    // A retry's time is the backoff's.
    if (sends === 1) run.durations.note(call.provider.name, call.type, call.operation, progress.busyMs());
    return { ok: true, live, after, createdByUs: live !== undefined && isOurs(live, call, sends > 1 && tokens) };
  } catch (thrown) {
    const error = asProviderError(thrown);
    // A definite answer tells about its own attempt only, not about one before whose end is open.
    if (error.definite && (sends <= 1 || (call.operation === "delete" && error.class === "not_found")))
      return { ok: false, error, resolution: undefined, after, clientToken };
    return { ok: false, error, resolution: await resolve(run, call, intent, error, lastSentAtMs), after, clientToken };
  } finally {
    progress.end();
  }
}

/** Proven to be made by this run: the driver says so, the token does, or a Read just before found nothing. */
function isOurs(live: LiveObject, call: Call, isRepeated: boolean): boolean {
  return live.created === true || isRepeated || (live.created === undefined && call.priorRead === "absent");
}

/** The mark that says whose an object is. */
export function ownerOf(run: Pick<Run, "lineage">, action: Pick<PlanAction, "name">): string {
  return `${run.lineage}/${action.name}`;
}

async function resolve(
  run: Run,
  call: Call,
  intent: Intent,
  error: ProviderError,
  lastSentAtMs: number,
): Promise<Resolution> {
  if (run.calls.signal.aborted) return { found: "unknown", why: "the run was cancelled before the answer came" };
  const resolution = await resolveIntent(intent, call.provider, {
    clock: run.deps.clock,
    random: run.deps.random,
    signal: run.calls.signal,
    owner: ownerOf(run, call.action),
    answered: error.answered,
    stoppedWaiting: error.class === "cancelled",
    processDead: () => error.class === "plugin_exit" || call.provider.processGone(),
    confirmLease: () => confirmLease(run),
    lastSentAtMs,
    mayWait: () => run.halt?.kind !== "cancelled",
    waiting: (isWaiting) => call.slot.waiting(isWaiting),
    ...(error.partial === undefined ? {} : { partialId: error.partial.providerId }),
  });
  // The object was as intended before the call: that it still is proves nothing.
  if (call.action.force === true && resolution.found === "ours")
    return { ...resolution, complete: false, why: "whether the update that was owed was done is not known" };
  return resolution;
}

function announce(run: Run, call: Call): void {
  run.startedAt[call.action.index] ||= run.deps.clock.now();
  run.deps.emit({
    event: "action-started",
    action: call.action.index,
    half: call.half,
    kind: call.action.kind,
    ...(call.phase === "undo" ? { undo: true } : {}),
    name: call.action.name,
    type: call.type,
  });
}

function tellRetry(run: Run, call: Call, attempt: number, afterMs: number, why: string): void {
  run.deps.emit({
    event: "action-retry",
    action: call.action.index,
    name: call.action.name,
    attempt,
    afterMs,
    why: run.secrets.redact(why),
  });
}

async function dispatch(call: Call, options: CallOptions): Promise<LiveObject | undefined> {
  const ref = { name: call.action.name, type: call.type, providerId: call.providerId ?? "" };
  if (call.operation === "delete") {
    await call.provider.delete(ref, options);
    return undefined;
  }
  if (call.write === undefined) throw new Error("A create or update needs its input");
  const { spec } = call.write;
  return call.operation === "create" ? call.provider.create(spec, options) : call.provider.update(ref, spec, options);
}
