import type { DeferredRule, Group } from "./sync-rules.ts";

export interface Waiting extends Group {
  readonly name: string;
  readonly region: string;
  readonly rules: readonly DeferredRule[];
}

/**
 * Rules between firewalls that name each other: the one that is made first waits here for the other. Lost with the process:
 * the host then has the firewalls of an unfinished run updated, which finds out anew what waits.
 */
export interface Deferrals {
  /** Replaces what waits for a group; no rules: nothing waits any more. */
  set(waiting: Waiting): void;
  all(): readonly Waiting[];
}

export function createDeferrals(): Deferrals {
  const byGroup = new Map<string, Waiting>();
  return {
    set(waiting) {
      if (waiting.rules.length === 0) byGroup.delete(waiting.id);
      else byGroup.set(waiting.id, waiting);
    },
    all: () => [...byGroup.values()],
  };
}
