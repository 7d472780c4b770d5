import { setTimeout as sleep } from "node:timers/promises";
import { WfctlError } from "@wfctl/model";
import { lostError } from "../lease/lease-view.ts";
import type { Bucket } from "./bucket.ts";
import { decodeObject, encodeObject, segmentKey, type Segment } from "./segment.ts";

export interface RetryTimes {
  /** Tries of one write. @default 6 */
  readonly attempts: number;
  /** Before the second try, doubled before each further one. @default 200 */
  readonly delayMs: number;
}

export const defaultRetryTimes: RetryTimes = { attempts: 6, delayMs: 200 };

/**
 * Writes the segment with this number, exactly once. After a lost reply it reads the number back: its own id there means
 * that the write took effect. Returns the bytes written. Throws `LEASE_LOST` when another's segment has the number,
 * `STORE_UNAVAILABLE` when the bucket does not answer; then the segment may still appear.
 */
export async function putSegment(bucket: Bucket, number: number, segment: Segment, retry: RetryTimes): Promise<number> {
  const key = segmentKey(number);
  const bytes = encodeObject(segment);
  let cause: unknown;
  for (let attempt = 0; attempt < retry.attempts; attempt += 1) {
    if (attempt > 0) await sleep(retry.delayMs * 2 ** (attempt - 1));
    try {
      if (attempt > 0) {
        const found = await bucket.get(key);
        if (found !== undefined) return checkOwn(key, found, segment, bytes);
      }
      if ((await bucket.putIfAbsent(key, bytes)) === "created") return bytes.length;
      const found = await bucket.get(key);
      if (found !== undefined) return checkOwn(key, found, segment, bytes);
    } catch (error) {
      if (error instanceof WfctlError) throw error;
      cause = error;
    }
  }
  throw new WfctlError("STORE_UNAVAILABLE", `Writing '${key}' to '${bucket.location}' failed: no certain answer`, {
    cause,
  });
}

function checkOwn(key: string, found: Uint8Array, segment: Segment, bytes: Uint8Array): number {
  if (decodeObject<Segment>(key, found).id !== segment.id) throw lostError();
  return bytes.length;
}
