import type { LeaseHolder } from "@wfctl/engine";
import { WfctlError } from "@wfctl/model";
import { isHolderAlive } from "../lease/holder.ts";
import { heldError, type LeaseTimes, type LeaseView } from "../lease/lease-view.ts";
import type { Bucket } from "./bucket.ts";
import { requireConditionalWrites } from "./meta.ts";
import { applySegment, type LogState } from "./log-state.ts";
import { putSegment } from "./put-segment.ts";
import type { RetryTimes } from "./retry.ts";
import { readLog } from "./read-log.ts";
import { beatKey, encodeObject, segmentKey, type Segment } from "./segment.ts";

const races = 16;

/**
 * Takes the lease by writing the segment that says so: when the lease is free, when its process is proven dead, or when
 * its last beat is older than its expiry by the bucket's clock. Who loses the race for the number looks again.
 * Throws `LEASE_HELD`, and `STORE_UNAVAILABLE` where the bucket does not honour "only if absent".
 */
export async function takeLogLease(
  bucket: Bucket,
  lineage: string,
  holder: LeaseHolder,
  options: { readonly newId: () => string; readonly times: LeaseTimes; readonly retry: RetryTimes },
): Promise<LogState> {
  const { expiryMs } = options.times;
  await requireConditionalWrites(bucket, options.retry);
  for (let race = 0; race < races; race += 1) {
    const state = await readLog(bucket, lineage);
    const view = await viewLease(bucket, state);
    if (view.holder !== undefined && view.expiresInMs > 0 && isHolderAlive(view.holder) !== "dead") {
      throw heldError(view);
    }
    const fence = state.fence + 1;
    const segment: Segment = { id: options.newId(), fence, kind: "lease-taken", holder, expiryMs };
    try {
      await bucket.put(beatKey(fence), encodeObject({ fence }));
      await putSegment(bucket, state.last + 1, segment, options.retry);
    } catch (error) {
      if (error instanceof WfctlError && error.code === "LEASE_LOST") continue;
      throw error;
    }
    applySegment(state, segment);
    if (fence > 1) await bucket.delete(beatKey(fence - 1)).catch(() => undefined);
    return state;
  }
  throw new WfctlError("LEASE_HELD", "Taking the lease failed: other runs are taking it all the time");
}

export async function viewLease(bucket: Bucket, { fence, lease }: LogState): Promise<LeaseView> {
  if (lease === undefined) return { fence, holder: undefined, beatAgoMs: 0, expiresInMs: 0 };
  const beatAgoMs = (await bucket.ageMs(beatKey(fence))) ?? (await bucket.ageMs(segmentKey(lease.segment))) ?? 0;
  return { fence, holder: lease.holder, beatAgoMs, expiresInMs: Math.max(0, lease.expiryMs - beatAgoMs) };
}
