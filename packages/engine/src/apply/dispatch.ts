import { ProviderError } from "@wfctl/model";
import type { Clock, Random } from "../ports/index.ts";

export interface RetryPolicy {
  /** Sending the call again cannot do the work twice. */
  readonly repeatable: boolean;
  /** The call changes nothing: where its plugin ended under it, which others may have caused, it is asked once more. */
  readonly asksOnly?: true;
  /** Calls in all, the first included. */
  readonly maxAttempts: number;
  /** No retry starts later than this, in milliseconds since the epoch. */
  readonly deadlineAt: number;
}

/** Sends a call, again after throttling and passing faults where that is safe. Throws the last `ProviderError`. */
export async function sendWithRetries<T>(
  send: (attempt: number) => Promise<T>,
  policy: RetryPolicy,
  env: {
    readonly clock: Clock;
    readonly random: Random;
    readonly signal: AbortSignal;
    readonly stopped: () => boolean;
    readonly onRetry?: (attempt: number, afterMs: number, why: string) => void;
    /** Awaited before a call that changes something is sent again; a throw ends the retries. */
    readonly confirmLease?: () => Promise<unknown>;
  },
): Promise<T> {
  let exits = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send(attempt);
    } catch (thrown) {
      const error = asProviderError(thrown);
      const lost = error.class === "plugin_exit" && policy.asksOnly === true && (exits += 1) === 1;
      const passing = error.class === "rate_limited" || error.class === "transient" || lost;
      if (!passing || !policy.repeatable || attempt >= policy.maxAttempts || env.stopped()) throw error;
      const delayMs = backoffMs(attempt, error.retryAfterMs, env.random);
      if (env.clock.now() + delayMs >= policy.deadlineAt) throw error;
      env.onRetry?.(attempt + 1, delayMs, error.message);
      try {
        await env.clock.sleep(delayMs, env.signal);
        await env.confirmLease?.();
      } catch {
        throw error;
      }
      if (env.stopped()) throw error;
    }
  }
}

/** Exponential from 500 ms to 30 s with full jitter, never under what the provider asks for. */
export function backoffMs(attempt: number, retryAfterMs: number | undefined, random: Random): number {
  const ceiling = Math.min(30_000, 500 * 2 ** (attempt - 1));
  return Math.max(retryAfterMs ?? 0, Math.round(ceiling * (0.5 + random.number() / 2)));
}

export function asProviderError(thrown: unknown): ProviderError {
  if (thrown instanceof ProviderError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ProviderError("unknown", message, { answered: false, cause: thrown });
}
