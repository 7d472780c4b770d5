import type { Bucket } from "./bucket.ts";
import type { LogState } from "./log-state.ts";
import {
  beatPrefix,
  encodeObject,
  numberOf,
  runKey,
  segmentKey,
  segmentPrefix,
  snapshotKey,
  snapshotPrefix,
} from "./segment.ts";
import { toRunSnapshot, toSnapshot } from "./snapshot.ts";

/**
 * Keeps the log short. A snapshot is due when the segments since the last one outweigh it, so that its cost per action
 * stays constant however large the stack is.
 */
export interface Snapshotter {
  /** Counts a segment that was written. */
  wrote(bytes: number): void;
  /** Keys that nothing names once the next snapshot is there. */
  discard(keys: readonly string[]): void;
  isDue(): boolean;
  /** Writes a snapshot and deletes what it makes superfluous. On a throw the log is whole; a later call tries again. */
  take(state: LogState): Promise<void>;
}

/** How long a writer that was fenced may still try its number: its fence stays in the bucket for that time. */
const fenceLifeMs = 7 * 24 * 60 * 60 * 1000;
const fencesCheckedAtOnce = 16;

export function createSnapshotter(bucket: Bucket, minBytes: number): Snapshotter {
  let bytesSince = 0;
  let snapshotBytes = 0;
  let garbage: string[] = [];
  return {
    wrote(bytes) {
      bytesSince += bytes;
    },
    discard(keys) {
      garbage.push(...keys);
    },
    isDue: () => bytesSince >= Math.max(minBytes, snapshotBytes),
    async take(state) {
      bytesSince = 0;
      const replaced = await saveClosedRuns(bucket, state);
      const bytes = encodeObject(toSnapshot(state));
      await bucket.put(snapshotKey(state.last), bytes);
      snapshotBytes = bytes.length;
      const keys = [...garbage, ...replaced, ...(await superfluous(bucket, state))];
      garbage = [];
      await Promise.all(keys.map((key) => bucket.delete(key)));
    },
  };
}

/** Gives each closed run that is in memory an object of its own; returns the objects these replace. */
async function saveClosedRuns(bucket: Bucket, state: LogState): Promise<string[]> {
  const history = state.draft.history!;
  const replaced: string[] = [];
  for (const [id, run] of history) {
    const closed = state.closed.get(id);
    if (closed === undefined) continue;
    const object = runKey(run.number, state.last);
    await bucket.put(object, encodeObject(toRunSnapshot(run)));
    if (closed.object !== undefined && closed.object !== object) replaced.push(closed.object);
    state.closed.set(id, { ...closed, object });
  }
  history.clear();
  return replaced;
}

/** Two snapshots stay, with the segments after the older one, for readers that are under way. Fences stay longer. */
async function superfluous(bucket: Bucket, state: LogState): Promise<string[]> {
  const snapshots = await bucket.list(snapshotPrefix);
  const older = snapshots.at(-2);
  if (older === undefined) return [];
  const expired = await expiredFences(bucket, state, numberOf(older));
  const kept = new Set(state.fences);
  const segments = (await bucket.list(segmentPrefix)).filter(
    (key) => numberOf(key) <= numberOf(older) && !kept.has(numberOf(key)),
  );
  // A beat that was under way when its lease ended has come after all.
  const beats = (await bucket.list(beatPrefix)).filter((key) => numberOf(key) < state.fence);
  return [...snapshots.slice(0, -2), ...expired, ...segments, ...beats];
}

async function expiredFences(bucket: Bucket, state: LogState, upTo: number): Promise<string[]> {
  const candidates = state.fences.filter((number) => number <= upTo).slice(0, fencesCheckedAtOnce);
  const expired: string[] = [];
  for (const number of candidates) {
    const ageMs = await bucket.ageMs(segmentKey(number));
    if (ageMs !== undefined && ageMs < fenceLifeMs) break;
    expired.push(segmentKey(number));
    state.fences.splice(state.fences.indexOf(number), 1);
  }
  return expired;
}
