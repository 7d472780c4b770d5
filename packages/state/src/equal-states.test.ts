import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@wfctl/engine";
import type { JournalEvent, RunState, StackState } from "@wfctl/model";
import { expect, test } from "vitest";
import { createLineage } from "./identity.ts";
import { thisHolder } from "./lease/holder.ts";
import { createMemoryBucket } from "./log/memory-bucket.ts";
import { openLogStore } from "./log/store.ts";
import { createDraft } from "./draft.ts";
import { applyCommit } from "./reduce.ts";
import { toRunState, toStackState } from "./to-state.ts";
import { generateKey } from "./sealing/key.ts";
import { sealEvent } from "./sealing/event-secrets.ts";
import type { Sealer } from "./sealing/sealer.ts";
import { releaseLease, takeLease } from "./sqlite/lease-table.ts";
import { openForWriting } from "./sqlite/open-database.ts";
import { encodeCommit } from "./sqlite/rows.ts";
import { openSqliteStore } from "./sqlite/store.ts";
import { createWriter } from "./sqlite/writer.ts";
import { arbitraryCommits } from "./testing/arbitrary-events.ts";
import { createMemoryDisk, createMemoryStore } from "./testing/memory-store.ts";

interface Seen {
  readonly state: StackState;
  readonly runs: readonly (RunState | undefined)[];
  readonly serials: readonly number[];
}

const runIds = ["r1", "r2", "r3"];

/** Commits in two halves, each by a holder of its own, so that the second begins from what is stored. */
async function play(open: () => Promise<Store>, commits: readonly JournalEvent[][]): Promise<Seen> {
  const middle = Math.floor(commits.length / 2);
  const serials: number[] = [];
  for (const part of [commits.slice(0, middle), commits.slice(middle)]) {
    const store = await open();
    const lease = await store.acquire(thisHolder("wfctl apply"));
    serials.push(...(await Promise.all(part.map((events) => store.commit(lease, events)))));
    await lease.release();
    await store.close();
  }
  const store = await open();
  const state = await store.load();
  const runs = await Promise.all(runIds.map((id) => store.run(id)));
  await store.close();
  return { state, runs, serials };
}

function reduceAll(lineage: string, commits: readonly JournalEvent[][]): Seen {
  const draft = createDraft(lineage, { history: true });
  const serials = commits.map((events) => applyCommit(draft, events));
  const runs = runIds.map((id) => draft.openRuns.get(id) ?? draft.history!.get(id));
  return { state: toStackState(draft), runs: runs.map((run) => run && toRunState(run)), serials };
}

/** Maps compare with their order. */
function ordered({ state, runs, serials }: Seen): unknown {
  return [
    state,
    [...state.records.keys()],
    [...state.unknown.keys()],
    [...state.providerConfigs.keys()],
    runs,
    serials,
  ];
}

/** The SQLite store without its thread: commits in groups, as they would be coalesced. */
function playWriter(path: string, sealer: Sealer, commits: readonly JournalEvent[][], groupSize: number): number[] {
  const serials: number[] = [];
  const middle = Math.floor(commits.length / 2);
  for (const part of [commits.slice(0, middle), commits.slice(middle)]) {
    const db = openForWriting(path);
    const fence = takeLease(db, thisHolder("wfctl apply"), 30_000);
    const writer = createWriter(db, keepAll);
    writer.refresh();
    for (let start = 0; start < part.length; start += groupSize) {
      const group = part.slice(start, start + groupSize);
      const rows = group.map((events) => encodeCommit(events.map((event) => sealEvent(event, sealer))));
      serials.push(...writer.write(fence, rows));
    }
    releaseLease(db, fence);
    db.close();
  }
  return serials;
}

const keepAll = { runs: 1000, days: 1_000_000 };

test("reducer, memory, SQLite and log tell the same of any sequence of commits", async () => {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-equal-"));
  const key = generateKey();
  let count = 0;
  try {
    await fc.assert(
      fc.asyncProperty(arbitraryCommits, fc.integer({ min: 1, max: 9 }), async (commits, groupSize) => {
        const lineage = createLineage();
        const create = { lineage, name: "shop", environment: "dev" };
        const expected = ordered(reduceAll(lineage, commits));

        const disk = createMemoryDisk({ lineage });
        const openMemory = async () => createMemoryStore({ disk, retention: keepAll });
        expect(ordered(await play(openMemory, commits))).toEqual(expected);

        for (const snapshotBytes of [1, 4000, 2 ** 20]) {
          const bucket = createMemoryBucket();
          const openLog = () => openLogStore({ bucket, key, create, snapshotBytes, retention: keepAll });
          expect(ordered(await play(openLog, commits))).toEqual(expected);
        }

        const path = join(directory, `${(count += 1)}.db`);
        const reader = await openSqliteStore({ path, key, create, readOnly: true });
        const serials = playWriter(path, reader.sealer!, commits, groupSize);
        const runs = await Promise.all(runIds.map((id) => reader.run(id)));
        expect(ordered({ state: await reader.load(), runs, serials })).toEqual(expected);
        for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
      }),
      { numRuns: 100 },
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
