import type { Clock } from "@wfctl/engine";

/** Time that jumps to the next sleeper as soon as nothing else is left to do. Starts at 2026-01-01 unless told. */
export interface VirtualClock extends Clock {
  /** Sleepers that are still to be woken. */
  sleepers(): number;
  /** Moves the time without waking anybody early: who is overdue wakes next. */
  advance(ms: number): void;
  /** The same time for one process: its sleepers never wake again after `kill`. */
  fork(): ProcessClock;
}

export interface ProcessClock extends Clock {
  kill(): void;
}

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  /** Cleared when the sleeper was woken, aborted or killed. */
  wake: (() => void) | undefined;
}

export function createVirtualClock(options: { startMs?: number } = {}): VirtualClock {
  let nowMs = options.startMs ?? Date.parse("2026-01-01T00:00:00.000Z");
  let order = 0;
  let live = 0;
  let scheduled = false;
  const heap = createHeap();

  const tick = (): void => {
    scheduled = false;
    for (;;) {
      const next = heap.pop();
      if (next === undefined) return;
      if (next.wake === undefined) continue;
      nowMs = Math.max(nowMs, next.atMs);
      const { wake } = next;
      next.wake = undefined;
      live -= 1;
      wake();
      break;
    }
    // The next one wakes after all microtasks that this one set off.
    schedule();
  };
  const schedule = (): void => {
    if (scheduled || live === 0) return;
    scheduled = true;
    setImmediate(tick);
  };
  const sleepAs = (ms: number, signal: AbortSignal | undefined, joined: (sleeper: Sleeper) => void): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const sleeper: Sleeper = { atMs: nowMs + Math.max(0, ms), order: (order += 1), wake: undefined };
      const onAbort = (): void => {
        if (sleeper.wake === undefined) return;
        sleeper.wake = undefined;
        live -= 1;
        reject(signal?.reason as Error);
      };
      sleeper.wake = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      live += 1;
      heap.push(sleeper);
      joined(sleeper);
      schedule();
    });

  return {
    now: () => nowMs,
    sleep: (ms, signal) => sleepAs(ms, signal, () => undefined),
    sleepers: () => live,
    advance(ms) {
      nowMs += ms;
    },
    fork(): ProcessClock {
      const own = new Set<Sleeper>();
      let dead = false;
      return {
        now: () => nowMs,
        sleep(ms, signal) {
          if (dead) return new Promise<void>(() => undefined);
          return sleepAs(ms, signal, (sleeper) => {
            if (own.size > 64) for (const each of own) if (each.wake === undefined) own.delete(each);
            own.add(sleeper);
          });
        },
        kill() {
          dead = true;
          for (const sleeper of own) {
            if (sleeper.wake === undefined) continue;
            sleeper.wake = undefined;
            live -= 1;
          }
          own.clear();
        },
      };
    },
  };
}

/** Earliest first, ties in the order they went to sleep. */
function createHeap(): { push(sleeper: Sleeper): void; pop(): Sleeper | undefined } {
  const items: Sleeper[] = [];
  const before = (a: Sleeper, b: Sleeper): boolean => (a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs);
  const swap = (i: number, j: number): void => {
    const held = items[i]!;
    items[i] = items[j]!;
    items[j] = held;
  };
  return {
    push(sleeper) {
      items.push(sleeper);
      for (let child = items.length - 1; child > 0;) {
        const parent = (child - 1) >> 1;
        if (!before(items[child]!, items[parent]!)) break;
        swap(child, parent);
        child = parent;
      }
    },
    pop() {
      if (items.length === 0) return undefined;
      swap(0, items.length - 1);
      const first = items.pop();
      for (let parent = 0; ;) {
        const left = 2 * parent + 1;
        let best = parent;
        if (left < items.length && before(items[left]!, items[best]!)) best = left;
        if (left + 1 < items.length && before(items[left + 1]!, items[best]!)) best = left + 1;
        if (best === parent) return first;
        swap(parent, best);
        parent = best;
      }
    },
  };
}
