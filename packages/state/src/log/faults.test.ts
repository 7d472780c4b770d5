import type { JournalEvent, StackState } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import { createDraft } from "../draft.ts";
import { createLineage } from "../identity.ts";
import { thisHolder } from "../lease/holder.ts";
import { applyCommit } from "../reduce.ts";
import { generateKey } from "../sealing/key.ts";
import { crashCommit, crashState } from "../testing/crash-commits.ts";
import { deadHolder } from "../testing/dead-process.ts";
import { sampleHeader, sampleRecord, sampleRun } from "../testing/sample.ts";
import { toStackState } from "../to-state.ts";
import type { Bucket } from "./bucket.ts";
import { checkLog } from "./doctor.ts";
import { createMemoryBucket, type BucketCall, type BucketFaults, type MemoryBucket } from "./memory-bucket.ts";
import { createLogStack, readLogMeta } from "./meta.ts";
import { encodeObject, segmentKey, snapshotPrefix } from "./segment.ts";
import { breakLogLease, openLogStore, type LogStoreOptions } from "./store.ts";

const retry = { attempts: 4, delayMs: 0 };
const key = generateKey();
const lineage = createLineage();

async function newBucket(now?: () => number): Promise<MemoryBucket> {
  const bucket = createMemoryBucket(now === undefined ? {} : { now });
  await createLogStack(bucket, { lineage, name: "shop", environment: "dev" }, key);
  return bucket;
}

function open(bucket: Bucket, options: Partial<LogStoreOptions> = {}) {
  return openLogStore({ bucket, key, retry, ...options });
}

/** Counts calls, and loses the request or the reply of those that `lose` picks. */
function losing(lose: (call: BucketCall, count: number) => "request" | "reply" | undefined): BucketFaults {
  let count = 0;
  return {
    before(call) {
      count += 1;
      if (lose(call, count) === "request") throw new Error("connection reset");
    },
    after(call) {
      if (lose(call, count) === "reply") throw new Error("connection reset");
    },
  };
}

describe("a connection that fails", () => {
  for (const part of ["request", "reply"] as const) {
    test(`once, at any call, losing the ${part}, loses no commit and writes none twice`, async () => {
      for (let at = 1; at <= 60; at += 1) {
        const bucket = await newBucket();
        const faulty = bucket.client(losing((_call, count) => (count === at ? part : undefined)));
        let acknowledged = 0;
        try {
          const store = await open(faulty, { snapshotBytes: 4000 });
          const lease = await store.acquire(thisHolder("wfctl apply"));
          for (let number = 1; number <= 12; number += 1) {
            await store.commit(lease, crashCommit(number));
            acknowledged = number;
          }
        } catch (error) {
          // Opening and taking the lease are not tried again: the command is.
          expect(acknowledged).toBe(0);
          expect(error).toBeInstanceOf(Error);
          continue;
        }
        expect(acknowledged).toBe(12);
        expect(await (await open(bucket)).load()).toEqual(crashState(lineage, 12));
      }
    });

    test(`for good, at any call, losing the ${part}, leaves every acknowledged commit and nothing half`, async () => {
      const stops = new Set<number>();
      for (let at = 1; at <= 60; at += 1) {
        const bucket = await newBucket();
        const faulty = bucket.client(losing((_call, count) => (count >= at ? part : undefined)));
        let acknowledged = 0;
        try {
          const store = await open(faulty, { snapshotBytes: 4000 });
          const lease = await store.acquire(thisHolder("wfctl apply"));
          for (let number = 1; number <= 12; number += 2) {
            const pair = [number, number + 1].map((each) => store.commit(lease, crashCommit(each)));
            const results = await Promise.allSettled(pair);
            if (results.every(({ status }) => status === "fulfilled")) {
              acknowledged = number + 1;
              continue;
            }
            const later = store.commit(lease, []);
            await expect(later).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
            break;
          }
        } catch (error) {
          expect([acknowledged, (error as Error).message]).toEqual([
            0,
            expect.stringMatching(/connection reset|no certain answer/),
          ]);
        }
        stops.add(acknowledged);
        const state = await (await open(bucket)).load();
        expect(state.serial).toBeGreaterThanOrEqual(acknowledged);
        expect(state).toEqual(crashState(lineage, state.serial));
      }
      expect([...stops]).toEqual(expect.arrayContaining([0, 2, 6, 12]));
    });
  }
});

