import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { StateStore } from "../backend.ts";
import { createDraft } from "../draft.ts";
import { createLineage } from "../identity.ts";
import { thisHolder } from "../lease/holder.ts";
import { applyCommit } from "../reduce.ts";
import { generateKey } from "../sealing/key.ts";
import { arbitraryCommits } from "../testing/arbitrary-events.ts";
import { crashCommit, crashState } from "../testing/crash-commits.ts";
import { deadHolder, remoteHolder } from "../testing/dead-process.ts";
import { patiently } from "../testing/patiently.ts";
import { sampleRecord, sampleRun } from "../testing/sample.ts";
import { startCutProxy, type CutProxy } from "../testing/servers/cut-proxy.ts";
import { postgresProblem, startPostgres } from "../testing/servers/postgres.ts";
import type { TestServer } from "../testing/servers/server.ts";
import { toRunState, toStackState } from "../to-state.ts";
import { createPostgresBackend } from "./backend.ts";
import { createConnection } from "./connection.ts";
import { openPostgresStore, type PostgresStoreOptions } from "./store.ts";

const key = generateKey();
const tryLease = fileURLToPath(new URL("../testing/try-lease.ts", import.meta.url));
/** What the random events do and an engine does not: runs that close with empty slots, changes by runs that are unknown. */
const defects = new Set(["outcome-missing", "outcome-twice", "outcome-range", "replay"]);
const keepAll = { runs: 1000, days: 1_000_000 };

