import { lostError } from "../lease/lease-view.ts";
import type { Bucket } from "./bucket.ts";
import { repeat, type RetryTimes } from "./retry.ts";
import { decodeObject, encodeObject, segmentKey, type Segment } from "./segment.ts";

/**
 * Writes the segment with this number, exactly once. After a lost reply it reads the number back: its own id there means
 * that the write took effect. Returns the bytes written. Throws `LEASE_LOST` when another's segment has the number,
 * `STORE_UNAVAILABLE` when the bucket does not answer; then the segment may still appear.
 */
export async function putSegment(bucket: Bucket, number: number, segment: Segment, retry: RetryTimes): Promise<number> {
  const key = segmentKey(number);
  const bytes = encodeObject(segment);
  return await repeat(`Writing '${key}' to '${bucket.location}'`, retry, async (attempt) => {
    if (attempt > 0) {
      const found = await bucket.get(key);
      if (found !== undefined) return checkOwn(key, found, segment, bytes);
    }
    if ((await bucket.putIfAbsent(key, bytes)) === "created") return bytes.length;
    const found = await bucket.get(key);
    if (found !== undefined) return checkOwn(key, found, segment, bytes);
    throw new Error("the object is there and cannot be read");
  });
}

function checkOwn(key: string, found: Uint8Array, segment: Segment, bytes: Uint8Array): number {
  if (decodeObject<Segment>(key, found).id !== segment.id) throw lostError();
  return bytes.length;
}
