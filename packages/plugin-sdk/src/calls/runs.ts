/**
 * Stop signals by run, and by configuration where the process has several. A stopped run stays stopped: a call of it that
 * arrives late finds its signal aborted.
 */
export interface Runs {
  /** The signal of a run; give it back with `leave` when the call has ended. */
  enter(run: string, instance: string): AbortSignal;
  leave(run: string, instance: string): void;
  /** An empty `instance` means all configurations. */
  stop(run: string, instance: string): void;
}

/** How many stopped runs are remembered after their last call. */
const remembered = 1000;

export function createRuns(): Runs {
  const runs = new Map<string, { readonly controller: AbortController; calls: number }>();
  const entryOf = (key: string) => {
    const known = runs.get(key);
    if (known !== undefined) return known;
    const entry = { controller: new AbortController(), calls: 0 };
    runs.set(key, entry);
    return entry;
  };
  const leave = (key: string): void => {
    const entry = runs.get(key);
    if (entry === undefined) return;
    entry.calls -= 1;
    if (entry.calls === 0 && !entry.controller.signal.aborted) runs.delete(key);
  };
  const enter = (key: string): AbortSignal => {
    const entry = entryOf(key);
    entry.calls += 1;
    return entry.controller.signal;
  };
  return {
    enter: (run, instance) =>
      instance === "" ? enter(run) : AbortSignal.any([enter(run), enter(keyOf(run, instance))]),
    leave(run, instance) {
      leave(run);
      if (instance !== "") leave(keyOf(run, instance));
    },
    stop(run, instance) {
      const key = instance === "" ? run : keyOf(run, instance);
      entryOf(key).controller.abort();
      for (const [name, entry] of runs) {
        if (runs.size <= remembered) break;
        if (entry.calls === 0 && name !== key) runs.delete(name);
      }
    },
  };
}

function keyOf(run: string, instance: string): string {
  return `${run}\n${instance}`;
}
