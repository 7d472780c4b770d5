import type { StateBackend } from "../backend.ts";
import type { LeaseTimes } from "../lease/lease-view.ts";
import type { Bucket, FolderBucket } from "./bucket.ts";
import { findEmergencies, refuseEmergencies, repairEmergencies } from "../read-back.ts";
import { rekeyLog } from "./rekey.ts";
import { checkLog, repairLog } from "./doctor.ts";
import { metaKey } from "./meta.ts";
import { breakLogLease, openLogStore, readLogInfo, readLogLease } from "./store.ts";

/** The state of one stack as a log in a bucket, for commands. */
export function createLogBackend(options: {
  /** The folder of the stack. */
  readonly bucket: Bucket;
  /** Where the upstream system would keep its records. */
  readonly upstream?: FolderBucket;
  /** What files on this machine are named after that hold outcomes which the bucket refused. */
  readonly emergency: string;
  /** Only for tests. */
  readonly lease?: Partial<LeaseTimes>;
}): StateBackend {
  const { bucket, upstream, lease, emergency } = options;
  const open: StateBackend["open"] = (opening) =>
    openLogStore({ bucket, ...(lease === undefined ? {} : { lease }), ...opening });
  return {
    location: bucket.location,
    exists: async () => (await bucket.get(metaKey)) !== undefined,
    readInfo: () => readLogInfo(bucket),
    open,
    readLease: () => readLogLease(bucket),
    breakLease: (id) => breakLogLease(bucket, id),
    doctor: async () => [...(await checkLog(bucket)), ...findEmergencies(emergency)],
    repair: async (options) => [
      ...(await repairLog(bucket)),
      ...(await repairEmergencies({ ...options, base: emergency, open: (key) => open({ key }) })),
    ],
    async rekey(request) {
      refuseEmergencies(emergency, "Changing the key");
      await rekeyLog(bucket, request, lease === undefined ? {} : { lease });
    },
    async findUpstreamRecords() {
      const names = (await upstream?.listFolder()) ?? [];
      return names.some((name) => name.endsWith(".json") && name !== "metadata.json") ? upstream!.location : undefined;
    },
    size: () => Promise.resolve(undefined),
  };
}