describe("a fenced writer", () => {
  const put = (name: string): JournalEvent[] => [{ kind: "record", run: "r", record: { put: sampleRecord(name) } }];

  test("cannot write again, however often the log was shortened meanwhile", async () => {
    const bucket = await newBucket();
    const old = await open(bucket);
    const oldLease = await old.acquire(await deadHolder("wfctl apply"));
    await old.commit(oldLease, [{ kind: "run-started", run: sampleHeader("r", []) }]);
    const next = await open(bucket, { snapshotBytes: 1 });
    const lease = await next.acquire(thisHolder("wfctl apply"));
    for (let count = 0; count < 20; count += 1) await next.commit(lease, put(`n${count}`));
    expect(bucket.objects.has(segmentKey(2))).toBe(false);
    await expect(old.commit(oldLease, put("ghost"))).rejects.toMatchObject({ code: "LEASE_LOST" });
    const state = await (await open(bucket)).load();
    expect(state.records.size).toBe(20);
    expect(state.records.has("ghost")).toBe(false);
  });

  test("whose write is under way when the lease is taken either is in the log before, or is refused", async () => {
    for (const arrives of ["before", "after"] as const) {
      const bucket = await newBucket();
      let reached!: () => void;
      let release!: () => void;
      const held = new Promise<void>((resolve) => (release = resolve));
      const waiting = new Promise<void>((resolve) => (reached = resolve));
      let delay = false;
      const slow = bucket.client({
        [arrives === "before" ? "after" : "before"]: async (call: BucketCall) => {
          if (!delay || call !== "putIfAbsent") return;
          reached();
          await held;
        },
      });
      const old = await open(slow);
      const oldLease = await old.acquire(await deadHolder("wfctl apply"));
      await old.commit(oldLease, [{ kind: "run-started", run: sampleHeader("r", []) }]);
      delay = true;
      const late = old.commit(oldLease, put("late")).catch((error: unknown) => error);
      await waiting;
      const next = await open(bucket);
      await next.acquire(thisHolder("wfctl apply"));
      release();
      const seen = (await next.load()).records.has("late");
      expect(seen).toBe(arrives === "before");
      if (arrives === "before") expect(await late).toBe(1);
      else expect(await late).toMatchObject({ code: "LEASE_LOST" });
    }
  });

  test("of two who take the lease at once one wins", async () => {
    const bucket = await newBucket();
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(bucket)));
    const taken = await Promise.allSettled(stores.map((store) => store.acquire(thisHolder("wfctl apply"))));
    expect(taken.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of taken) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "LEASE_HELD" });
    }
  });

  test("its fence goes when nobody can try its number any more", async () => {
    let nowMs = 0;
    const bucket = await newBucket(() => nowMs);
    for (let round = 0; round < 5; round += 1) {
      const store = await open(bucket, { snapshotBytes: 1 });
      const lease = await store.acquire(thisHolder("wfctl apply"));
      for (const events of sampleRun(`r${round}`, ["a", "b", "c"])) await store.commit(lease, events);
      await lease.release();
      await store.close();
      nowMs += 5 * 24 * 3600 * 1000;
    }
    expect(bucket.objects.has(segmentKey(1))).toBe(false);
    expect([...bucket.objects.keys()].filter((name) => name.startsWith("log/")).length).toBeLessThan(12);
    expect((await (await open(bucket)).load()).records.size).toBe(3);
  });
});

