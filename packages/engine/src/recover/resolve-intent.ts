import { ProviderError, type ErrorCode, type Intent, type JsonObject } from "@wfctl/model";
import type { CallOptions, Clock, LiveObject, Provider, Random } from "../ports/index.ts";
import { asProviderError, sendWithRetries } from "../apply/dispatch.ts";

/** What the evidence says about a call of unknown end. */
export type Resolution =
  /** The object is there and ours. `complete` where it has the intended shape. */
  | { readonly found: "ours"; readonly object: LiveObject; readonly complete: boolean; readonly why: string }
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
  /** The plugin answered the call with an error: nothing of it is still under way. */
  readonly answered: boolean;
  /** The process that the call was sent to is proven dead. */
  readonly processDead: () => boolean;
  /** Waiting for settle times and deletes makes sense now. */
  readonly mayWait: boolean;
  /** What the failed call said it had made. */
  readonly partialId?: string;
}

const defaultSettleMs = 30_000;
const goingStatus = /delet|terminat|destroy|remov/i;

/**
 * Finds out what became of an intent by asking the provider. Evidence, strongest first: lookup by client token,
 * Read by a recorded id, ownership mark, and Read by name where a Read just before the create said that nothing was there.
 * A name alone is no evidence. Never changes anything but by Create with the same token where that converges.
 */
