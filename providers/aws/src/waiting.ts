import { ProviderFailure, waitFor } from "@wfctl/plugin-sdk";
import type { Context } from "./calls.ts";
import { isAwsError } from "./errors.ts";

/** Pauses between two looks: soon at first, then every 15 seconds. */
const pauseMs = (looks: number): number => Math.min(15_000, 500 * 1.5 ** (looks - 1));

/** Polls until `check` gives a value; the call's own deadline, which `timeouts` of the resource sets, is the limit. */
export async function awaitThat<Value>(
  context: Context,
  describe: string | (() => string),
  check: () => Promise<Value | undefined>,
  options: { timeoutMs?: number } = {},
): Promise<Value> {
  // What ends at the deadline itself has no time left to say why.
  const remaining = Math.max(0, context.deadline - context.clock.now());
  const left = remaining - Math.min(10_000, remaining / 4);
  return waitFor(context, {
    describe,
    check,
    everyMs: pauseMs,
    timeoutMs: Math.min(left, options.timeoutMs ?? left),
  });
}

/**
 * Repeats a call while it fails with one of these errors of AWS: what it needs is not visible yet, or still in use.
 * The last failure is thrown when the time is over.
 */
export async function retryWhile<Answer>(
  context: Context,
  names: readonly string[],
  describe: string,
  call: () => Promise<Answer>,
  options: { timeoutMs?: number } = {},
): Promise<Answer> {
  return retryIf(context, (error) => isAwsError(error, ...names), describe, call, options);
}

/** The same for failures that `isPassing` knows. */
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

/** Fails where the run was stopped: for work that is long without waiting. */
export function stopIfAsked(context: Context, what: string): void {
  context.signal.throwIfAborted();
  if (context.stopping.aborted) {
    throw new ProviderFailure("cancelled", `The run was stopped while the provider waited for ${what}`);
  }
}
