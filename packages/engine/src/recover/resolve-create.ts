import type { Intent, JsonObject } from "@wfctl/model";
import { asProviderError } from "../apply/dispatch.ts";
import type { LiveObject, Provider } from "../ports/index.ts";
import { callOptions, isQuiet, readObject, repeat, specOf } from "./ask-provider.ts";
import type { Resolution, ResolveEnv } from "./resolve-intent.ts";
import { settleMsOf } from "./settle-time.ts";

/** The last attempt of a call may have had little time left. */
const leastRepeatMs = 10_000;

/** What one look at the cloud shows. */
type Sight =
  | { readonly sees: "ours"; readonly object: LiveObject; readonly proven: boolean; readonly why: string }
  | { readonly sees: "nothing"; readonly why: string }
  | { readonly sees: "doubt"; readonly why: string };

export async function resolveCreate(intent: Intent, provider: Provider, env: ResolveEnv): Promise<Resolution> {
  const made = env.partialId === undefined ? undefined : await readObject(intent, env.partialId, provider, env);
  if (made !== undefined)
    return finish(intent, { object: made, proven: true, why: "the provider gave its id" }, provider, env);
  const first = await look(intent, provider, env);
  if (first.sees === "ours") return finish(intent, first, provider, env);
  if (first.sees === "doubt") return { found: "unknown", why: first.why };
  // An answer may come late in its call: what it was about can be as young as this moment.
  let youngestMs = env.answered ? env.clock.now() : (env.lastSentAtMs ?? Date.parse(intent.sentAt));
  if (honoursTokens(intent, provider) && intent.inputs !== undefined && env.mayWait()) {
    const again = await createAgain(intent, intent.inputs, provider, env);
    if (again !== undefined) return again;
    // A recovery that died may have sent it again just before, which no journal tells: even a refusal now is no proof.
    youngestMs = env.clock.now();
  }
  return waitAndLook(intent, provider, env, youngestMs);
}

/** Nothing is there: certain once nobody works on it any more and the cloud has had its time to show it. */
async function waitAndLook(
  intent: Intent,
  provider: Provider,
  env: ResolveEnv,
  youngestMs: number,
): Promise<Resolution> {
  if (!env.answered && !env.processDead()) {
    return { found: "unknown", why: "nothing of it exists yet, and the process that was asked may still be at it" };
  }
  const settleMs = settleMsOf(provider, intent.type);
  const leftMs = youngestMs + settleMs - env.clock.now();
  if (leftMs > 0) {
    if (!env.mayWait())
      return { found: "unknown", why: `nothing of it exists yet; ${settleMs / 1000} s after the call that is certain` };
    env.waiting?.(true, leftMs);
    await env.clock.sleep(leftMs, env.signal);
    env.waiting?.(false);
  }
  const last = await look(intent, provider, env);
  if (last.sees === "ours") return finish(intent, last, provider, env);
  if (last.sees === "doubt") return { found: "unknown", why: last.why };
  return {
    found: "absent",
    why: env.answered ? last.why : `${last.why}, its process is dead and the settle time is over`,
  };
}

/** The strongest evidence that the provider has. */
async function look(intent: Intent, provider: Provider, env: ResolveEnv): Promise<Sight> {
  const traits = provider.traits(intent.type);
  if (provider.features.lookup && traits?.lookup === true) {
    const options = callOptions(intent, env, traits.timeouts?.read ?? 120_000);
    const object = await repeat(() => provider.lookup(intent.type, intent.clientToken, intent.name, options), env);
    if (object === undefined) return { sees: "nothing", why: "nothing of it exists" };
    return { sees: "ours", object, proven: true, why: "it carries the client token" };
  }
  const object = await readObject(intent, "", provider, env);
  return object === undefined ? { sees: "nothing", why: "nothing of it exists" } : judgeByName(intent, object, env);
}

