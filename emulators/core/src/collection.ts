import type { EmulatorClock } from "./clock.ts";

/**
 * Objects of one kind. `get` and `list` give what a client sees: with a lag, a fresh object is missing and a deleted one
 * still there for a while. `own` and `all` give what is.
 */
export interface Collection<Value> {
  add(id: string, value: Value): Value;
  get(id: string): Value | undefined;
  list(): Value[];
  own(id: string): Value | undefined;
  all(): Value[];
  remove(id: string): boolean;
}

export interface Lag {
  /** How long reads miss a fresh object and still give a deleted one, in emulated milliseconds. */
  lagMs: number;
}

interface Entry<Value> {
  readonly value: Value;
  readonly visibleAt: number;
  goneAt?: number;
}

export function createCollection<Value>(clock: EmulatorClock, lag: Lag): Collection<Value> {
  const entries = new Map<string, Entry<Value>>();
  const isVisible = ({ visibleAt, goneAt }: Entry<Value>): boolean => {
    const now = clock.now();
    return visibleAt <= now && (goneAt === undefined || goneAt > now);
  };
  const sweep = (): void => {
    for (const [id, { goneAt }] of entries) if (goneAt !== undefined && goneAt <= clock.now()) entries.delete(id);
  };
  const isThere = (entry: Entry<Value> | undefined): entry is Entry<Value> =>
    entry !== undefined && entry.goneAt === undefined;
  return {
    add(id, value) {
      entries.set(id, { value, visibleAt: clock.now() + lag.lagMs });
      return value;
    },
    get(id) {
      sweep();
      const entry = entries.get(id);
      return entry !== undefined && isVisible(entry) ? entry.value : undefined;
    },
    list() {
      sweep();
      return [...entries.values()].filter(isVisible).map(({ value }) => value);
    },
    own(id) {
      const entry = entries.get(id);
      return isThere(entry) ? entry.value : undefined;
    },
    all: () => [...entries.values()].filter(isThere).map(({ value }) => value),
    remove(id) {
      const entry = entries.get(id);
      if (!isThere(entry)) return false;
      if (lag.lagMs === 0) entries.delete(id);
      else entry.goneAt = clock.now() + lag.lagMs;
      return true;
    },
  };
}
