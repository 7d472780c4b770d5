import { setTimeout as sleep } from "node:timers/promises";
import { WfctlError } from "@wfctl/model";

export interface RetryTimes {
  /** Tries of one write. @default 6 */
  readonly attempts: number;
  /** Before the second try, doubled before each further one, each time half of it to one and a half. @default 200 */
  readonly delayMs: number;
}

export const defaultRetryTimes: RetryTimes = { attempts: 6, delayMs: 200 };

/** Tries again after every throw but a `WfctlError`. Throws `STORE_UNAVAILABLE` after the last try. */
export async function repeat<T>(doing: string, retry: RetryTimes, act: (attempt: number) => Promise<T>): Promise<T> {
  let cause: unknown;
  for (let attempt = 0; attempt < retry.attempts; attempt += 1) {
    if (attempt > 0) await sleep(retry.delayMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
    try {
      return await act(attempt);
    } catch (error) {
      if (error instanceof WfctlError) throw error;
      cause = error;
    }
  }
  const why = cause instanceof Error ? ` (${cause.message})` : "";
  throw new WfctlError("STORE_UNAVAILABLE", `${doing} failed: no certain answer${why}`, { cause });
}
