import { jsonEqual, type ErrorCode, type Intent } from "@wfctl/model";
import type { Clock, LiveObject, Provider, Random } from "../ports/index.ts";
import { asProviderError } from "../apply/dispatch.ts";
import { isQuiet, readObject } from "./ask-provider.ts";
import { resolveCreate } from "./resolve-create.ts";
import { settleMsOf } from "./settle-time.ts";

/** What the evidence says about a call of unknown end. */
export type Resolution =
  /**
   * The object is there and ours. `complete` where it has the intended shape; `proven` where the evidence says that this
   * very create made it: a mark alone may be that of an object which an earlier run made.
   */
  | {
      readonly found: "ours";
      readonly object: LiveObject;
      readonly complete: boolean;
      readonly proven: boolean;
      readonly why: string;
    }
  /** Create: no object, and none can come any more. */
  | { readonly found: "absent"; readonly why: string }
  /** Update: the object is not there any more. */
  | { readonly found: "gone"; readonly why: string }
  /** Delete: the object is still there and not going. */
  | { readonly found: "there"; readonly object: LiveObject; readonly why: string }
  | { readonly found: "unknown"; readonly why: string; readonly code?: ErrorCode };

export interface ResolveEnv {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Ownership mark of the resource: `<stack lineage>/<resource>`. */
  readonly owner: string;
  /** The plugin answered the call with an error: nothing of it is still under way there. */
  readonly answered: boolean;
  /** When the call was sent last, in milliseconds since the epoch. @default as the intent says */
  readonly lastSentAtMs?: number;
  /** The driver gave up waiting because the run was stopped: what it has made is not finished. */
  readonly stoppedWaiting?: boolean;
  /** The process that the call was sent to is proven dead. */
  readonly processDead: () => boolean;
  /** Waiting for settle times and deletes makes sense now. */
  readonly mayWait: () => boolean;
  /**
   * Awaited before a create is sent again; throws where the lease is not ours any more. A process that was stopped
   * and continued does not know: whoever took over has settled this call long ago.
   */
  readonly confirmLease: () => Promise<unknown>;
  /** Told when only time passes, and for how long at the most. */
  readonly waiting?: (isWaiting: boolean, ms?: number) => void;
  /** What the failed call said it had made. */
  readonly partialId?: string;
}

/** Statuses of an object whose delete is under way. */
export const goingStatus = /delet|terminat|destroy|remov/i;

/**
 * Finds out what became of an intent by asking the provider. Evidence, strongest first: lookup by client token,
 * Read by a recorded id, ownership mark, and Read by name where a Read just before the create said that nothing was there.
 * A name alone is no evidence. Never changes anything but by Create with the same token where that converges.
 */
export async function resolveIntent(intent: Intent, provider: Provider, given: ResolveEnv): Promise<Resolution> {
  // A clock that was set back since would make the waits as long as it was set back.
  const lastSentAtMs = Math.min(given.lastSentAtMs ?? Date.parse(intent.sentAt), given.clock.now());
  const env: ResolveEnv = { ...given, lastSentAtMs };
  if (intent.providerIdentity !== undefined && provider.identity !== intent.providerIdentity) {
    return {
      found: "unknown",
      code: "OTHER_ACCOUNT",
      why: `it was sent to ${intent.providerIdentity}, and "${provider.module}" now is ${provider.identity ?? "an account that it does not name"}`,
    };
  }
  try {
    switch (intent.operation) {
      case "create":
        return await resolveCreate(intent, provider, env);
      case "update":
        return await resolveUpdate(intent, provider, env);
      case "delete":
        return await resolveDelete(intent, provider, env);
    }
  } catch (thrown) {
    return { found: "unknown", why: `the provider does not say: ${asProviderError(thrown).message}` };
  }
}

async function resolveUpdate(intent: Intent, provider: Provider, env: ResolveEnv): Promise<Resolution> {
  const object = await readObject(intent, intent.providerId ?? "", provider, env);
  if (object === undefined) return { found: "gone", why: "the object is not there any more" };
  const ours = { found: "ours", object, proven: false } as const;
  const quiet = await isQuiet(intent, object, provider, env);
  if (quiet && !mayHaveBeenQuiet(intent)) return { ...ours, complete: true, why: "the object is as intended" };
  if (!env.answered && !env.processDead()) {
    return { found: "unknown", why: `${sight(quiet)}, and the process that was asked may still be at it` };
  }
  const early = isEarly(intent, provider, env);
  if (early === undefined) {
    if (quiet) return { ...ours, complete: true, why: "the object is as intended" };
    return { ...ours, complete: false, why: "the object is not as intended" };
  }
  if (!env.mayWait()) return { found: "unknown", why: `${sight(quiet)}; ${early.why}` };
  await waitFor(early.leftMs, env);
  return resolveUpdate(intent, provider, env);
}

/** The update was sent for what a finalizer owes: the object was as intended before it, so its effect does not show. */
function mayHaveBeenQuiet({ before, inputs, liveInputs }: Intent): boolean {
  if (before?.inputs === undefined || inputs === undefined || !jsonEqual(before.inputs, inputs)) return false;
  return liveInputs === undefined || jsonEqual(liveInputs, inputs);
}

function sight(quiet: boolean): string {
  return quiet ? "the object was as intended before, so that it is says nothing" : "the object is not as intended yet";
}

/** A request whose answer was lost may still be on its way inside the cloud: what shows no effect proves nothing yet. */
function isEarly(
  intent: Intent,
  provider: Provider,
  env: ResolveEnv,
): { readonly leftMs: number; readonly why: string } | undefined {
  if (env.answered) return undefined;
  const settleMs = settleMsOf(provider, intent.type);
  const sentMs = env.lastSentAtMs ?? Date.parse(intent.sentAt);
  const leftMs = sentMs + settleMs - env.clock.now();
  return leftMs > 0 ? { leftMs, why: `${settleMs / 1000} s after the call that is certain` } : undefined;
}

async function waitFor(ms: number, env: ResolveEnv): Promise<void> {
  env.waiting?.(true, ms);
  try {
    await env.clock.sleep(ms, env.signal);
  } finally {
    env.waiting?.(false);
  }
}

async function resolveDelete(intent: Intent, provider: Provider, env: ResolveEnv): Promise<Resolution> {
  const timeoutMs = provider.traits(intent.type)?.timeouts?.delete ?? 1_800_000;
  const until = env.clock.now() + timeoutMs;
  for (let waitMs = 1000; ; waitMs = Math.min(waitMs * 2, 15_000)) {
    const object = await readObject(intent, intent.deposed ?? intent.providerId ?? "", provider, env);
    if (object === undefined) return { found: "absent", why: "the object is gone" };
    if (!goingStatus.test(object.status)) {
      if (!env.answered && !env.processDead()) {
        return {
          found: "unknown",
          why: "the object is still there, and the process that was asked may still be at it",
        };
      }
      const early = isEarly(intent, provider, env);
      if (early === undefined) return { found: "there", object, why: "the object is still there" };
      if (!env.mayWait()) return { found: "unknown", why: `the object is still there; ${early.why}` };
      await waitFor(early.leftMs, env);
      continue;
    }
    if (!env.mayWait() || env.clock.now() + waitMs > until)
      return { found: "there", object, why: `the object is still going (${object.status})` };
    await waitFor(waitMs, env);
  }
}
