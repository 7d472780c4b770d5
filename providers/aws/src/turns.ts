/** Lets pieces of work of one key run one after the other, in the order in which they came. */
export interface Turns {
  /** Rejects with the signal's reason where it aborts before the turn has come. */
  take<Answer>(key: string, signal: AbortSignal, work: () => Promise<Answer>): Promise<Answer>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    async take(key, signal, work) {
      const before = last.get(key) ?? Promise.resolve();
      const { promise: ended, resolve: end } = Promise.withResolvers<void>();
      last.set(key, ended);
      try {
        await unlessAborted(before, signal);
        return await work();
      } finally {
        // Whoever gave up has not ended those before.
        void before.then(() => {
          end();
          if (last.get(key) === ended) last.delete(key);
        });
      }
    },
  };
}

async function unlessAborted(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([turn, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
