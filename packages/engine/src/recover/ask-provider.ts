import { ProviderError, type Intent, type JsonObject } from "@wfctl/model";
import type { CallOptions, LiveObject, Provider, Spec } from "../ports/index.ts";
import { asRecorded } from "../plan/as-recorded.ts";
import { withInputs } from "../plan/record-live.ts";
import { sendWithRetries } from "../apply/dispatch.ts";
import type { ResolveEnv } from "./resolve-intent.ts";

/** The object with this id, or with the intent's name where the id is empty. */
export async function readObject(
  intent: Intent,
  providerId: string,
  provider: Provider,
  env: ResolveEnv,
): Promise<LiveObject | undefined> {
  const options = callOptions(intent, env, provider.traits(intent.type)?.timeouts?.read ?? 120_000);
  try {
    const ref = { name: intent.name, type: intent.type, providerId };
    return asRecorded(await repeat(() => provider.read(ref, options), env), ref);
  } catch (thrown) {
    if (thrown instanceof ProviderError && thrown.class === "not_found") return undefined;
    throw thrown;
  }
}

/** True where the object has the shape that the intent was to give it. */
export async function isQuiet(
  intent: Intent,
  object: LiveObject,
  provider: Provider,
  env: ResolveEnv,
): Promise<boolean> {
  if (intent.inputs === undefined) return true;
  const spec = specOf(intent, intent.inputs);
  // That a write-only key was sent cannot be read: one that was to change counts as not changed.
  const known =
    intent.operation === "update" && intent.before !== undefined
      ? withInputs(object, intent.before, provider.traits(intent.type))
      : object;
  const reply = await repeat(() => provider.diff(spec, known, callOptions(intent, env, 120_000)), env);
  return !reply.needsUpdate && !reply.needsReplace && reply.changes.length === 0;
}

/** Asks again after throttling and passing faults, and once after the end of the plugin, for at most two minutes. */
export function repeat<T>(send: () => Promise<T>, env: ResolveEnv): Promise<T> {
  return sendWithRetries(
    send,
    { repeatable: true, asksOnly: true, maxAttempts: 6, deadlineAt: env.clock.now() + 120_000 },
    {
      clock: env.clock,
      random: env.random,
      signal: env.signal,
      stopped: () => env.signal.aborted || !env.mayWait(),
    },
  );
}

export function callOptions(intent: Intent, env: ResolveEnv, timeoutMs: number): CallOptions {
  return { timeoutMs, run: intent.run, signal: env.signal, owner: env.owner };
}

export function specOf(intent: Intent, config: JsonObject): Spec {
  return {
    name: intent.name,
    type: intent.type,
    config,
    ...(intent.size === undefined ? {} : { size: intent.size }),
    ...(intent.hints === undefined ? {} : { hints: intent.hints }),
    dependsOn: intent.after?.dependencies ?? [],
  };
}
