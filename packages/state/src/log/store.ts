import { randomUUID } from "node:crypto";
import type { Lease } from "@wfctl/engine";
import { WfctlError, type JournalEvent } from "@wfctl/model";
import { admitEvents, type OpenRun } from "../admission.ts";
import { createCommitQueue, type CommitQueue } from "../commit-queue.ts";
import type { StackIdentity } from "../identity.ts";
import type { StackMeta, StateStore } from "../backend.ts";
import { defaultLeaseTimes, type LeaseTimes, type LeaseView } from "../lease/lease-view.ts";
import { openRunsOf, toRunState, toStackState } from "../to-state.ts";
import { defaultRetention, type Retention } from "../retention.ts";
import { openWith, sealEvent } from "../sealing/event-secrets.ts";
import type { StackKey } from "../sealing/key.ts";
import { keyChanged } from "../sealing/key-changed.ts";
import { createSealer } from "../sealing/sealer.ts";
import { mapRunSecrets, mapStackSecrets } from "../sealing/secrets.ts";
import type { Bucket } from "./bucket.ts";
import { takeLogLease, viewLease } from "./log-lease.ts";
import { applySegment, dropClosedRuns, missingRuns, summariesOf, type LogState } from "./log-state.ts";
import { createLogStack, logFormatVersion, readLogMeta, type LogMeta } from "./meta.ts";
import { putSegment } from "./put-segment.ts";
import { bringBack, readClosedRun, readLog } from "./read-log.ts";
import { defaultRetryTimes, type RetryTimes } from "./retry.ts";
import type { Segment } from "./segment.ts";
import { createSnapshotter } from "./snapshotter.ts";
import { startLogBeats } from "./start-log-beats.ts";

export interface LogStoreOptions {
  readonly bucket: Bucket;
  /** Without it secrets read as `{"$sealed": …}` and cannot be written. */
  readonly key?: StackKey;
  readonly readOnly?: boolean;
  /**
   * Make the stack where there is none. Needs the key. Where another stack is, as when another process was quicker, the
   * key is not its key: the handle then goes without, and `info.lineage` tells.
   */
  readonly create?: StackIdentity;
  readonly lease?: Partial<LeaseTimes>;
  readonly retention?: Retention;
  readonly retry?: Partial<RetryTimes>;
  /** A snapshot is due after so many bytes of segments, or as many as the last snapshot had. @default 1 MiB */
  readonly snapshotBytes?: number;
}

export interface LogStore extends StateStore {
  lease(): Promise<LeaseView>;
}

/** What a handle has while it holds the lease. */
interface Held {
  readonly fence: number;
  readonly state: LogState;
  readonly abort: AbortController;
  readonly open: Map<string, OpenRun>;
  readonly queue: CommitQueue<readonly JournalEvent[]>;
  readonly stopBeating: () => void;
  /** Drops old closed runs and writes a snapshot. */
  compact(): Promise<void>;
}

/**
 * Opens the state of one stack that is a single fenced log of numbered objects in a bucket: each is written only if
 * absent, so of two writers one loses the race for the next number, and the loser knows that it is fenced.
 */
