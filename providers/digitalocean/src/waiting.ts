import { ProviderFailure, waitFor } from "@wfctl/plugin-sdk";
import type { Context } from "./calls.ts";

/** Pauses between two looks: soon at first, then every ten seconds. */
const pauseMs = (looks: number): number => Math.min(10_000, 250 * 1.6 ** (looks - 1));

/** Polls until `check` gives a value; the call's own deadline, which `timeouts` of the resource sets, is the limit. */
export async function awaitThat<Value>(
  context: Context,
  describe: string | (() => string),
  check: () => Promise<Value | undefined>,
  options: { timeoutMs?: number } = {},
): Promise<Value> {
  const left = Math.max(0, context.deadline - context.clock.now());
  return waitFor(context, { describe, check, everyMs: pauseMs, timeoutMs: Math.min(left, options.timeoutMs ?? left) });
}

/** Repeats a call while its failure is one that passes. The last failure is thrown when the time is over. */
export async function retryIf<Answer>(
  context: Context,
  isPassing: (error: unknown) => boolean,
  describe: string,
  call: () => Promise<Answer>,
  options: { timeoutMs?: number } = {},
): Promise<Answer> {
  let last: unknown;
  const attempt = async (): Promise<{ answer: Answer } | undefined> => {
    try {
      return { answer: await call() };
    } catch (error) {
      if (!isPassing(error)) throw error;
      last = error;
      return undefined;
    }
  };
  try {
    return (await awaitThat(context, describe, attempt, options)).answer;
  } catch (error) {
    const isOver = error instanceof ProviderFailure && error.class === "deadline";
    throw isOver && last !== undefined ? last : error;
  }
}
