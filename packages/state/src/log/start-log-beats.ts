import type { WfctlError } from "@wfctl/model";
import { runBeats } from "../beat/run-beats.ts";
import { startBeatThread } from "../beat/start-beat-thread.ts";
import type { LeaseTimes } from "../lease/lease-view.ts";
import { beatLog } from "./beat-log.ts";
import type { Bucket } from "./bucket.ts";

export interface LogBeats {
  /** Tells the number of the segment that comes next. */
  note(next: number): void;
  stop(): void;
}

/** Beats in a thread of its own where a thread can open the bucket, else on the calling thread. */
export function startLogBeats(
  bucket: Bucket,
  lease: { readonly fence: number; readonly writerId: string; readonly next: number; readonly times: LeaseTimes },
  onLost: (error: WfctlError) => void,
): LogBeats {
  const { fence, writerId, times } = lease;
  const shared = new SharedArrayBuffer(8);
  const counter = new BigInt64Array(shared);
  const note = (next: number): void => void Atomics.store(counter, 0, BigInt(next));
  note(lease.next);
  if (bucket.source !== undefined) {
    const store = { kind: "log", bucket: bucket.source, writerId, next: shared } as const;
    return { note, stop: startBeatThread({ store, fence, times }, onLost) };
  }
  const own = { next: () => Number(counter[0]), isOwn: (id: string) => id.startsWith(writerId) };
  return { note, stop: runBeats(() => beatLog(bucket, fence, own), times, onLost) };
}