describe.skipIf(postgresProblem() !== undefined)("Postgres", () => {
  let server: TestServer;
  let proxy: CutProxy;
  let stacks = 0;
  beforeAll(async () => {
    server = await startPostgres();
    proxy = await startCutProxy(Number(new URL(server.address).port));
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });
  afterEach(() => {
    proxy.rule = () => undefined;
    proxy.cuts = 0;
  });

  const throughProxy = (): string => server.address.replace(/:\d+\//, `:${proxy.port}/`);
  const newStack = async (lineage: string): Promise<PostgresStoreOptions["stack"]> => {
    const stack = { name: `f${(stacks += 1)}`, environment: "dev" };
    const create = { ...stack, lineage };
    await (await openPostgresStore({ database: { dsn: server.address }, stack, key, create })).close();
    return stack;
  };
  const open = (
    stack: PostgresStoreOptions["stack"],
    dsn = server.address,
    more: Partial<PostgresStoreOptions> = {},
  ): Promise<StateStore> =>
    openPostgresStore({ database: { dsn, timeoutMs: 30_000, delayMs: 5 }, stack, key, ...more });

  test("tells the same as the reducer of any sequence of commits", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryCommits, async (commits) => {
        const lineage = createLineage();
        const stack = await newStack(lineage);
        const draft = createDraft(lineage, { history: true });
        const expected = commits.map((events) => applyCommit(draft, events));
        const serials: number[] = [];
        const middle = Math.floor(commits.length / 2);
        for (const part of [commits.slice(0, middle), commits.slice(middle)]) {
          const store = await open(stack, server.address, { retention: keepAll });
          const lease = await store.acquire(thisHolder("wfctl apply"));
          serials.push(...(await Promise.all(part.map((events) => store.commit(lease, events)))));
          await store.close();
        }
        expect(serials).toEqual(expected);
        const reader = await open(stack, server.address, { readOnly: true });
        const state = await reader.load();
        expect(state).toEqual(toStackState(draft));
        expect([...state.records.keys()]).toEqual([...draft.records.keys()]);
        expect([...state.unknown.keys()]).toEqual([...toStackState(draft).unknown.keys()]);
        expect([...state.providerConfigs.keys()]).toEqual([...draft.providerConfigs.keys()]);
        for (const id of ["r1", "r2", "r3"]) {
          const run = draft.openRuns.get(id) ?? draft.history!.get(id);
          expect(await reader.run(id)).toEqual(run && toRunState(run));
        }
        await reader.close();
        const findings = await createPostgresBackend({
          database: { dsn: server.address },
          stack,
          emergency: "none",
        }).doctor();
        expect(findings.filter(({ check }) => !defects.has(check))).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });

  for (const cut of ["before", "after"] as const) {
    test(`connections that break ${cut} the server's answer lose no commit and write none twice`, async () => {
      const lineage = createLineage();
      const stack = await newStack(lineage);
      let count = 0;
      proxy.rule = (sent) => (sent.includes("wfctl-commit") && (count += 1) % 2 === 0 ? cut : undefined);
      const store = await open(stack, throughProxy());
      const lease = await store.acquire(thisHolder("wfctl apply"));
      for (let number = 1; number <= 8; number += 1) await store.commit(lease, crashCommit(number));
      await store.close();
      expect(proxy.cuts).toBeGreaterThan(3);
      const reader = await open(stack);
      expect(await reader.load()).toEqual(crashState(lineage, 8));
      await reader.close();
    });

    test(`the connection may break once ${cut} any answer`, async () => {
      for (let at = 2; at <= 26; at += 6) {
        const lineage = createLineage();
        const stack = { name: `once ${cut} ${at}`, environment: "dev" };
        let count = 0;
        proxy.rule = () => ((count += 1) === at ? cut : undefined);
        const store = await open(stack, throughProxy(), { create: { ...stack, lineage } });
        const lease = await store.acquire(thisHolder("wfctl apply"));
        for (let number = 1; number <= 3; number += 1) await store.commit(lease, crashCommit(number));
        await store.close();
        const reader = await open(stack);
        expect(await reader.load()).toEqual(crashState(lineage, 3));
        await reader.close();
      }
      expect(proxy.cuts).toBe(5);
    });
  }

  test("a database that is gone for good fails the commit and all that follow", async () => {
    const lineage = createLineage();
    const stack = await newStack(lineage);
    const store = await open(stack, throughProxy());
    const lease = await store.acquire(thisHolder("wfctl apply"));
    await store.commit(lease, crashCommit(1));
    proxy.rule = () => "before";
    await expect(store.commit(lease, crashCommit(2))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect(store.commit(lease, [])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    const reader = await open(stack);
    expect(await reader.load()).toEqual(crashState(lineage, 1));
    await reader.close();
    await store.close();
  });

  test("a commit that was on its way when the lease was taken is refused", async () => {
    const stack = await newStack(createLineage());
    let release!: () => void;
    let reached!: () => void;
    const held = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
    const waiting = new Promise<void>((resolve) => (reached = resolve));
    const store = await open(stack, throughProxy());
    const lease = await store.acquire(await deadHolder("wfctl apply"));
    await store.commit(lease, sampleRun("r", ["a"])[0]!);
    proxy.rule = (sent) => {
      if (!sent.includes("ghost")) return undefined;
      reached();
      return held;
    };
    const put = { put: sampleRecord("ghost") };
    const late = store.commit(lease, [{ kind: "record", run: "r", record: put }]).catch((error: unknown) => error);
    await waiting;
    const next = await open(stack);
    await next.acquire(thisHolder("wfctl apply"));
    release();
    expect(await late).toMatchObject({ code: "LEASE_LOST" });
    expect(lease.lost.aborted).toBe(true);
    expect((await next.load()).records.has("ghost")).toBe(false);
    await next.close();
    await store.close();
  });

  test("the lease is beaten for while the main thread stands still for longer than its expiry", async () => {
    await patiently(2000, async (ms) => {
      const stack = await newStack(createLineage());
      const store = await open(stack, server.address, { lease: { beatMs: 100, expiryMs: ms } });
      const lease = await store.acquire(remoteHolder("wfctl apply"));
      const where = JSON.stringify({ database: { dsn: server.address }, stack });
      const other = spawnSync(process.execPath, [tryLease, String(1.6 * ms), where], { encoding: "utf8" });
      expect([other.stdout, other.stderr]).toEqual(["LEASE_HELD", ""]);
      expect(lease.lost.aborted).toBe(false);
      expect(await store.commit(lease, crashCommit(1))).toBe(1);
      await store.close();
      const free = spawnSync(process.execPath, [tryLease, "60000", where], { encoding: "utf8" });
      expect(free.stdout).toBe("taken");
    });
  });

  test.each([
    ["DELETE FROM wfctl_journal WHERE stack = $1 AND run = 1 AND entry = 2", ["journal", "outcome-missing"]],
    ["UPDATE wfctl_journal SET body = 'x' WHERE stack = $1 AND run = 1 AND entry = 2", ["journal", "outcome-missing"]],
    ["DELETE FROM wfctl_records WHERE stack = $1 AND name = 'a'", ["record-count", "replay"]],
    ["UPDATE wfctl_records SET body = '{' WHERE stack = $1 AND name = 'b'", ["record", "replay"]],
    ["UPDATE wfctl_records SET body = replace(body, 'id-a', 'id-x') WHERE stack = $1 AND name = 'a'", ["replay"]],
    ["UPDATE wfctl_stacks SET serial = 1 WHERE id = $1", ["serial"]],
    ["UPDATE wfctl_runs SET actions = '[' WHERE stack = $1", ["run"]],
    ["UPDATE wfctl_runs SET actions = '[]' WHERE stack = $1", ["outcome-range"]],
  ])("doctor finds what was done by: %s", async (damage, expected) => {
    const stack = await newStack(createLineage());
    const store = await open(stack);
    const lease = await store.acquire(thisHolder("wfctl apply"));
    for (const events of sampleRun("r", ["a", "b"])) await store.commit(lease, events);
    await store.close();
    const backend = createPostgresBackend({ database: { dsn: server.address }, stack, emergency: "none" });
    expect(await backend.doctor()).toEqual([]);
    const connection = createConnection({ dsn: server.address }, "Damaging the state");
    await connection.use(async (client) => {
      const { rows } = await client.query<{ id: string }>("SELECT id FROM wfctl_stacks WHERE name = $1", [stack.name]);
      await client.query(damage, [rows[0]!.id]);
    });
    await connection.close();
    const findings = await backend.doctor();
    expect([...new Set(findings.map(({ check }) => check))]).toEqual(expected);
  });

  test("tables of a newer wfctl, a missing stack and records of upstream are told apart", async () => {
    const stack = await newStack(createLineage());
    await expect(open({ ...stack, environment: "prod" })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    const backend = createPostgresBackend({ database: { dsn: server.address }, stack, emergency: "none" });
    expect(await backend.findUpstreamRecords()).toBeUndefined();
    const connection = createConnection({ dsn: server.address }, "Changing the tables");
    await connection.use((client) =>
      client.query("CREATE TABLE iac_resources (name TEXT); INSERT INTO iac_resources VALUES ('db')"),
    );
    expect(await backend.findUpstreamRecords()).toContain("the table iac_resources of postgres://");
    await connection.use((client) => client.query("UPDATE wfctl_format SET version = 2"));
    await expect(open(stack)).rejects.toMatchObject({ code: "STORE_VERSION" });
    await connection.use((client) => client.query("UPDATE wfctl_format SET version = 1; DROP TABLE iac_resources"));
    await connection.close();
  });
});
