import { statSync } from "node:fs";
import type { JournalEvent } from "@wfctl/model";
import { expect, test } from "vitest";
import { thisHolder } from "../lease/holder.ts";
import { sampleHeader, sampleIntent, sampleOutcome, sampleRecord } from "../testing/sample.ts";
import { createTemporaryStack } from "../testing/temporary-stack.ts";
import { takeLease } from "./lease-table.ts";
import { openForWriting } from "./open-database.ts";
import { encodeCommit } from "./rows.ts";
import { leaseShow } from "./store.ts";
import { createWriter } from "./writer.ts";

const actionsOf = (from: number, to: number): JournalEvent[][] =>
  Array.from({ length: to - from }, (_, index) => index + from).flatMap((action): JournalEvent[][] => [
    [{ kind: "intent", intent: sampleIntent("r", action, `n${action}`) }],
    [{ kind: "outcome", run: "r", outcome: sampleOutcome(action), record: { put: sampleRecord(`n${action}`) } }],
  ]);

test("the log grows by the same for an action of a small stack and of a large one", async () => {
  await using stack = createTemporaryStack();
  const db = openForWriting(stack.path);
  db.exec("PRAGMA wal_autocheckpoint = 0");
  const fence = takeLease(db, thisHolder("wfctl apply"), 30_000);
  const writer = createWriter(db, { runs: 50, days: 90 });
  writer.refresh();
  const names = Array.from({ length: 6000 }, (_, index) => `n${index}`);
  writer.write(fence, [encodeCommit([{ kind: "run-started", run: sampleHeader("r", names) }])]);
  const grow = (from: number, to: number): number => {
    const before = statSync(`${stack.path}-wal`).size;
    for (const events of actionsOf(from, to)) writer.write(fence, [encodeCommit(events)]);
    return (statSync(`${stack.path}-wal`).size - before) / (to - from);
  };
  const small = grow(100, 200);
  writer.write(fence, actionsOf(200, 5000).map(encodeCommit));
  const large = grow(5000, 5100);
  db.close();
  expect(large).toBeLessThan(small * 1.25);
});

test("many commits at once share a transaction, so the log grows by less than one page each", async () => {
  await using stack = createTemporaryStack();
  const store = await stack.open();
  const lease = await store.acquire(thisHolder("wfctl apply"));
  await store.commit(lease, [{ kind: "run-started", run: sampleHeader("r", []) }]);
  const before = statSync(`${stack.path}-wal`).size;
  const commits = Array.from({ length: 1000 }, (_, action) =>
    store.commit(lease, [{ kind: "hooks-done", run: "r", action }]),
  );
  await Promise.all(commits);
  expect((statSync(`${stack.path}-wal`).size - before) / commits.length).toBeLessThan(1024);
});

test("the heart beats while the main thread is busy", async () => {
  await using stack = createTemporaryStack();
  const store = await stack.open({ lease: { beatMs: 20, expiryMs: 60_000 } });
  const lease = await store.acquire(thisHolder("wfctl apply"));
  const since = performance.now();
  const cell = new Int32Array(new SharedArrayBuffer(4));
  // Without a beat in the meantime the last one would be as old as the wait. The thread may be late to start.
  let view = leaseShow(stack.path);
  do {
    Atomics.wait(cell, 0, 0, 100);
    view = leaseShow(stack.path);
  } while (view.beatAgoMs >= performance.now() - since && performance.now() - since < 30_000);
  expect(view.fence).toBe(lease.fence);
  expect(view.beatAgoMs).toBeLessThan(performance.now() - since);
  expect(lease.lost.aborted).toBe(false);
});
