import { WfctlError } from "@wfctl/model";
import { checkOutcomes } from "../check-outcomes.ts";
import type { Finding } from "../finding.ts";
import type { Bucket } from "./bucket.ts";
import { applySegment, createLogState, missingRuns, type LogState } from "./log-state.ts";
import { readLogMeta } from "./meta.ts";
import { bringBack, readClosedRun } from "./read-log.ts";
import {
  decodeObject,
  encodeObject,
  numberOf,
  segmentKey,
  segmentPrefix,
  snapshotPrefix,
  type Segment,
} from "./segment.ts";
import { fromSnapshot, toSnapshot, type Snapshot } from "./snapshot.ts";

/**
 * Checks a log without its key and without changing it: `meta`, the snapshots, every segment after the older of them, that
 * none is missing, that the segments lead from one snapshot to the next, the objects of closed runs, and one outcome per
 * action. Empty when all is well.
 */
export async function checkLog(bucket: Bucket): Promise<Finding[]> {
  for (let attempt = 1; ; attempt += 1) {
    const before = await bucket.list(snapshotPrefix);
    const findings = await checkOnce(bucket);
    if (findings.length === 0 || attempt === attempts) return findings;
    // A writer that shortened the log meanwhile has taken away what was still to be read.
    if ((await bucket.list(snapshotPrefix)).at(-1) === before.at(-1)) return findings;
  }
}

const attempts = 3;

async function checkOnce(bucket: Bucket): Promise<Finding[]> {
  const findings: Finding[] = [];
  const report = (check: Finding["check"], problem: string, repair?: string): void =>
    void findings.push({ check, severity: "error", problem, ...(repair === undefined ? {} : { repair }) });

  const meta = await readLogMeta(bucket).catch((error: unknown) => {
    if (!isCorrupt(error)) throw error;
    report("meta", error.message);
    return undefined;
  });
  if (meta === undefined) return findings;
  const snapshots = await readSnapshots(bucket);
  const readable = snapshots.filter((snapshot) => snapshot.state !== undefined);
  const segments = await bucket.list(segmentPrefix);
  for (const [index, { key, state }] of snapshots.entries()) {
    if (state !== undefined) continue;
    const isNewest = index === snapshots.length - 1;
    report(
      "snapshot",
      `The snapshot '${key}' is damaged`,
      canDrop(snapshots, segments, index) ? dropping(isNewest) : undefined,
    );
  }
  const state = readable[0]?.state ?? createLogState(meta.lineage);
  const later = new Map(readable.slice(1).map((snapshot) => [snapshot.number, snapshot]));
  const firstNumber = state.last;
  for (const key of segments.filter((name) => numberOf(name) > firstNumber)) {
    const number = numberOf(key);
    if (number !== state.last + 1) {
      report(
        "segment",
        `The segment '${segmentKey(state.last + 1)}' is missing, and ${number - state.last - 1} in all before '${key}'`,
      );
      return findings;
    }
    const bytes = await bucket.get(key);
    // Deleted since it was listed: the log was shortened meanwhile.
    if (bytes === undefined) return findings;
    try {
      const segment = decodeObject<Segment>(key, bytes);
      if (segment.kind === "commits") await bringBack(bucket, state, missingRuns(state, segment.commits));
      applySegment(state, segment);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      report("segment", `The segment '${key}' cannot be replayed: ${why}`);
      return findings;
    }
    const snapshot = later.get(number);
    if (snapshot?.state !== undefined && !isEqual(snapshot.state, state)) {
      report("replay", `The snapshot '${snapshot.key}' is not what the segments before it lead to`);
    }
  }
  await checkRuns(bucket, readable.at(-1)?.state ?? state, state, findings);
  return findings;
}

/** Deletes newest snapshots that are damaged where what they hold is there without them. Returns what was done. */
export async function repairLog(bucket: Bucket): Promise<Finding[]> {
  const snapshots = await readSnapshots(bucket);
  const segments = await bucket.list(segmentPrefix);
  const done: Finding[] = [];
  for (const [index, { key, state }] of snapshots.entries()) {
    if (state !== undefined || !canDrop(snapshots, segments, index)) continue;
    await bucket.delete(key);
    done.push({ check: "snapshot", severity: "error", problem: `The snapshot '${key}' was damaged` });
  }
  return done;
}

interface ReadSnapshot {
  readonly key: string;
  readonly number: number;
  /** Undefined where it is damaged. */
  readonly state: LogState | undefined;
}

async function readSnapshots(bucket: Bucket): Promise<ReadSnapshot[]> {
  const read = async (key: string): Promise<ReadSnapshot | undefined> => {
    const bytes = await bucket.get(key);
    if (bytes === undefined) return undefined;
    try {
      return { key, number: numberOf(key), state: fromSnapshot(decodeObject<Snapshot>(key, bytes)) };
    } catch {
      return { key, number: numberOf(key), state: undefined };
    }
  };
  const found = await Promise.all((await bucket.list(snapshotPrefix)).map(read));
  return found.filter((snapshot) => snapshot !== undefined);
}

/** True where an older snapshot, or the beginning, and every segment after it are there. */
function canDrop(snapshots: readonly ReadSnapshot[], segments: readonly string[], index: number): boolean {
  const older = snapshots.slice(0, index).findLast((snapshot) => snapshot.state !== undefined);
  const numbers = new Set(segments.map(numberOf));
  for (let number = (older?.number ?? 0) + 1; number <= snapshots[index]!.number; number += 1) {
    if (!numbers.has(number)) return false;
  }
  return true;
}

function dropping(isNewest: boolean): string {
  return isNewest
    ? "deletes it: the snapshot before it and the segments after that tell the same"
    : "deletes it: a newer one is in use";
}

/** Where closed runs are kept, and what the log itself counts, may differ between a snapshot and a replay. */
function isEqual(snapshot: LogState, replayed: LogState): boolean {
  const comparable = (state: LogState): string => {
    const { closed: _, fences: _fences, ...rest } = toSnapshot(state);
    return Buffer.from(encodeObject(rest)).toString();
  };
  return comparable(snapshot) === comparable(replayed);
}

async function checkRuns(bucket: Bucket, listed: LogState, state: LogState, findings: Finding[]): Promise<void> {
  for (const [id, closed] of listed.closed) {
    const inMemory = state.draft.history!.get(id);
    let run = inMemory;
    try {
      run ??= await readClosedRun(bucket, closed);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
    }
    if (run === undefined) {
      if (closed.object === undefined) continue;
      findings.push({
        check: "run",
        severity: "error",
        problem: `The closed run '${id}' in '${closed.object}' is missing or damaged`,
      });
      continue;
    }
    const events = [...run.outcomes.values()].map((outcome) => ({ kind: "outcome", run: id, outcome }) as const);
    findings.push(...checkOutcomes({ id, actionCount: run.header.actions.length, closed: true }, events));
  }
}

function isCorrupt(error: unknown): error is WfctlError {
  return error instanceof WfctlError && error.code === "STORE_CORRUPT";
}
