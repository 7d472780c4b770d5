import type { Lease, LeaseHolder, Store } from "@wfctl/engine";
import { WfctlError, type JournalEvent } from "@wfctl/model";
import { admitEvents, type OpenRun } from "../admission.ts";
import { createCommitQueue } from "../commit-queue.ts";
import type { StackIdentity, StackInfo } from "../identity.ts";
import { defaultLeaseTimes, type LeaseTimes, type LeaseView } from "../lease/lease-view.ts";
import { defaultRetention, type Retention } from "../retention.ts";
import { openWith, sealEvent } from "../sealing/event-secrets.ts";
import type { StackKey } from "../sealing/key.ts";
import { keyChanged } from "../sealing/key-changed.ts";
import { createSealer, type Sealer } from "../sealing/sealer.ts";
import { mapRunSecrets, mapStackSecrets } from "../sealing/secrets.ts";
import { createStack } from "./create.ts";
import { breakLease, readLease } from "./lease-table.ts";
import { openForWriting, readDatabase, stackExists } from "./open-database.ts";
import { readInfo, readRun, readStack, readSummaries } from "./read-state.ts";
import { encodeCommit, type CommitRows } from "./rows.ts";
import { startWorker, type WorkerClient } from "./worker-client.ts";

export interface SqliteStoreOptions {
  /** Path of the database file; its log and index lie beside it. */
  readonly path: string;
  /** Without it secrets read as `{"$sealed": …}` and cannot be written. */
  readonly key?: StackKey;
  /** Refuses `acquire`. Reading never changes the database file in either mode. @default false */
  readonly readOnly?: boolean;
  /**
   * Make the stack when there is no file. Needs the key. Where a file is that has another lineage, as when another
   * process was quicker, the key is not its key: the handle then goes without, and `info.lineage` tells.
   */
  readonly create?: StackIdentity;
  /** Only for tests. */
  readonly lease?: Partial<LeaseTimes>;
  readonly retention?: Retention;
}

export interface SqliteStore extends Store {
  readonly path: string;
  readonly info: StackInfo;
  /** Undefined without a key. */
  readonly sealer: Sealer | undefined;
  /** Drops old closed runs and gives the space back. */
  compact(lease: Lease): Promise<void>;
}

