import type { Clock } from "@wfctl/engine";
import { ProviderError } from "@wfctl/model";

/** At most so many times is a dead process started again, over the life of its provider. */
const maxRestarts = 3;
const firstBackoffMs = 200;
const backoffFactor = 4;

/** A thing that runs until it is found dead. */
export interface Supervised<T> {
  /** The running thing; starts it again where it died. Throws a `ProviderError` of class `plugin_exit` where it cannot. */
  acquire(signal?: AbortSignal): Promise<T>;
  /** The one that runs, or ran last. */
  current(): T;
  /** No more restarts. Resolves with what runs or was being started, if anything. */
  close(): Promise<T | undefined>;
}

export interface SupervisedOptions<T> {
  readonly first: T;
  /** The signal aborts when the start is not wanted any more. */
  readonly start: (signal: AbortSignal) => Promise<T>;
  readonly isDead: (running: T) => boolean;
  /** For messages, such as `Plugin "aws" 1.2.3`. */
  readonly title: string;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** Starts a dead thing again when it is next asked for, with growing waits. Callers at the same time share one start. */
export function createSupervised<T>(options: SupervisedOptions<T>): Supervised<T> {
  const { start, isDead, title, clock, log } = options;
  let current = options.first;
  let starting: Promise<T> | undefined;
  let restarts = 0;
  let closed = false;
  const closing = new AbortController();

  const restart = async (): Promise<T> => {
    if (restarts === maxRestarts) {
      throw gone(`${title} ended again and is not started a ${maxRestarts + 1}th time`);
    }
    restarts += 1;
    const waitMs = firstBackoffMs * backoffFactor ** (restarts - 1);
    log(`${title} has ended and is started again in ${waitMs} ms (${restarts} of ${maxRestarts})`);
    try {
      await clock.sleep(waitMs, closing.signal);
      current = await start(closing.signal);
      return current;
    } catch (cause) {
      if (cause instanceof ProviderError) throw cause;
      const why = closed ? "the host is shutting down" : cause instanceof Error ? cause.message : String(cause);
      throw gone(`${title} could not be started again: ${why}`, cause);
    }
  };

  return {
    async acquire(signal) {
      if (closed) throw gone(`${title} was shut down`);
      if (!isDead(current)) return current;
      starting ??= restart().finally(() => {
        starting = undefined;
      });
      return await orAbort(starting, signal, title);
    },
    current: () => current,
    async close() {
      closed = true;
      closing.abort(new Error("shut down"));
      // What is being started ends by itself or is returned.
      await starting?.catch(() => {});
      return isDead(current) ? undefined : current;
    },
  };
}

function gone(message: string, cause?: unknown): ProviderError {
  return new ProviderError("plugin_exit", message, { answered: false, cause });
}

async function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined, title: string): Promise<T> {
  if (signal === undefined) return await promise;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void =>
    aborted.reject(
      new ProviderError("cancelled", `The call was cancelled while ${title} was started again`, { answered: false }),
    );
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
    aborted.promise.catch(() => {});
  }
}