export async function openLogStore(options: LogStoreOptions): Promise<LogStore> {
  const { bucket } = options;
  const times = { ...defaultLeaseTimes, ...options.lease };
  const retry = { ...defaultRetryTimes, ...options.retry };
  const meta = await openMeta(options);
  const { lineage } = meta;
  const isOther = options.create !== undefined && options.create.lineage !== lineage;
  const key = isOther ? undefined : options.key;
  const sealer = key === undefined ? undefined : createSealer(key, lineage, meta.keys);
  const open = sealer === undefined ? undefined : openWith(sealer);
  const writerId = randomUUID();
  let segments = 0;
  const newId = (): string => `${writerId}.${(segments += 1)}`;
  let held: Held | undefined;
  let closed = false;

  const current = async (): Promise<LogState> =>
    held === undefined || held.queue.failed !== undefined ? await readLog(bucket, lineage) : held.state;

  const hold = (state: LogState): Held => {
    const { fence } = state;
    const snapshotter = createSnapshotter(bucket, options.snapshotBytes ?? 2 ** 20);
    const write = async (commits: readonly (readonly JournalEvent[])[]): Promise<number[]> => {
      if (snapshotter.isDue()) await snapshotter.take(state).catch(() => undefined);
      await bringBack(bucket, state, missingRuns(state, commits));
      const segment: Segment = { id: newId(), fence, kind: "commits", commits };
      snapshotter.wrote(await putSegment(bucket, state.last + 1, segment, retry));
      const serials = applySegment(state, segment);
      beats.note(state.last + 1);
      dropOld();
      return serials;
    };
    const dropOld = (): void =>
      snapshotter.discard(dropClosedRuns(state, Date.now(), options.retention ?? defaultRetention));
    const compact = async (): Promise<void> => {
      dropOld();
      await snapshotter.take(state);
    };
    const abort = new AbortController();
    const lose = (error: WfctlError): void => {
      queue.fail(error);
      beats.stop();
      abort.abort(error);
    };
    const queue = createCommitQueue<readonly JournalEvent[]>(async (commits) => {
      try {
        return await write(commits);
      } catch (thrown) {
        const error = WfctlError.from(thrown, "STORE_UNAVAILABLE");
        if (error.code === "LEASE_LOST") lose(error);
        throw error;
      }
    });
    const beats = startLogBeats(bucket, { fence, writerId, next: state.last + 1, times }, lose);
    return { fence, state, abort, open: openRunsOf(state.draft), queue, stopBeating: beats.stop, compact };
  };

  const release = async (mine: Held): Promise<void> => {
    await mine.queue.idle();
    if (held !== mine) return;
    held = undefined;
    mine.stopBeating();
    if (mine.queue.failed?.code === "LEASE_LOST") return;
    const segment: Segment = { id: newId(), fence: mine.fence, kind: "lease-released" };
    // A lease that cannot be given back runs out.
    await putSegment(bucket, mine.state.last + 1, segment, retry).catch(() => undefined);
  };

  return {
    location: bucket.location,
    info: infoOf(meta),
    sealer,
    async load() {
      const state = toStackState((await current()).draft);
      return open === undefined ? state : mapStackSecrets(state, open);
    },
    async acquire(holder): Promise<Lease> {
      if (options.readOnly === true || closed) {
        const why = closed ? "the store is closed" : "the state is open for reading only";
        throw new WfctlError("STORE_UNAVAILABLE", `Taking the lease of '${bucket.location}' failed: ${why}`);
      }
      const mine = hold(await takeLogLease(bucket, lineage, holder, { newId, times, retry }));
      held = mine;
      const { keys } = (await readLogMeta(bucket)) ?? meta;
      if (JSON.stringify(keys) !== JSON.stringify(meta.keys)) {
        await release(mine);
        throw keyChanged(bucket.location);
      }
      return { fence: mine.fence, lost: mine.abort.signal, release: () => release(mine) };
    },
    commit(lease, events) {
      if (held?.fence !== lease.fence) {
        return Promise.reject(givenBack("Commit to the state"));
      }
      const { queue, open: openRuns } = held;
      if (queue.failed !== undefined) return Promise.reject(queue.failed);
      try {
        admitEvents(openRuns, events);
        return queue.push(events.map((event) => sealEvent(event, sealer)));
      } catch (thrown) {
        queue.fail(WfctlError.from(thrown));
        return Promise.reject(queue.failed!);
      }
    },
    async runs(limit = Infinity) {
      return summariesOf(await current()).slice(0, limit);
    },
    async run(id) {
      const state = await current();
      const closedRun = state.closed.get(id);
      const run =
        state.draft.openRuns.get(id) ??
        state.draft.history!.get(id) ??
        (closedRun === undefined ? undefined : await readClosedRun(bucket, closedRun));
      if (run === undefined) return undefined;
      return open === undefined ? toRunState(run) : mapRunSecrets(toRunState(run), open);
    },
    async compact(lease) {
      if (held?.fence !== lease.fence) throw givenBack("Compacting the state");
      await held.queue.idle();
      await held.compact();
    },
    lease: () => readLogLease(bucket),
    async close() {
      closed = true;
      if (held !== undefined) await release(held);
    },
  };
}

function givenBack(doing: string): WfctlError {
  return new WfctlError("LEASE_LOST", `${doing} failed: the lease was given back`);
}

/** What is known of a stack without its key; undefined where there is none. */
export async function readLogInfo(bucket: Bucket): Promise<StackMeta | undefined> {
  const meta = await readLogMeta(bucket);
  return meta === undefined ? undefined : infoOf(meta);
}

function infoOf({ name, environment, lineage, createdAt }: LogMeta): StackMeta {
  return { name, environment, lineage, createdAt, formatVersion: logFormatVersion };
}

/** The lease as it stands; its `fence` is the id that `breakLogLease` wants. */
export async function readLogLease(bucket: Bucket): Promise<LeaseView> {
  const { lineage } = await openMeta({ bucket });
  return await viewLease(bucket, await readLog(bucket, lineage));
}

async function openMeta({ bucket, key, create, retry }: LogStoreOptions): Promise<LogMeta> {
  if (create !== undefined && (await readLogMeta(bucket)) === undefined) {
    if (key === undefined) {
      throw new WfctlError("KEY_REQUIRED", `Making the state in '${bucket.location}' failed: no key is given`);
    }
    try {
      await createLogStack(bucket, create, key, { ...defaultRetryTimes, ...retry });
    } catch (error) {
      // Another process may have been quicker.
      if ((await readLogMeta(bucket)) === undefined) throw error;
    }
  }
  const meta = await readLogMeta(bucket);
  if (meta !== undefined) return meta;
  throw new WfctlError("STORE_UNAVAILABLE", `Opening the state in '${bucket.location}' failed: there is none`);
}

/** Ends the lease with this fence by hand. Its holder, if it lives, fails at its next write. */
export async function breakLogLease(bucket: Bucket, fence: number): Promise<void> {
  const meta = await openMeta({ bucket });
  for (let race = 0; race < 16; race += 1) {
    const state = await readLog(bucket, meta.lineage);
    if (state.lease === undefined || state.fence !== fence) {
      throw new WfctlError("USAGE", `Breaking the lease failed: lease ${fence} is not the one that is held`, {
        hint: "See the id with: wfctl state lease show",
      });
    }
    const segment: Segment = { id: randomUUID(), fence: fence + 1, kind: "lease-broken" };
    try {
      await putSegment(bucket, state.last + 1, segment, defaultRetryTimes);
      return;
    } catch (error) {
      if (!(error instanceof WfctlError) || error.code !== "LEASE_LOST") throw error;
    }
  }
  throw new WfctlError("STORE_UNAVAILABLE", "Breaking the lease failed: its holder writes all the time");
}
