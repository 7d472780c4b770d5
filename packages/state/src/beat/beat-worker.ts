import { parentPort, workerData } from "node:worker_threads";
import { openBucket } from "./open-bucket.ts";
import type { BeatMessage, BeatOptions } from "./protocol.ts";
import { runBeats, type Beat } from "./run-beats.ts";

/**
 * The thread that beats for a lease in a store behind a network, over a connection of its own: it goes on however long the
 * main thread computes. It ends when it is terminated.
 */
const { store, fence, times } = workerData as BeatOptions;
const port = parentPort!;
// Its timers keep no thread alive; the open port does.
port.ref();
port.on("message", () => undefined);

const openBeat = async (): Promise<Beat> => {
  if (store.kind === "postgres") {
    const { createDatabaseBeat } = await import("../postgres/beat.ts");
    return createDatabaseBeat(store.database, store.stack, fence);
  }
  const { beatLog } = await import("../log/beat-log.ts");
  const bucket = await openBucket(store.bucket);
  const next = new BigInt64Array(store.next);
  return () =>
    beatLog(bucket, fence, {
      next: () => Number(Atomics.load(next, 0)),
      isOwn: (id) => id.startsWith(store.writerId),
    });
};

const opened = openBeat();
runBeats(
  async () => await (await opened)(),
  times,
  () => port.postMessage("lost" satisfies BeatMessage),
);
