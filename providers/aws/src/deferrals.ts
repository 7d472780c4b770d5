import type { Context } from "./calls.ts";

/** Work of one resource that can be done only when other resources are there. */
export interface Deferred {
  /** Name of the resource. */
  readonly resource: string;
  /** Does what can be done now. Returns why something is left, or undefined where nothing is. */
  run(context: Context): Promise<string | undefined>;
}

/**
 * What waits for the end of a run's creates and updates, such as rules between firewalls that name each other. Lost with
 * the process: the host then has the resources of an unfinished run updated, and they find out anew what waits.
 */
export interface Deferrals {
  /** Replaces what waits under a key; undefined: nothing waits any more. */
  set(key: string, deferred: Deferred | undefined): void;
  all(): readonly (readonly [key: string, deferred: Deferred])[];
}

export function createDeferrals(): Deferrals {
  const waiting = new Map<string, Deferred>();
  return {
    set(key, deferred) {
      if (deferred === undefined) waiting.delete(key);
      else waiting.set(key, deferred);
    },
    all: () => [...waiting],
  };
}
