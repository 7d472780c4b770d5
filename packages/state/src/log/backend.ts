import type { StateBackend } from "../backend.ts";
import type { LeaseTimes } from "../lease/lease-view.ts";
import type { Bucket, FolderBucket } from "./bucket.ts";
import { checkLog, repairLog } from "./doctor.ts";
import { breakLogLease, openLogStore, readLogInfo, readLogLease } from "./store.ts";

/** The state of one stack as a log in a bucket, for commands. */
export function createLogBackend(options: {
  /** The folder of the stack. */
  readonly bucket: Bucket;
  /** Where the upstream system would keep its records. */
  readonly upstream?: FolderBucket;
  /** Only for tests. */
  readonly lease?: Partial<LeaseTimes>;
}): StateBackend {
  const { bucket, upstream, lease } = options;
  return {
    location: bucket.location,
    readInfo: () => readLogInfo(bucket),
    open: (open) => openLogStore({ bucket, ...(lease === undefined ? {} : { lease }), ...open }),
    readLease: () => readLogLease(bucket),
    breakLease: (id) => breakLogLease(bucket, id),
    doctor: () => checkLog(bucket),
    repair: () => repairLog(bucket),
    async findUpstreamRecords() {
      const names = (await upstream?.listFolder()) ?? [];
      return names.some((name) => name.endsWith(".json") && name !== "metadata.json") ? upstream!.location : undefined;
    },
    size: () => Promise.resolve(undefined),
  };
}
