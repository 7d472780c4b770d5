import { WfctlError } from "@wfctl/model";
import type { RunDraft } from "../draft.ts";
import type { Bucket } from "./bucket.ts";
import { applySegment, createLogState, missingRuns, type ClosedRun, type LogState } from "./log-state.ts";
import { decodeObject, numberOf, segmentKey, segmentPrefix, snapshotPrefix, type Segment } from "./segment.ts";
import { fromRunSnapshot, fromSnapshot, type RunSnapshot, type Snapshot } from "./snapshot.ts";

const attempts = 5;
const parallelGets = 32;

/**
 * The state at the last segment: the newest snapshot and what follows it. Old segments may be deleted while this reads;
 * then it begins again. A segment that stays missing is `STORE_CORRUPT`.
 */
export async function readLog(bucket: Bucket, lineage: string): Promise<LogState> {
  let missing = "";
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const found = await readOnce(bucket, lineage);
    if (typeof found !== "string") return found;
    missing = found;
  }
  throw new WfctlError("STORE_CORRUPT", `Reading the state failed: object '${missing}' is missing`, {
    hint: "Bring the object back from an older version of the bucket",
  });
}

async function readOnce(bucket: Bucket, lineage: string): Promise<LogState | string> {
  const newest = (await bucket.list(snapshotPrefix)).at(-1);
  let state = createLogState(lineage);
  if (newest !== undefined) {
    const bytes = await bucket.get(newest);
    if (bytes === undefined) return newest;
    state = fromSnapshot(decodeObject<Snapshot>(newest, bytes));
  }
  const keys = await bucket.list(segmentPrefix, segmentKey(state.last));
  const gap = keys.find((key, index) => numberOf(key) !== state.last + 1 + index);
  if (gap !== undefined) return segmentKey(numberOf(gap) - 1);
  for (let start = 0; start < keys.length; start += parallelGets) {
    const wanted = keys.slice(start, start + parallelGets);
    const bodies = await Promise.all(wanted.map((key) => bucket.get(key)));
    for (const [index, bytes] of bodies.entries()) {
      const key = wanted[index]!;
      if (bytes === undefined) return key;
      const segment = decodeObject<Segment>(key, bytes);
      if (segment.kind === "commits") await bringBack(bucket, state, missingRuns(state, segment.commits));
      applySegment(state, segment);
    }
  }
  return state;
}

/** Reads closed runs into the draft's history, for events that still come for them. */
export async function bringBack(bucket: Bucket, state: LogState, runs: readonly ClosedRun[]): Promise<void> {
  for (const closed of runs) {
    const run = await readClosedRun(bucket, closed);
    if (run !== undefined) state.draft.history!.set(run.header.id, run);
  }
}

export async function readClosedRun(bucket: Bucket, { object }: ClosedRun): Promise<RunDraft | undefined> {
  if (object === undefined) return undefined;
  const bytes = await bucket.get(object);
  return bytes === undefined ? undefined : fromRunSnapshot(decodeObject<RunSnapshot>(object, bytes));
}
