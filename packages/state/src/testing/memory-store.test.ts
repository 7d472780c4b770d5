import { expect, test } from "vitest";
import { createMemoryDisk, createMemoryStore } from "./memory-store.ts";
import { sampleHeader, sampleHolder, sampleIntent, sampleOutcome, sampleRecord, sampleRun } from "./sample.ts";

test("a crash keeps what was acknowledged and the asked-for prefix of the rest", async () => {
  const disk = createMemoryDisk();
  const store = createMemoryStore({ disk });
  const lease = await store.acquire(sampleHolder());
  await store.commit(lease, [{ kind: "run-started", run: sampleHeader("r", ["a", "b", "c"]) }]);
  let answered = 0;
  for (const [action, name] of ["a", "b", "c"].entries()) {
    void store.commit(lease, [{ kind: "intent", intent: sampleIntent("r", action, name) }]).then(() => (answered += 1));
  }
  expect(store.pending()).toBe(3);
  expect(store.crash({ keep: 2 })).toBe(2);

  const next = createMemoryStore({ disk });
  const state = await next.load();
  expect(state.openRuns[0]?.openIntents.map((intent) => intent.name)).toEqual(["a", "b"]);
  expect(answered).toBe(0);
});

test("the lease of a crashed handle is free at once, that of a living one is not", async () => {
  const disk = createMemoryDisk();
  const first = createMemoryStore({ disk });
  const second = createMemoryStore({ disk });
  await first.acquire(sampleHolder());
  await expect(second.acquire(sampleHolder())).rejects.toMatchObject({ code: "LEASE_HELD" });
  first.crash();
  expect((await second.acquire(sampleHolder())).fence).toBe(2);
});

test("a holder that stopped beating is fenced after the expiry and told so", async () => {
  let nowMs = 0;
  const clock = { now: () => nowMs };
  const disk = createMemoryDisk();
  const first = createMemoryStore({ disk, clock });
  const second = createMemoryStore({ disk, clock });
  const old = await first.acquire(sampleHolder());
  first.pauseHeartbeat();
  nowMs = 29_999;
  await expect(second.acquire(sampleHolder())).rejects.toMatchObject({ code: "LEASE_HELD" });
  nowMs = 30_000;
  await second.acquire(sampleHolder());
  await expect(first.commit(old, sampleRun("r", [])[0]!)).rejects.toMatchObject({ code: "LEASE_LOST" });
  expect(old.lost.aborted).toBe(true);
});

test("a failed write fails all later commits of the handle and changes nothing", async () => {
  const store = createMemoryStore({
    beforeWrite: () => {
      throw new Error("no space left");
    },
  });
  const lease = await store.acquire(sampleHolder());
  const first = store.commit(lease, sampleRun("r", [])[0]!);
  const second = store.commit(lease, [{ kind: "record", run: "r", record: { put: sampleRecord("a") } }]);
  await expect(first).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await expect(second).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await expect(store.commit(lease, [])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect((await store.load()).records.size).toBe(0);
});

test("an outcome fills its slot once, and only an undo rewrites it", async () => {
  const store = createMemoryStore();
  const lease = await store.acquire(sampleHolder());
  await store.commit(lease, [
    { kind: "run-started", run: sampleHeader("r", ["a"]) },
    { kind: "outcome", run: "r", outcome: sampleOutcome(0) },
  ]);
  await store.commit(lease, [{ kind: "outcome", run: "r", outcome: sampleOutcome(0, { status: "COMPENSATED" }) }]);
  const again = store.commit(lease, [{ kind: "outcome", run: "r", outcome: sampleOutcome(0) }]);
  await expect(again).rejects.toMatchObject({ code: "INTERNAL" });
});
