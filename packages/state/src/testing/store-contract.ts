import type { Lease, Store } from "@wfctl/engine";
import { isSealedState } from "./sealed-state.ts";
import type { JournalEvent } from "@wfctl/model";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { thisHolder } from "../lease/holder.ts";
import type { LeaseTimes } from "../lease/lease-view.ts";
import { createDraft } from "../draft.ts";
import { applyCommit } from "../reduce.ts";
import { toRunState, toStackState } from "../to-state.ts";
import { generateKey, type StackKey } from "../sealing/key.ts";
import { deadHolder, remoteHolder } from "./dead-process.ts";
import { patiently } from "./patiently.ts";
import { leakedSecrets, secretEvents, secretPlaces } from "./planted-secrets.ts";
import { sampleHeader, sampleIntent, sampleOutcome, sampleRecord, sampleRun } from "./sample.ts";

/** One stack in a store of the kind under test. */
export interface StoreSubject {
  readonly lineage: string;
  readonly key: StackKey;
  /** A new handle, as another process would open it; closed by `dispose`. */
  open(options?: OpenSubject): Promise<Store>;
  /** Every byte that is stored. */
  bytes(): Promise<readonly Uint8Array[]>;
  breakLease(fence: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface OpenSubject {
  readonly key?: StackKey | "none";
  readonly readOnly?: boolean;
  readonly lease?: Partial<LeaseTimes>;
}

/**
 * What every implementation of `Store` promises, as tests. `create` makes a new, empty stack. `expiryMs` is the first
 * expiry of leases that are waited for: longer where beats go to another process.
 */
export function storeContract(name: string, create: () => Promise<StoreSubject>, { expiryMs = 1000 } = {}): void {
  describe(`${name} as a store`, () => {
    const subjects: StoreSubject[] = [];
    const make = async (): Promise<StoreSubject> => {
      const subject = await create();
      subjects.push(subject);
      return subject;
    };
    const hold = async (subject: StoreSubject): Promise<{ store: Store; lease: Lease }> => {
      const store = await subject.open();
      return { store, lease: await store.acquire(thisHolder("wfctl apply")) };
    };
    const commitAll = async (store: Store, lease: Lease, commits: readonly JournalEvent[][]): Promise<void> => {
      await Promise.all(commits.map((events) => store.commit(lease, events)));
    };
    const reduced = (subject: StoreSubject, commits: readonly JournalEvent[][]) => {
      const draft = createDraft(subject.lineage, { history: true });
      for (const events of commits) applyCommit(draft, events);
      return draft;
    };
    afterEach(async () => {
      for (const subject of subjects.splice(0)) await subject.dispose();
    });

    test("a new stack is empty, with serial 0", async () => {
      const subject = await make();
      const store = await subject.open({ readOnly: true });
      expect(await store.load()).toEqual(toStackState(createDraft(subject.lineage)));
      expect(await store.runs()).toEqual([]);
      expect(await store.run("none")).toBeUndefined();
    });

    test("what was committed is what every other handle loads", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      const commits = [...sampleRun("r1", ["a", "b"]), ...sampleRun("r2", ["b", "c"]).slice(0, 4)];
      await commitAll(store, lease, commits);
      const other = await subject.open({ readOnly: true });
      const expected = reduced(subject, commits);
      expect(await other.load()).toEqual(toStackState(expected));
      expect(await store.load()).toEqual(toStackState(expected));
      expect(await other.run("r1")).toEqual(toRunState(expected.history!.get("r1")!));
      expect(await other.run("r2")).toEqual(toRunState(expected.openRuns.get("r2")!));
      const summaries = await other.runs();
      expect(summaries.map(({ header, end }) => [header.id, header.actionCount, end])).toEqual([
        ["r2", 2, undefined],
        ["r1", 2, "succeeded"],
      ]);
      expect(await other.runs(1)).toHaveLength(1);
    });

    test("the serial grows by one per commit that changes a record, however commits are grouped", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      const put = (resource: string): JournalEvent => ({
        kind: "record",
        run: "r",
        record: { put: sampleRecord(resource) },
      });
      const serials = await Promise.all([
        store.commit(lease, [{ kind: "run-started", run: sampleHeader("r", ["a"]) }]),
        store.commit(lease, [put("a"), put("b")]),
        store.commit(lease, [{ kind: "intent", intent: sampleIntent("r", 0, "a") }]),
        store.commit(lease, [{ kind: "intent", intent: sampleIntent("r", 0, "a"), record: sampleRecord("a") }]),
        store.commit(lease, [{ kind: "record", run: "r", record: { remove: "b" } }]),
        store.commit(lease, [{ kind: "outcome", run: "r", outcome: sampleOutcome(0) }]),
        store.commit(lease, [{ kind: "run-closed", run: "r", end: "succeeded", at: "2026-01-01T00:00:00.000Z" }]),
      ]);
      expect(serials).toEqual([0, 1, 1, 2, 3, 3, 3]);
      expect((await store.load()).serial).toBe(3);
      expect((await store.run("r"))?.lastSerial).toBe(3);
    });

    test("commits become durable in the order of the calls", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      const answered: number[] = [];
      const commits: Promise<unknown>[] = [store.commit(lease, [{ kind: "run-started", run: sampleHeader("r", []) }])];
      for (let count = 0; count < 200; count += 1) {
        const record = { put: sampleRecord("a", { providerId: String(count) }) };
        const commit = store.commit(lease, [{ kind: "record", run: "r", record }]);
        commits.push(commit.then(() => answered.push(count)));
        if (count % 17 === 0) await commit;
      }
      await Promise.all(commits);
      expect(answered).toEqual(answered.toSorted((a, b) => a - b));
      expect((await store.load()).records.get("a")?.providerId).toBe("199");
    });

    test("a commit that is refused changes nothing, fails what follows, and leaves what came before", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      const good = store.commit(lease, [
        { kind: "run-started", run: sampleHeader("r", ["a"]) },
        { kind: "record", run: "r", record: { put: sampleRecord("before") } },
      ]);
      const bad = store.commit(lease, [
        { kind: "record", run: "r", record: { put: sampleRecord("half") } },
        { kind: "outcome", run: "r", outcome: sampleOutcome(7) },
      ]);
      const late = store.commit(lease, [{ kind: "record", run: "r", record: { put: sampleRecord("late") } }]);
      expect(await Promise.allSettled([good, bad, late])).toMatchObject([
        { status: "fulfilled", value: 1 },
        { status: "rejected", reason: { code: "INTERNAL" } },
        { status: "rejected", reason: { code: "INTERNAL" } },
      ]);
      const other = await subject.open({ readOnly: true });
      expect([...(await other.load()).records.keys()]).toEqual(["before"]);
    });