export async function resolveIntent(intent: Intent, provider: Provider, env: ResolveEnv): Promise<Resolution> {
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

async function resolveCreate(intent: Intent, provider: Provider, env: ResolveEnv): Promise<Resolution> {
  const traits = provider.traits(intent.type);
  const byId = env.partialId ?? "";
  if (byId !== "") {
    const object = await read(intent, byId, provider, env);
    if (object !== undefined) return completeCreate(intent, object, "the provider gave its id", provider, env);
  }
  if (provider.features.lookup && traits?.lookup === true) {
    const options = callOptions(intent, env, traits.timeouts?.read ?? 120_000);
    const object = await repeat(() => provider.lookup(intent.type, intent.clientToken, intent.name, options), env);
    if (object !== undefined) return completeCreate(intent, object, "it carries the client token", provider, env);
    return absentCreate(intent, provider, env, true);
  }
  const object = await read(intent, "", provider, env);
  if (object === undefined) return absentCreate(intent, provider, env, false);
  if (object.owner === env.owner) return completeCreate(intent, object, "it carries the ownership mark", provider, env);
  if (object.owner !== undefined && object.owner !== "") {
    return { found: "absent", why: `the object of this name belongs to ${object.owner}` };
  }
  if (intent.priorRead !== "absent") {
    return {
      found: "unknown",
      why: `an object of this name exists (id ${object.providerId}), which alone does not prove that this run made it`,
    };
  }
  if ((object.name !== "" && object.name !== intent.name) || (object.type !== "" && object.type !== intent.type)) {
    return { found: "unknown", why: `the provider found "${object.name}" of type ${object.type} under this name` };
  }
  return completeCreate(intent, object, "nothing had this name just before the create", provider, env);
}

async function completeCreate(
  intent: Intent,
  object: LiveObject,
  why: string,
  provider: Provider,
  env: ResolveEnv,
): Promise<Resolution> {
  const traits = provider.traits(intent.type);
  if (traits?.convergentCreate === true && intent.inputs !== undefined && env.mayWait) {
    const options = {
      ...callOptions(intent, env, traits.timeouts?.create ?? 1_800_000),
      clientToken: intent.clientToken,
    };
    try {
      const again = await repeat(() => provider.create(specOf(intent, intent.inputs as JsonObject), options), env);
      return { found: "ours", object: again, complete: true, why: `${why}; the create was repeated with its token` };
    } catch (thrown) {
      return {
        found: "ours",
        object,
        complete: false,
        why: `${why}; repeating the create failed: ${asProviderError(thrown).message}`,
      };
    }
  }
  return { found: "ours", object, complete: await isQuiet(intent, object, provider, env), why };
}

async function absentCreate(
  intent: Intent,
  provider: Provider,
  env: ResolveEnv,
  certain: boolean,
): Promise<Resolution> {
  if (env.answered) return { found: "absent", why: "nothing of it exists" };
  const tokens = provider.features.clientTokens && provider.traits(intent.type)?.convergentCreate === true;
  if (tokens && env.processDead() && env.mayWait && intent.inputs !== undefined) return resend(intent, provider, env);
  if (!env.processDead()) {
    return { found: "unknown", why: "nothing of it exists yet, and the process that was asked may still be at it" };
  }
  const settleMs = provider.traits(intent.type)?.settleMs ?? defaultSettleMs;
  const settledAt = Date.parse(intent.sentAt) + settleMs;
  if (env.clock.now() < settledAt) {
    if (!env.mayWait)
      return { found: "unknown", why: `nothing of it exists yet; ${settleMs / 1000} s after the call that is certain` };
    await env.clock.sleep(settledAt - env.clock.now(), env.signal);
    if (!certain) {
      const late = await read(intent, "", provider, env);
      if (late !== undefined && intent.priorRead === "absent") {
        return completeCreate(intent, late, "it came up after the call was lost", provider, env);
      }
      if (late !== undefined)
        return { found: "unknown", why: `an object of this name came up (id ${late.providerId})` };
    } else {
      const options = callOptions(intent, env, 120_000);
      const late = await repeat(() => provider.lookup(intent.type, intent.clientToken, intent.name, options), env);
      if (late !== undefined) return completeCreate(intent, late, "it carries the client token", provider, env);
    }
  }
  return { found: "absent", why: "nothing of it exists, its process is dead and the settle time is over" };
}

/** With its token a create has one effect however often it is sent: sending it again settles what a late effect would leave open. */
async function resend(intent: Intent, provider: Provider, env: ResolveEnv): Promise<Resolution> {
  const options = {
    ...callOptions(intent, env, provider.traits(intent.type)?.timeouts?.create ?? 1_800_000),
    clientToken: intent.clientToken,
  };
  try {
    const object = await repeat(() => provider.create(specOf(intent, intent.inputs as JsonObject), options), env);
    return { found: "ours", object, complete: true, why: "the create was sent again with its token" };
  } catch (thrown) {
    const error = asProviderError(thrown);
    const why = `sending the create again with its token failed: ${error.message}`;
    return error.definite ? { found: "absent", why } : { found: "unknown", why };
  }
}

async function resolveUpdate(intent: Intent, provider: Provider, env: ResolveEnv): Promise<Resolution> {
  const object = await read(intent, intent.providerId ?? "", provider, env);
  if (object === undefined) return { found: "gone", why: "the object is not there any more" };
  const complete = await isQuiet(intent, object, provider, env);
  if (!complete && !env.answered && !env.processDead()) {
    return {
      found: "unknown",
      why: "the object is not as intended yet, and the process that was asked may still be at it",
    };
  }
  return {
    found: "ours",
    object,
    complete,
    why: complete ? "the object is as intended" : "the object is not as intended",
  };
}

async function resolveDelete(intent: Intent, provider: Provider, env: ResolveEnv): Promise<Resolution> {
  const timeoutMs = provider.traits(intent.type)?.timeouts?.delete ?? 1_800_000;
  const until = Math.max(
    Date.parse(intent.deadlineAt),
    env.clock.now() + (env.mayWait ? Math.min(timeoutMs, 600_000) : 0),
  );
  for (let waitMs = 1000; ; waitMs = Math.min(waitMs * 2, 15_000)) {
    const object = await read(intent, intent.deposed ?? intent.providerId ?? "", provider, env);
    if (object === undefined) return { found: "absent", why: "the object is gone" };
    if (!goingStatus.test(object.status)) {
      if (!env.answered && !env.processDead()) {
        return {
          found: "unknown",
          why: "the object is still there, and the process that was asked may still be at it",
        };
      }
      return { found: "there", object, why: "the object is still there" };
    }
    if (!env.mayWait || env.clock.now() + waitMs > until)
      return { found: "there", object, why: `the object is still going (${object.status})` };
    await env.clock.sleep(waitMs, env.signal);
  }
}

async function isQuiet(intent: Intent, object: LiveObject, provider: Provider, env: ResolveEnv): Promise<boolean> {
  if (intent.inputs === undefined) return true;
  const options = callOptions(intent, env, 120_000);
  const reply = await repeat(() => provider.diff(specOf(intent, intent.inputs as JsonObject), object, options), env);
  return !reply.needsUpdate && !reply.needsReplace && reply.changes.length === 0;
}

async function read(
  intent: Intent,
  providerId: string,
  provider: Provider,
  env: ResolveEnv,
): Promise<LiveObject | undefined> {
  const options = callOptions(intent, env, provider.traits(intent.type)?.timeouts?.read ?? 120_000);
  try {
    return await repeat(() => provider.read({ name: intent.name, type: intent.type, providerId }, options), env);
  } catch (thrown) {
    if (thrown instanceof ProviderError && thrown.class === "not_found") return undefined;
    throw thrown;
  }
}

function repeat<T>(send: () => Promise<T>, env: ResolveEnv): Promise<T> {
  const deadlineAt = env.clock.now() + 120_000;
  return sendWithRetries(
    send,
    { repeatable: true, maxAttempts: 6, deadlineAt },
    { ...env, stopped: () => env.signal.aborted },
  );
}

function callOptions(intent: Intent, env: ResolveEnv, timeoutMs: number): CallOptions {
  return { timeoutMs, run: intent.run, signal: env.signal, owner: env.owner };
}

function specOf(intent: Intent, config: JsonObject): Parameters<Provider["create"]>[0] {
  return {
    name: intent.name,
    type: intent.type,
    config,
    ...(intent.size === undefined ? {} : { size: intent.size }),
    ...(intent.hints === undefined ? {} : { hints: intent.hints }),
    dependsOn: intent.after?.dependencies ?? [],
  };
}