/**
 * Opens the state of one stack in an SQLite file. The writing connection lives in a worker thread that starts with
 * the handle, unless it is for reading only, and touches nothing before the first `acquire`; reading happens on the calling thread, on the last commit, and takes no lock that could wait.
 * Throws `STORE_UNAVAILABLE` (missing), `STORE_CORRUPT`, `STORE_VERSION`, `KEY_WRONG`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { path } = options;
  if (options.create !== undefined) createIfMissing(path, options.create, options.key);
  const { keys, ...info } = readDatabase(path, readInfo);
  const isOther = options.create !== undefined && options.create.lineage !== info.lineage;
  const key = isOther ? undefined : options.key;
  const sealer = key === undefined ? undefined : createSealer(key, info.lineage, keys);
  const open = sealer === undefined ? undefined : openWith(sealer);
  const writing = createWriting(options, sealer, JSON.stringify(keys));
  return {
    path,
    info,
    sealer,
    location: path,
    async load() {
      const state = readDatabase(path, readStack);
      return open === undefined ? state : mapStackSecrets(state, open);
    },
    async runs(limit = -1) {
      return readDatabase(path, (db) => readSummaries(db, limit));
    },
    async run(id) {
      const run = readDatabase(path, (db) => readRun(db, id));
      return run === undefined || open === undefined ? run : mapRunSecrets(run, open);
    },
    ...writing,
  };
}

function createIfMissing(path: string, identity: StackIdentity, key: StackKey | undefined): void {
  if (stackExists(path)) return;
  if (key === undefined) throw new WfctlError("KEY_REQUIRED", `Making the state '${path}' failed: no key is given`);
  try {
    createStack({ path, key, ...identity });
  } catch (error) {
    if (!stackExists(path)) throw error;
  }
}

function createWriting(
  options: SqliteStoreOptions,
  sealer: Sealer | undefined,
  keys: string,
): Pick<SqliteStore, "acquire" | "commit" | "compact" | "close"> {
  const { path } = options;
  const readOnly = options.readOnly === true;
  let held:
    | { readonly fence: number; readonly abort: AbortController; readonly open: Map<string, OpenRun> }
    | undefined;
  let closed = false;

  const onLost = (fence: number, error: WfctlError): void => {
    if (held?.fence === fence) lose(error);
  };
  const lose = (error: WfctlError): void => {
    queue.fail(error);
    held?.abort.abort(error);
  };
  const newQueue = () =>
    createCommitQueue<{ readonly fence: number; readonly rows: CommitRows }>(async (group) => {
      try {
        const commits = group.map(({ rows }) => rows);
        return await worker!.call("commit", { fence: group[0]!.fence, commits });
      } catch (thrown) {
        const error = WfctlError.from(thrown, "STORE_UNAVAILABLE");
        if (error.code === "LEASE_LOST") lose(error);
        throw error;
      }
    });
  let queue = newQueue();
  const worker: WorkerClient | undefined = readOnly
    ? undefined
    : startWorker(
        { path, retention: options.retention ?? defaultRetention, ...defaultLeaseTimes, ...options.lease },
        onLost,
      );

  const acquire = async (holder: LeaseHolder): Promise<Lease> => {
    if (worker === undefined) {
      throw new WfctlError("INTERNAL", `Taking the lease of '${path}' failed: the state is open for reading only`);
    }
    if (closed) throw new WfctlError("STORE_UNAVAILABLE", `Taking the lease of '${path}' failed: the store is closed`);
    const { fence, open } = await worker.call("acquire", { holder });
    if (JSON.stringify(readDatabase(path, readInfo).keys) !== keys) {
      await worker.call("release", { fence });
      throw keyChanged(path);
    }
    const abort = new AbortController();
    held = { fence, abort, open };
    queue = newQueue();
    const ownQueue = queue;
    return {
      fence,
      lost: abort.signal,
      async release() {
        await ownQueue.idle();
        if (held?.fence !== fence) return;
        held = undefined;
        if (abort.signal.aborted || closed) return;
        // A lease that cannot be given back is free when this process has ended.
        await worker.call("release", { fence }).catch(() => undefined);
      },
    };
  };

  const commit = (lease: Lease, events: readonly JournalEvent[]): Promise<number> => {
    if (held === undefined || held.fence !== lease.fence) {
      return Promise.reject(new WfctlError("LEASE_LOST", "Commit to the state failed: the lease was given back"));
    }
    if (queue.failed !== undefined) return Promise.reject(queue.failed);
    try {
      admitEvents(held.open, events);
      const rows = encodeCommit(events.map((event) => sealEvent(event, sealer)));
      return queue.push({ fence: lease.fence, rows });
    } catch (thrown) {
      queue.fail(WfctlError.from(thrown));
      return Promise.reject(queue.failed!);
    }
  };

  return {
    acquire,
    commit,
    async compact(lease) {
      await queue.idle();
      await worker!.call("compact", { fence: lease.fence });
    },
    async close() {
      if (closed) return;
      closed = true;
      await queue.idle();
      queue.fail(new WfctlError("STORE_UNAVAILABLE", "Commit to the state failed: the store is closed"));
      held = undefined;
      await worker?.call("close", {}).catch(() => undefined);
    },
  };
}

/** What is known of a stack without its key; undefined where there is no state. */
export function readStackInfo(path: string): StackInfo | undefined {
  if (!stackExists(path)) return undefined;
  const { keys: _, ...info } = readDatabase(path, readInfo);
  return info;
}

/** The lease as it stands; its `fence` is the id that `leaseBreak` wants. */
export function leaseShow(path: string): LeaseView {
  return readDatabase(path, readLease);
}

/** Ends the lease with this id by hand. Its holder, if it lives, fails at its next write. */
export function leaseBreak(path: string, id: number): void {
  const db = openForWriting(path);
  try {
    if (breakLease(db, id)) return;
  } finally {
    db.close();
  }
  throw new WfctlError("USAGE", `Breaking the lease failed: lease ${id} is not the one that is held`, {
    hint: "See the id with: wfctl state lease show",
  });
}
