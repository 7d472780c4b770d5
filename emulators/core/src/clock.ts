/** The emulator's own time: it can run faster than the real one, stand still, and jump. */
export interface EmulatorClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** ISO 8601 without fractions, as most clouds print it. */
  iso(): string;
  advance(ms: number): void;
  /** Emulated milliseconds per real one; 0 stops the clock. */
  setRate(rate: number): void;
  rate(): number;
  /** Runs `transition` at the first request after `ms` of emulated time. */
  after(ms: number, transition: () => void): void;
  /** Runs what is due, in order. The server calls it before every request. */
  settle(): void;
}

export function createEmulatorClock(options: { rate?: number; start?: number } = {}): EmulatorClock {
  let rate = options.rate ?? 1;
  let base = options.start ?? Date.now();
  let realBase = performance.now();
  let counter = 0;
  const pending: { at: number; order: number; transition: () => void }[] = [];
  const now = (): number => base + (performance.now() - realBase) * rate;
  const rebase = (ms: number): void => {
    base = now() + ms;
    realBase = performance.now();
  };
  return {
    now,
    iso: () => `${new Date(now()).toISOString().slice(0, 19)}Z`,
    advance: rebase,
    setRate(next) {
      rebase(0);
      rate = next;
    },
    rate: () => rate,
    after(ms, transition) {
      pending.push({ at: now() + ms, order: (counter += 1), transition });
    },
    settle() {
      for (;;) {
        const due = pending.filter(({ at }) => at <= now()).toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
        if (due === undefined) return;
        pending.splice(pending.indexOf(due), 1);
        due.transition();
      }
    },
  };
}
