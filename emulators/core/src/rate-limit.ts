export interface RateLimit {
  /** Requests per window; undefined: no limit, and the default figures in the headers. */
  limit: number | undefined;
  windowMs: number;
}

export interface RateState {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Epoch milliseconds at which the window ends. */
  readonly resetAt: number;
}

/** Fixed windows, by account, in real time: clients wait in real time too. */
export function createRateCounter(settings: RateLimit, clock: { now(): number }): (account: string) => RateState {
  const windows = new Map<string, { endsAt: number; used: number }>();
  return (account) => {
    const now = clock.now();
    let window = windows.get(account);
    if (window === undefined || window.endsAt <= now) {
      window = { endsAt: now + settings.windowMs, used: 0 };
      windows.set(account, window);
    }
    window.used += 1;
    const limit = settings.limit ?? 5000;
    const allowed = settings.limit === undefined || window.used <= limit;
    return { allowed, limit, remaining: Math.max(0, limit - window.used), resetAt: window.endsAt };
  };
}
