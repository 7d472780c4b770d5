import type { Clock } from "@wfctl/engine";

/** A fixed window per second: undefined lets the call through, a number tells after how many milliseconds to try again. */
export function createThrottle(
  clock: Pick<Clock, "now">,
  callsPerSecond: number | undefined,
): () => number | undefined {
  let windowStart = 0;
  let used = 0;
  return () => {
    if (callsPerSecond === undefined) return undefined;
    const now = clock.now();
    if (now - windowStart >= 1000) {
      windowStart = now;
      used = 0;
    }
    used += 1;
    return used <= callsPerSecond ? undefined : windowStart + 1000 - now;
  };
}
