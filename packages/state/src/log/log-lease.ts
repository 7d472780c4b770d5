import type { LeaseHolder } from "@wfctl/engine";
import { WfctlError } from "@wfctl/model";
import { isHolderAlive } from "../lease/holder.ts";
import { heldError, lostError, type LeaseTimes, type LeaseView } from "../lease/lease-view.ts";
import type { Bucket } from "./bucket.ts";
import { applySegment, type LogState } from "./log-state.ts";
import { putSegment, type RetryTimes } from "./put-segment.ts";
import { readLog } from "./read-log.ts";
import { beatKey, decodeObject, encodeObject, segmentKey, type Segment } from "./segment.ts";

const races = 16;

/**
 * Takes the lease by writing the segment that says so: when the lease is free, when its process is proven dead, or when
 * its last beat is older than its expiry by the bucket's clock. Who loses the race for the number looks again.
 */
export async function takeLogLease(
  bucket: Bucket,
  lineage: string,
  holder: LeaseHolder,
  options: { readonly newId: () => string; readonly times: LeaseTimes; readonly retry: RetryTimes },
): Promise<LogState> {
  const { expiryMs } = options.times;
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

/**
 * Beats by putting the beat object again, and looks whether another has written the number that comes next. Reports the
 * loss once: a foreign segment, or no beat within the expiry.
 */
export function startBeating(
  bucket: Bucket,
  fence: number,
  options: {
    readonly times: LeaseTimes;
    readonly next: () => number;
    readonly isOwn: (id: string) => boolean;
    readonly onLost: (error: WfctlError) => void;
  },
): () => void {
  let beatenAtMs = performance.now();
  let stopped = false;
  let timer: NodeJS.Timeout;
  const beat = async (): Promise<void> => {
    let lost = false;
    try {
      const number = options.next();
      const bytes = await bucket.get(segmentKey(number));
      lost = bytes !== undefined && !options.isOwn(decodeObject<Segment>(segmentKey(number), bytes).id);
      if (!lost) await bucket.put(beatKey(fence), encodeObject({ fence }));
      beatenAtMs = performance.now();
    } catch {
      lost = performance.now() - beatenAtMs >= options.times.expiryMs;
    }
    if (stopped) return;
    if (lost) options.onLost(lostError("Beating for the lease"));
    else schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => void beat(), options.times.beatMs).unref();
  };
  schedule();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
