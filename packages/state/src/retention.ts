/** How much of closed runs the journal keeps. Records, open runs and unknown intents are never dropped. */
export interface Retention {
  /** Closed runs. @default 50 */
  readonly runs: number;
  /** Days since the run closed. @default 90 */
  readonly days: number;
}

export const defaultRetention: Retention = { runs: 50, days: 90 };

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Which closed runs to drop, given all of them in the order of their start. A run is dropped when `runs` newer ones are closed, or
 * when it closed more than `days` ago, whichever comes first, so that the journal stays flat however often a stack is
 * applied. The newest one always stays.
 */
export function runsToDrop<T extends { readonly closedAt: string }>(
  closed: readonly T[],
  nowMs: number,
  retention: Retention = defaultRetention,
): T[] {
  const keep = Math.max(1, retention.runs);
  const horizonMs = nowMs - retention.days * dayMs;
  return closed.filter((run, index) => {
    const newer = closed.length - 1 - index;
    return newer > 0 && (newer >= keep || Date.parse(run.closedAt) < horizonMs);
  });
}