    test("a held lease is refused to others, naming who has it", async () => {
      const subject = await make();
      await hold(subject);
      const other = await subject.open();
      const refusal = other.acquire(thisHolder("wfctl destroy"));
      await expect(refusal).rejects.toMatchObject({ code: "LEASE_HELD" });
      await expect(refusal).rejects.toThrow(new RegExp(`'wfctl apply'.*process ${process.pid}`));
    });

    test("of several who take the lease at once one gets it", async () => {
      const subject = await make();
      const stores = await Promise.all(Array.from({ length: 3 }, () => subject.open()));
      const taken = await Promise.allSettled(stores.map((store) => store.acquire(thisHolder("wfctl apply"))));
      const reasons = taken.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
      expect(reasons).toMatchObject([{ code: "LEASE_HELD" }, { code: "LEASE_HELD" }]);
    });

    test("a released lease is free, and each holder gets a higher fence", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      await store.commit(lease, [{ kind: "run-started", run: sampleHeader("r", []) }]);
      await lease.release();
      await lease.release();
      const other = await subject.open();
      const next = await other.acquire(thisHolder("wfctl destroy"));
      expect(next.fence).toBeGreaterThan(lease.fence);
      await expect(store.commit(lease, [])).rejects.toMatchObject({ code: "LEASE_LOST" });
      expect((await other.load()).openRuns).toHaveLength(1);
      await next.release();
      expect((await store.acquire(thisHolder("wfctl apply"))).fence).toBeGreaterThan(next.fence);
    });

    test("the lease of a dead process is taken over at once, and its open run is found", async () => {
      const subject = await make();
      const store = await subject.open({ lease: { beatMs: 3_600_000, expiryMs: 3_600_000 } });
      const old = await store.acquire(await deadHolder("wfctl apply"));
      await commitAll(store, old, sampleRun("r", ["a", "b"]).slice(0, 4));
      const other = await subject.open();
      await other.acquire(thisHolder("wfctl apply"));
      const [run] = (await other.load()).openRuns;
      expect(run?.openIntents.map((intent) => intent.name)).toEqual(["b"]);
      const late = store.commit(old, [{ kind: "outcome", run: "r", outcome: sampleOutcome(1) }]);
      await expect(late).rejects.toMatchObject({ code: "LEASE_LOST" });
      expect(old.lost.aborted).toBe(true);
      expect((await other.load()).openRuns[0]?.outcomes.size).toBe(1);
    });

    test("a lease that is not beaten for is free after its expiry, and not before", async () => {
      await patiently(expiryMs, async (ms) => {
        const subject = await make();
        const other = await subject.open();
        await (await other.acquire(thisHolder("wfctl apply"))).release();
        const silent = await subject.open({ lease: { beatMs: 3_600_000, expiryMs: ms } });
        await silent.acquire(remoteHolder("wfctl apply"));
        await expect(other.acquire(thisHolder("wfctl apply"))).rejects.toMatchObject({ code: "LEASE_HELD" });
        const tryAgain = () => other.acquire(thisHolder("wfctl apply")).catch((error: unknown) => error);
        await expect.poll(tryAgain, { timeout: 10_000 + 4 * ms }).toHaveProperty("fence");
      });
    });

    test("a heartbeat holds the lease beyond its expiry, and finds out when it is lost", async () => {
      await patiently(expiryMs, async (ms) => {
        const subject = await make();
        const other = await subject.open();
        await (await other.acquire(thisHolder("wfctl apply"))).release();
        const beating = await subject.open({ lease: { beatMs: 20, expiryMs: ms } });
        const lease = await beating.acquire(remoteHolder("wfctl apply"));
        const lost = new Promise((resolve) => lease.lost.addEventListener("abort", resolve));
        const until = Date.now() + 1.5 * ms;
        while (Date.now() < until) {
          await expect(other.acquire(thisHolder("wfctl apply"))).rejects.toMatchObject({ code: "LEASE_HELD" });
          await nextTurn();
        }
        await subject.breakLease(lease.fence);
        await lost;
        expect(lease.lost.reason).toMatchObject({ code: "LEASE_LOST" });
        await expect(beating.commit(lease, [])).rejects.toMatchObject({ code: "LEASE_LOST" });
      });
    });

    test("breaking a lease needs its id", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      await expect(subject.breakLease(lease.fence + 1)).rejects.toMatchObject({ code: "USAGE" });
      await store.commit(lease, [{ kind: "run-started", run: sampleHeader("r", []) }]);
      await subject.breakLease(lease.fence);
      const late = store.commit(lease, [{ kind: "cleanup-started", run: "r" }]);
      await expect(late).rejects.toMatchObject({ code: "LEASE_LOST" });
    });

    test("intents that a closed run leaves in doubt stay until they are closed under its own id", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      await commitAll(store, lease, [
        [{ kind: "run-started", run: sampleHeader("r1", ["a", "b", "c"]) }],
        [
          { kind: "intent", intent: sampleIntent("r1", 0, "a") },
          { kind: "intent", intent: sampleIntent("r1", 1, "b") },
          { kind: "intent", intent: sampleIntent("r1", 2, "c", { half: "create" }) },
          { kind: "finalize-owed", run: "r1", provider: "cloud" },
        ],
        [{ kind: "intent-unknown", run: "r1", action: 1, half: "main", phase: "apply", why: "no answer" }],
        [
          { kind: "outcome", run: "r1", outcome: sampleOutcome(0, { status: "ERROR" }), keepIntents: true },
          { kind: "outcome", run: "r1", outcome: sampleOutcome(1, { status: "ERROR" }), keepIntents: true },
        ],
        [{ kind: "run-closed", run: "r1", end: "interrupted", at: "2026-01-01T00:00:00.000Z" }],
      ]);
      const left = await store.load();
      expect([...left.unknown].map(([resource, { why }]) => [resource, why])).toEqual([
        ["b", "no answer"],
        ["a", "the run closed before the end of the call was known"],
        ["c", "the run closed before the end of the call was known"],
      ]);
      expect(left.finalizeOwed).toEqual(["cloud"]);
      expect(left.openRuns).toEqual([]);

      await commitAll(store, lease, [
        [{ kind: "run-started", run: sampleHeader("r2", []) }],
        [{ kind: "record", run: "r2", record: { put: sampleRecord("a") } }],
        [{ kind: "intent-unknown", run: "r1", action: 0, half: "main", phase: "apply", why: "other account" }],
        [
          {
            kind: "intent-closed",
            run: "r1",
            action: 1,
            half: "main",
            phase: "apply",
            record: { put: sampleRecord("b") },
          },
          { kind: "half", run: "r1", action: 2, half: "create", record: { put: sampleRecord("c") } },
        ],
        [{ kind: "finalize-done", run: "r2", provider: "cloud", errors: ["no"] }],
      ]);
      const later = await store.load();
      expect([...later.unknown].map(([resource, { why }]) => [resource, why])).toEqual([["a", "other account"]]);
      expect([...later.records.keys()].toSorted()).toEqual(["a", "b", "c"]);
      expect(later.finalizeOwed).toEqual(["cloud"]);

      await commitAll(store, lease, [
        [{ kind: "outcome", run: "r1", outcome: sampleOutcome(0, { status: "COMPENSATED" }) }],
        [{ kind: "finalize-done", run: "r2", provider: "cloud", errors: [] }],
      ]);
      const last = await store.load();
      expect([last.unknown.size, last.finalizeOwed]).toEqual([0, []]);
      expect((await store.run("r1"))?.outcomes.get(0)?.status).toBe("COMPENSATED");
    });

    test("a run that closes leaves the hooks it owes, and later events add and settle them", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      const done = (run: string, action: number, name: string, hooksOwed = true): JournalEvent => ({
        kind: "half",
        run,
        action,
        half: "main",
        record: { put: sampleRecord(name) },
        hooksOwed,
      });
      await commitAll(store, lease, [
        [{ kind: "run-started", run: sampleHeader("r1", ["a", "b", "c", "d"]) }],
        [done("r1", 0, "a"), done("r1", 1, "b"), done("r1", 2, "c", false)],
        [{ kind: "intent", intent: sampleIntent("r1", 3, "d", { operation: "delete" }) }],
        [{ kind: "hooks-done", run: "r1", action: 0 }],
      ]);
      expect([(await store.load()).hooksOwed, (await store.run("r1"))?.hooksOwed]).toEqual([[], [1]]);
      await commitAll(store, lease, [
        [{ kind: "run-closed", run: "r1", end: "failed", at: "2026-01-01T00:00:00.000Z" }],
        [{ kind: "run-started", run: sampleHeader("r2", []) }],
        [
          { kind: "half", run: "r1", action: 3, half: "main", record: { remove: "d" }, hooksOwed: true },
          done("r1", 0, "a", false),
        ],
      ]);
      const left = await store.load();
      expect(left.hooksOwed).toEqual([
        { run: "r1", action: 1, name: "b" },
        { run: "r1", action: 3, name: "d" },
      ]);
      expect(left.unknown.size).toBe(0);
      await commitAll(store, lease, [[{ kind: "hooks-done", run: "r1", action: 1 }]]);
      const again = await subject.open();
      expect((await again.load()).hooksOwed).toEqual([{ run: "r1", action: 3, name: "d" }]);
      await commitAll(store, lease, [[{ kind: "hooks-done", run: "r1", action: 3 }]]);
      expect((await again.load()).hooksOwed).toEqual([]);
    });

    test("a provider's configuration stays while something needs it", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      const at = "2026-01-01T00:00:00.000Z";
      await commitAll(store, lease, [
        [{ kind: "run-started", run: sampleHeader("r1", ["a"]) }],
        [
          { kind: "provider-config", provider: "cloud", name: "fake", config: { region: "x" } },
          { kind: "provider-config", provider: "old/one", name: "fake", config: { region: "y" } },
          { kind: "provider-config", provider: "unused", name: "fake", config: { region: "z" } },
        ],
        [
          {
            kind: "record",
            run: "r1",
            record: {
              put: sampleRecord("a", {
                deposed: [
                  {
                    providerId: "old",
                    type: "t",
                    provider: "old/one",
                    outputs: {},
                    sensitiveOutputs: [],
                    dependencies: [],
                    sinceRun: "r1",
                  },
                ],
              }),
            },
          },
        ],
      ]);
      expect((await store.load()).providerConfigs.size).toBe(3);
      await store.commit(lease, [{ kind: "run-closed", run: "r1", end: "succeeded", at }]);
      expect([...(await store.load()).providerConfigs]).toEqual([
        ["cloud", { name: "fake", config: { region: "x" } }],
        ["old/one", { name: "fake", config: { region: "y" } }],
      ]);
      await commitAll(store, lease, [
        [{ kind: "run-started", run: sampleHeader("r2", []) }],
        [{ kind: "record", run: "r2", record: { remove: "a" } }],
        [{ kind: "run-closed", run: "r2", end: "succeeded", at }],
      ]);
      expect((await store.load()).providerConfigs.size).toBe(0);
    });

    test("the journal keeps 50 closed runs; records and doubts of older ones stay", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      const at = new Date().toISOString();
      await commitAll(store, lease, [
        [{ kind: "run-started", run: sampleHeader("first", ["doubt"]) }],
        [{ kind: "intent", intent: sampleIntent("first", 0, "doubt") }],
        [{ kind: "run-closed", run: "first", end: "interrupted", at }],
        ...Array.from({ length: 60 }, (_, count) => sampleRun(`r${count}`, [`n${count}`], at)).flat(),
      ]);
      const runs = await store.runs();
      expect(runs).toHaveLength(50);
      expect(runs.at(-1)?.header.id).toBe("r10");
      expect(await store.run("r9")).toBeUndefined();
      expect((await store.run("r10"))?.outcomes.size).toBe(1);
      const state = await store.load();
      expect(state.records.size).toBe(60);
      expect(state.unknown.has("doubt")).toBe(true);
    });

    test("a reader beside a writer sees whole commits, each later than the last", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      const reader = await subject.open({ readOnly: true });
      await store.commit(lease, [{ kind: "run-started", run: sampleHeader("r", []) }]);
      let writing = true;
      const written = (async () => {
        for (let count = 0; count < 150; count += 1) {
          const pair = ["left", "right"].map((side): JournalEvent => ({
            kind: "record",
            run: "r",
            record: { put: sampleRecord(side, { providerId: String(count) }) },
          }));
          await store.commit(lease, pair);
          await nextTurn();
        }
        writing = false;
      })();
      let reads = 0;
      let lastSerial = 0;
      while (writing) {
        const state = await reader.load();
        expect(state.records.get("left")?.providerId).toBe(state.records.get("right")?.providerId);
        expect(state.serial).toBeGreaterThanOrEqual(lastSerial);
        lastSerial = state.serial;
        reads += 1;
        await nextTurn();
      }
      await written;
      expect(reads).toBeGreaterThan(1);
      expect((await reader.load()).serial).toBe(150);
    });

    test("no secret stands in clear in any byte, and with the key all of them are back", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      const commits = secretEvents();
      await commitAll(store, lease, commits);
      const open = await subject.bytes();
      await store.close();
      expect(leakedSecrets([...open, ...(await subject.bytes())])).toEqual([]);
      // The search itself finds what is there.
      expect(leakedSecrets([Buffer.from(JSON.stringify(commits))])).toEqual(secretPlaces);

      const keyed = await subject.open({ readOnly: true });
      const expected = reduced(subject, commits);
      expect(await keyed.load()).toEqual(toStackState(expected));
      expect(await keyed.run("r1")).toEqual(toRunState(expected.history!.get("r1")!));
    });

    test("without the key the state reads with its secrets sealed, and refuses to write one", async () => {
      const subject = await make();
      const { store, lease } = await hold(subject);
      await commitAll(store, lease, secretEvents());
      await store.close();
      const keyless = await subject.open({ key: "none" });
      const state = await keyless.load();
      expect(leakedSecrets([Buffer.from(JSON.stringify([...state.records]))])).toEqual([]);
      expect(isSealedState(state)).toBe(true);
      expect(state.records.get("a")?.outputs["url"]).toBe("https://plain.example");
      const next = await keyless.acquire(thisHolder("wfctl state"));
      await keyless.commit(next, [{ kind: "run-started", run: sampleHeader("r3", []) }]);
      const commit = keyless.commit(next, [{ kind: "record", run: "r3", record: { put: state.records.get("a")! } }]);
      await expect(commit).rejects.toMatchObject({ code: "KEY_REQUIRED" });
    });

    test("a wrong key is refused at once", async () => {
      const subject = await make();
      await expect(subject.open({ key: generateKey() })).rejects.toMatchObject({ code: "KEY_WRONG" });
    });
  });
}