/** A name alone is no evidence: the mark of our SDK is, and that nothing had this name just before. */
function judgeByName(intent: Intent, object: LiveObject, env: ResolveEnv): Sight {
  if (isOlder(intent, object)) {
    return {
      sees: "doubt",
      why: `under this name only the object before is found (id ${object.providerId}), which says nothing of a new one`,
    };
  }
  // Every object that was ever made for this resource carries the mark: only a Read before tells of which create it is.
  const proven = intent.priorRead === "absent";
  if (object.owner === env.owner) return { sees: "ours", object, proven, why: "it carries the ownership mark" };
  if (object.owner !== undefined && object.owner !== "") {
    return { sees: "nothing", why: `the object of this name belongs to ${object.owner}` };
  }
  if (!proven) {
    return {
      sees: "doubt",
      why: `an object of this name exists (id ${object.providerId}), which alone does not prove that this run made it`,
    };
  }
  if ((object.name !== "" && object.name !== intent.name) || (object.type !== "" && object.type !== intent.type)) {
    return { sees: "doubt", why: `the provider found "${object.name}" of type ${object.type} under this name` };
  }
  return { sees: "ours", object, proven, why: "nothing had this name just before the create" };
}

/** The object that a create-first replacement stands beside, or one before it. */
function isOlder(intent: Intent, object: LiveObject): boolean {
  const { before, after } = intent;
  const older = [...(before?.deposed ?? []), ...(after?.deposed ?? [])].map((old) => old.providerId);
  return object.providerId === before?.providerId || older.includes(object.providerId);
}

function honoursTokens(intent: Intent, provider: Provider): boolean {
  return provider.features.clientTokens && provider.traits(intent.type)?.convergentCreate === true;
}

/** With its token a create has one effect however often it is sent: sending it again settles what a late effect would leave open. */
async function createAgain(
  intent: Intent,
  inputs: JsonObject,
  provider: Provider,
  env: ResolveEnv,
): Promise<Resolution | undefined> {
  try {
    const object = await sendCreate(intent, inputs, provider, env);
    if (object.providerId === "") return undefined;
    return { found: "ours", object, complete: true, proven: true, why: "the create was sent again with its token" };
  } catch (thrown) {
    const error = asProviderError(thrown);
    if (error.definite || error.answered) return undefined;
    return { found: "unknown", why: `sending the create again with its token failed: ${error.message}` };
  }
}

/** The object is there: brought to its end where creating it again does that, else compared. */
async function finish(
  intent: Intent,
  sight: Pick<Extract<Sight, { sees: "ours" }>, "object" | "proven" | "why">,
  provider: Provider,
  env: ResolveEnv,
): Promise<Resolution> {
  const { object, proven, why } = sight;
  if (env.stoppedWaiting === true || !env.mayWait()) {
    const complete = env.stoppedWaiting !== true && (await isQuiet(intent, object, provider, env));
    return { found: "ours", object, complete, proven, why };
  }
  if (provider.traits(intent.type)?.convergentCreate === true && intent.inputs !== undefined) {
    try {
      const again = await sendCreate(intent, intent.inputs, provider, env);
      if (again.providerId !== "") {
        const made = proven || again.created === true || honoursTokens(intent, provider);
        const what = `${why}; the create was repeated with its token`;
        return { found: "ours", object: again, complete: true, proven: made, why: what };
      }
    } catch {
      // What is there decides.
    }
  }
  return { found: "ours", object, complete: await isQuiet(intent, object, provider, env), proven, why };
}

function sendCreate(intent: Intent, inputs: JsonObject, provider: Provider, env: ResolveEnv): Promise<LiveObject> {
  // As long as the call had that is repeated: the resource may have timeouts of its own, which no trait tells.
  const timeoutMs = Math.max(leastRepeatMs, Date.parse(intent.deadlineAt) - Date.parse(intent.sentAt));
  const options = { ...callOptions(intent, env, timeoutMs), clientToken: intent.clientToken };
  const send = async (): Promise<LiveObject> => {
    await env.confirmLease();
    return provider.create(specOf(intent, inputs), options);
  };
  // An answered call has had its retries.
  return env.answered ? send() : repeat(send, env);
}
