/** Stop signals by run. A stopped run stays stopped: a call of it that arrives late finds its signal aborted. */
export interface Runs {
  /** The signal of a run; give it back with `leave` when the call has ended. */
  enter(run: string): AbortSignal;
  leave(run: string): void;
  stop(run: string): void;
}

/** How many stopped runs are remembered after their last call. */
const remembered = 1000;

export function createRuns(): Runs {
  const runs = new Map<string, { readonly controller: AbortController; calls: number }>();
  const entryOf = (run: string) => {
    const known = runs.get(run);
    if (known !== undefined) return known;
    const entry = { controller: new AbortController(), calls: 0 };
    runs.set(run, entry);
    return entry;
  };
  return {
    enter(run) {
      const entry = entryOf(run);
      entry.calls += 1;
      return entry.controller.signal;
    },
    leave(run) {
      const entry = runs.get(run);
      if (entry === undefined) return;
      entry.calls -= 1;
      if (entry.calls === 0 && !entry.controller.signal.aborted) runs.delete(run);
    },
    stop(run) {
      entryOf(run).controller.abort();
      for (const [name, entry] of runs) {
        if (runs.size <= remembered) break;
        if (entry.calls === 0 && name !== run) runs.delete(name);
      }
    },
  };
}
