import type { WfctlError } from "@wfctl/model";
import { lostError, type LeaseTimes } from "../lease/lease-view.ts";

/** One beat. False when the lease is another's, or nobody's; a throw leaves that open. */
export type Beat = () => Promise<boolean>;

/**
 * Beats until it is stopped or the lease is lost, which it reports once: the store says so, or there was no beat within
 * the expiry, so that others may have the lease. A beat counts from when it was sent, and one that is not answered within
 * a third of the expiry counts as failed. Keeps no process alive.
 */
export function runBeats(beat: Beat, times: LeaseTimes, onLost: (error: WfctlError) => void): () => void {
  let beatenAtMs = performance.now();
  let stopped = false;
  let timer: NodeJS.Timeout;
  const beatOnce = async (): Promise<void> => {
    const sentAtMs = performance.now();
    let lost = false;
    try {
      lost = !(await within(beat(), times.expiryMs / 3));
      beatenAtMs = sentAtMs;
    } catch {
      lost = performance.now() - beatenAtMs >= times.expiryMs;
    }
    if (stopped) return;
    if (lost) onLost(lostError("Beating for the lease"));
    else schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => void beatOnce(), times.beatMs).unref();
  };
  schedule();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

function within<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
    const settle = (): void => clearTimeout(timer);
    promise.then(resolve, reject).finally(settle);
  });
}
