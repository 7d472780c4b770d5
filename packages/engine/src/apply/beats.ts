import type { Clock } from "../ports/index.ts";

/** People see a line at least this often while a call goes on. */
const everyMs = 10_000;

/** Calls `tell` every ten seconds, for the first time ten seconds from now, until the returned function is called. */
export type Beats = (tell: () => void) => () => void;

/**
 * Beats for all calls of a run that are open at the same time, with one sleeper: a timer and a signal for each call were
 * a fifth of what a large run left for the garbage collector.
 */
export function createBeats(clock: Clock): Beats {
  /** In the order in which they are due: all have the same period. */
  const due = new Set<{ atMs: number; readonly tell: () => void }>();
  let over: AbortController | undefined;

  const beat = async (signal: AbortSignal): Promise<void> => {
    for (let [first] = due; first !== undefined; [first] = due) {
      try {
        await clock.sleep(Math.min(everyMs, first.atMs - clock.now()), signal);
      } catch {
        return;
      }
      const now = clock.now();
      for (const each of due) {
        if (each.atMs > now) break;
        due.delete(each);
        each.atMs = now + everyMs;
        due.add(each);
        each.tell();
      }
    }
  };

  return (tell) => {
    const own = { atMs: clock.now() + everyMs, tell };
    due.add(own);
    if (over === undefined) {
      over = new AbortController();
      void beat(over.signal);
    }
    return () => {
      due.delete(own);
      if (due.size > 0) return;
      over?.abort();
      over = undefined;
    };
  };
}
