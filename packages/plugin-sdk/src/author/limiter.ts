import type { Clock } from "./clock.ts";

export interface LimiterOptions {
  /** Calls per second that the API allows in the long run. */
  readonly ratePerSecond: number;
  /** Calls that may go out at once after a pause. @default max(1, ratePerSecond) */
  readonly burst?: number;
  /** How far throttling can push the rate down. @default ratePerSecond / 64 */
  readonly minRatePerSecond?: number;
  /** What each second without throttling gives back, in calls per second. @default ratePerSecond / 20 */
  readonly recoverPerSecond?: number;
}

/** Token bucket of one API family, adapting to throttling: halves its rate when throttled, recovers additively. */
export interface Limiter {
  /**
   * Resolves when one call may go out; rejects with the signal's reason. Of those that wait, the highest priority goes
   * first, then the longest waiting; a function is asked at each turn, so that the priority may change meanwhile.
   * `onWait` is called once if there is a wait at all.
   */
  acquire(options?: {
    signal?: AbortSignal;
    priority?: number | (() => number);
    onWait?: (expectedMs: number) => void;
  }): Promise<void>;
  /** The API refused a call for its rate. Nothing goes out before `retryAfterMs` has passed. */
  throttled(retryAfterMs?: number): void;
  /** Calls per second at this moment. */
  rate(): number;
}

interface Waiter {
  priority(): number;
  grant(): void;
}

export function createLimiter(options: LimiterOptions, clock: Clock): Limiter {
  const full = options.ratePerSecond;
  const floor = options.minRatePerSecond ?? full / 64;
  const recovery = options.recoverPerSecond ?? full / 20;
  const burst = options.burst ?? Math.max(1, full);
  const waiters: Waiter[] = [];
  let rate = full;
  let tokens = burst;
  let last = clock.now();
  let pausedUntil = 0;
  let pumping = false;

  const refill = (): void => {
    const now = clock.now();
    const seconds = Math.max(0, now - Math.max(last, pausedUntil)) / 1000;
    const elapsed = Math.max(0, now - last) / 1000;
    // A timer that came late, as all do, is no pause: what was waited too long is not lost, up to one call.
    tokens = Math.min(waiters.length > 0 ? burst + 1 : burst, tokens + seconds * rate);
    rate = Math.min(full, rate + elapsed * recovery);
    last = now;
  };
  const waitMs = (needed: number): number => {
    const pause = Math.max(0, pausedUntil - clock.now());
    return Math.ceil(pause + (Math.max(0, needed - tokens) / rate) * 1000);
  };
  const takeNext = (): Waiter | undefined => {
    let best = 0;
    let highest = -Infinity;
    for (const [index, waiter] of waiters.entries()) {
      const priority = waiter.priority();
      if (priority <= highest) continue;
      highest = priority;
      best = index;
    }
    return waiters.splice(best, 1)[0];
  };
  const pump = async (): Promise<void> => {
    if (pumping) return;
    pumping = true;
    try {
      while (waiters.length > 0) {
        refill();
        if (tokens >= 1 && clock.now() >= pausedUntil) {
          tokens -= 1;
          takeNext()?.grant();
        } else {
          await clock.sleep(Math.max(1, waitMs(1)));
        }
      }
    } finally {
      pumping = false;
    }
  };

  return {
    async acquire({ signal, priority = 0, onWait } = {}) {
      signal?.throwIfAborted();
      refill();
      if (waiters.length === 0 && tokens >= 1 && clock.now() >= pausedUntil) {
        tokens -= 1;
        return;
      }
      onWait?.(waitMs(waiters.length + 1));
      const granted = Promise.withResolvers<void>();
      const waiter: Waiter = {
        priority: typeof priority === "function" ? priority : () => priority,
        grant: () => granted.resolve(),
      };
      const abort = (): void => {
        const index = waiters.indexOf(waiter);
        if (index !== -1) waiters.splice(index, 1);
        granted.reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      waiters.push(waiter);
      void pump();
      try {
        await granted.promise;
      } finally {
        signal?.removeEventListener("abort", abort);
      }
    },
    throttled(retryAfterMs = 0) {
      refill();
      rate = Math.max(floor, rate / 2);
      tokens = 0;
      pausedUntil = Math.max(pausedUntil, clock.now() + retryAfterMs);
    },
    rate() {
      refill();
      return rate;
    },
  };
}
