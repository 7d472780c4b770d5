import type { LiveObject, Provider, Ref } from "../ports/index.ts";
import { asProviderError, sendWithRetries } from "./dispatch.ts";
import type { NodeWork } from "./execute-node.ts";
import { rankOf } from "./intent.ts";
import type { Run } from "./run.ts";

/** Reads the object, again after throttling and passing faults for at most two minutes; undefined where it does not exist. */
export async function readObject(
  run: Run,
  provider: Provider,
  ref: Ref,
  options: {
    readonly timeoutMs?: number;
    readonly stopped?: () => boolean;
    /** The node that it is read for. @default the read goes after all that has a rank */
    readonly work?: NodeWork;
  } = {},
): Promise<LiveObject | undefined> {
  const { clock, random } = run.deps;
  const { signal } = run.calls;
  const rank = options.work === undefined ? {} : rankOf(options.work);
  const timeoutMs = options.timeoutMs ?? provider.traits(ref.type)?.timeouts?.read ?? 120_000;
  try {
    return await sendWithRetries(
      () => provider.read(ref, { timeoutMs, run: run.id, signal, ...rank }),
      { repeatable: true, asksOnly: true, maxAttempts: 6, deadlineAt: clock.now() + 120_000 },
      { clock, random, signal, stopped: options.stopped ?? (() => signal.aborted) },
    );
  } catch (thrown) {
    if (asProviderError(thrown).class === "not_found") return undefined;
    throw thrown;
  }
}

/** True once a Read does not find the object any more. Clouds that answer late get half a minute to show it. */
export async function confirmGone(
  run: Run,
  provider: Provider,
  ref: Pick<Ref, "name" | "type" | "providerId">,
): Promise<boolean> {
  const { name, type, providerId } = ref;
  for (let attempt = 0; attempt < 6; attempt += 1) {
    if ((await readObject(run, provider, { name, type, providerId })) === undefined) return true;
    await run.deps.clock.sleep(500 * 2 ** attempt, run.calls.signal);
  }
  return false;
}