describe("objects that are not as they should be", () => {
  async function filled(snapshotBytes: number): Promise<MemoryBucket> {
    const bucket = await newBucket();
    const store = await open(bucket, { snapshotBytes });
    const lease = await store.acquire(thisHolder("wfctl apply"));
    for (const events of sampleRun("r", ["a", "b"])) await store.commit(lease, events);
    await store.close();
    return bucket;
  }
  const rewrite = (bucket: MemoryBucket, name: string, change: (bytes: Uint8Array) => Uint8Array) =>
    bucket.put(name, change(bucket.objects.get(name)!.bytes));

  test("a damaged or missing segment is corruption that names it", async () => {
    const damaged = await filled(2 ** 20);
    await rewrite(damaged, segmentKey(3), (bytes) => bytes.subarray(0, bytes.length - 1));
    await expect((await open(damaged)).load()).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      message: expect.stringContaining(segmentKey(3)),
    });
    const missing = await filled(2 ** 20);
    await missing.delete(segmentKey(3));
    await expect((await open(missing)).load()).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      message: expect.stringContaining(segmentKey(3)),
    });
  });

  test("a damaged snapshot is corruption that names it", async () => {
    const bucket = await filled(1);
    const name = [...bucket.objects.keys()]
      .filter((object) => object.startsWith(snapshotPrefix))
      .toSorted()
      .at(-1)!;
    await rewrite(bucket, name, (bytes) => Buffer.concat([bytes, Buffer.from("x")]));
    await expect((await open(bucket)).load()).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      message: expect.stringContaining(name),
    });
  });

  test.each(["log/", "snapshot/", "meta"])(
    "whatever byte of an object below '%s' is flipped or cut off, it is corruption that names it, also to the doctor",
    async (prefix) => {
      const bucket = await filled(prefix === "snapshot/" ? 1 : 2 ** 20);
      const name = [...bucket.objects.keys()]
        .filter((object) => object.startsWith(prefix))
        .toSorted()
        .at(-1)!;
      const { bytes } = bucket.objects.get(name)!;
      const found = { code: "STORE_CORRUPT", message: expect.stringContaining(name) };
      const load = async () => (await open(bucket)).load();
      for (let at = 0; at < bytes.length; at += 1) {
        const flipped = Buffer.from(bytes);
        flipped[at] = flipped[at]! ^ 0x10;
        for (const damaged of [flipped, bytes.subarray(0, at)]) {
          await bucket.put(name, damaged);
          await expect(load()).rejects.toMatchObject(found);
        }
        if (at % 50 === 0) expect((await checkLog(bucket)).map(({ severity }) => severity)).toContain("error");
      }
      await bucket.put(name, bytes);
      expect((await load()).records.size).toBe(2);
    },
  );

  test("a newer format and a missing stack are told apart", async () => {
    const bucket = await newBucket();
    const meta = (await readLogMeta(bucket))!;
    await bucket.put("meta", encodeObject({ ...meta, format: 2 }));
    await expect(open(bucket)).rejects.toMatchObject({ code: "STORE_VERSION" });
    await expect(open(createMemoryBucket())).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    const again = createLogStack(bucket, { lineage, name: "n", environment: "e" }, key);
    await expect(again).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  test("segments that go while a reader reads make it begin again", async () => {
    const bucket = await newBucket();
    const writer = await open(bucket, { snapshotBytes: 1 });
    const lease = await writer.acquire(thisHolder("wfctl apply"));
    await writer.commit(lease, [{ kind: "run-started", run: sampleHeader("r", []) }]);
    let gets = 0;
    let shortened: Promise<void> | undefined;
    const shorten = async (): Promise<void> => {
      for (let count = 0; count < 8; count += 1) {
        await writer.commit(lease, [{ kind: "record", run: "r", record: { put: sampleRecord(`n${count}`) } }]);
      }
    };
    const reader = await open(
      bucket.client({
        async before(call, name) {
          if (call !== "get" || !name.startsWith("log/")) return;
          gets += 1;
          shortened ??= shorten();
          await shortened;
        },
      }),
    );
    expect((await reader.load()).records.size).toBe(8);
    expect(gets).toBeGreaterThan(2);
  });
});

test("what is written per action stays constant however large the stack is, snapshots included", async () => {
  let written = 0;
  const bucket = await newBucket();
  const counting: Bucket = {
    ...bucket,
    put: (name, bytes) => ((written += bytes.length), bucket.put(name, bytes)),
    putIfAbsent: (name, bytes) => ((written += bytes.length), bucket.putIfAbsent(name, bytes)),
  };
  const store = await open(counting, { snapshotBytes: 20_000 });
  const lease = await store.acquire(thisHolder("wfctl apply"));
  await store.commit(lease, [{ kind: "run-started", run: sampleHeader("r", []) }]);
  const grow = async (from: number, to: number): Promise<number> => {
    written = 0;
    for (let count = from; count < to; count += 1) {
      await store.commit(lease, [{ kind: "record", run: "r", record: { put: sampleRecord(`n${count}`) } }]);
    }
    return written / (to - from);
  };
  const small = await grow(0, 1000);
  const large = await grow(4000, 8000);
  expect(large).toBeLessThan(small * 1.5);
});

test("a broken lease is told apart from one that is free", async () => {
  const bucket = await newBucket();
  await expect(breakLogLease(bucket, 0)).rejects.toMatchObject({ code: "USAGE" });
  const store = await open(bucket);
  const lease = await store.acquire(thisHolder("wfctl apply"));
  expect(await store.lease()).toMatchObject({ fence: 1, holder: { command: "wfctl apply" } });
  await breakLogLease(bucket, 1);
  expect(await store.lease()).toMatchObject({ fence: 2, holder: undefined });
  await expect(store.commit(lease, [])).rejects.toMatchObject({ code: "LEASE_LOST" });
});

test("events of closed runs reach the run wherever it is kept", async () => {
  const bucket = await newBucket();
  const commits: JournalEvent[][] = [
    ...sampleRun("r1", ["a"]),
    ...sampleRun("r2", ["b"]),
    [{ kind: "outcome", run: "r1", outcome: { action: 0, status: "COMPENSATED", attempts: 1, durationMs: 1 } }],
    ...sampleRun("r3", ["c"]),
  ];
  for (const [index, events] of commits.entries()) {
    const store = await open(bucket, { snapshotBytes: index % 3 === 0 ? 1 : 2 ** 20 });
    const lease = await store.acquire(thisHolder("wfctl apply"));
    await store.commit(lease, events);
    await lease.release();
  }
  const draft = createDraft(lineage, { history: true });
  for (const events of commits) applyCommit(draft, events);
  const expected: StackState = toStackState(draft);
  const store = await open(bucket);
  expect(await store.load()).toEqual(expected);
  expect((await store.run("r1"))?.outcomes.get(0)?.status).toBe("COMPENSATED");
});
