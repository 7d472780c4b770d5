import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { LeaseHolder } from "@wfctl/engine";
import { lostError } from "../lease/lease-view.ts";
import { toPlain, toStoreError } from "./errors.ts";
import { beatLease, releaseLease, takeLease } from "./lease-table.ts";
import { openForWriting } from "./open-database.ts";
import type { AcquireReply, WorkerMessage, WorkerOptions, WorkerRequest } from "./protocol.ts";
import { createWriter, type Writer } from "./writer.ts";

/**
 * The thread that owns the writing connection: `node:sqlite` blocks, so it must not run where the engine runs. It also
 * beats for the lease, however busy the main thread is. The database is opened by the first call, so that a thread that
 * was started ahead touches nothing.
 */
const options = workerData as WorkerOptions;
const port = parentPort!;
let opened: { readonly db: DatabaseSync; readonly writer: Writer } | undefined;
let heartbeat: { readonly fence: number; readonly timer: NodeJS.Timeout } | undefined;

const open = (): { readonly db: DatabaseSync; readonly writer: Writer } => {
  if (opened !== undefined) return opened;
  const db = openForWriting(options.path);
  opened = { db, writer: createWriter(db, options.retention) };
  return opened;
};

const stopHeartbeat = (): void => {
  if (heartbeat !== undefined) clearInterval(heartbeat.timer);
  heartbeat = undefined;
};

const startHeartbeat = (db: DatabaseSync, fence: number): void => {
  let beatenAtMs = performance.now();
  const beat = (): void => {
    let held = true;
    try {
      held = beatLease(db, fence);
      beatenAtMs = performance.now();
    } catch {
      // A beat that fails is tried again; after the expiry nobody may rely on the lease any more.
      held = performance.now() - beatenAtMs < options.expiryMs;
    }
    if (held) return;
    stopHeartbeat();
    port.postMessage({ lost: fence, error: toPlain(lostError("Beating for the lease")) } satisfies WorkerMessage);
  };
  heartbeat = { fence, timer: setInterval(beat, options.beatMs) };
};

const acquire = (holder: LeaseHolder): AcquireReply => {
  const { db, writer } = open();
  const fence = takeLease(db, holder, options.expiryMs);
  startHeartbeat(db, fence);
  return { fence, open: writer.refresh() };
};

const answer = (request: WorkerRequest): unknown => {
  switch (request.call) {
    case "acquire":
      return acquire(request.holder);
    case "commit":
      return open().writer.write(request.fence, request.commits);
    case "release":
      if (heartbeat?.fence === request.fence) stopHeartbeat();
      return releaseLease(open().db, request.fence);
    case "compact":
      open().writer.prune(request.fence);
      return open().db.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    case "close":
      if (heartbeat !== undefined) releaseLease(open().db, heartbeat.fence);
      stopHeartbeat();
      return opened?.db.close();
  }
};

port.on("message", (request: WorkerRequest) => {
  let message: WorkerMessage;
  try {
    message = { id: request.id, reply: answer(request) };
  } catch (error) {
    message = { id: request.id, error: toPlain(toStoreError(error, `Writing the state '${options.path}'`)) };
  }
  port.postMessage(message);
  if (request.call === "close") port.close();
});
