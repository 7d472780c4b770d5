import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalEvent } from "@wfctl/model";
import { afterEach, describe, expect, test } from "vitest";
import type { StateStore } from "./backend.ts";
import { emergencyPath, writeEmergency } from "./emergency.ts";
import { createLineage } from "./identity.ts";
import { thisHolder } from "./lease/holder.ts";
import { createMemoryBucket } from "./log/memory-bucket.ts";
import { openLogStore } from "./log/store.ts";
import { readBackEmergencies } from "./read-back.ts";
import { generateKey } from "./sealing/key.ts";
import { openSqliteStore } from "./sqlite/store.ts";
import { sampleHeader, sampleIntent, sampleOutcome, sampleRecord } from "./testing/sample.ts";

const holder = thisHolder("wfctl apply");
const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

const kinds: Record<string, (directory: string) => () => Promise<StateStore>> = {
  file: (directory) => {
    const create = { lineage: createLineage(), name: "shop", environment: "dev" };
    const key = generateKey();
    return () => openSqliteStore({ path: join(directory, "state.db"), key, create });
  },
  log: () => {
    const create = { lineage: createLineage(), name: "shop", environment: "dev" };
    const [key, bucket] = [generateKey(), createMemoryBucket()];
    return () => openLogStore({ bucket, key, create });
  },
};

/** An open run with three calls in flight, and the first of them done as far as an emergency file says. */
async function begin(kind: string) {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-read-back-"));
  directories.push(directory);
  const open = kinds[kind]!(directory);
  const base = join(directory, "state.db");
  const path = emergencyPath(base, "r1");
  const store = await open();
  const lease = await store.acquire(holder);
  await store.commit(lease, [{ kind: "run-started", run: sampleHeader("r1", ["a", "b", "c"]) }]);
  for (const [action, name] of ["a", "b", "c"].entries())
    await store.commit(lease, [{ kind: "intent", intent: sampleIntent("r1", action, name) }]);
  const keep = (...events: JournalEvent[]) => writeEmergency(path, "r1", events, store.sealer!);
  const readBack = () => readBackEmergencies({ base, store, lease });
  return { store, lease, path, keep, readBack };
}

const done = (action: number, name: string, status: "SUCCESS" | "ERROR" = "SUCCESS"): JournalEvent => ({
  kind: "outcome",
  run: "r1",
  outcome: sampleOutcome(action, { status }),
  record: { put: sampleRecord(name, { providerId: `id-${name}`, run: "r1" }) },
});
const half: JournalEvent = {
  kind: "half",
  run: "r1",
  action: 1,
  half: "main",
  record: { put: sampleRecord("b", { providerId: "id-b", run: "r1" }) },
  hooksOwed: true,
};

describe.each(Object.keys(kinds))("outcomes that the store (%s) had refused", (kind) => {
  test("are recorded once, however often the command dies between commit and removal of the file", async () => {
    const { store, path, keep, readBack } = await begin(kind);
    keep(done(0, "a"));
    keep(half);
    keep({ kind: "hooks-done", run: "r1", action: 1 });
    const bytes = readFileSync(path);
    expect(await readBack()).toEqual([{ run: "r1", path, recorded: 3 }]);
    expect(existsSync(path)).toBe(false);
    const first = await store.load();
    expect([...first.records.values()].map(({ providerId }) => providerId)).toEqual(["id-a", "id-b"]);
    expect(first.openRuns[0]).toMatchObject({ hooksOwed: [], halvesDone: ["1:main"] });
    expect(first.openRuns[0]?.openIntents.map(({ name }) => name)).toEqual(["c"]);
    writeFileSync(path, bytes);
    expect(await readBack()).toEqual([{ run: "r1", path, recorded: 0 }]);
    expect(await store.load()).toEqual(first);
    expect(await readBack()).toEqual([]);
    await store.close();
  });

  test("are passed over where the journal says the same, or knows the object of a slot that ended otherwise", async () => {
    const { store, lease, keep, readBack } = await begin(kind);
    keep(done(0, "a"));
    keep(done(1, "b", "ERROR"));
    await store.commit(lease, [done(0, "a"), done(1, "b")]);
    const before = await store.load();
    expect(await readBack()).toMatchObject([{ recorded: 0 }]);
    expect(await store.load()).toEqual(before);
    await store.close();
  });

  test("are refused where the journal ended the action otherwise and knows nothing of the object", async () => {
    const { store, lease, path, keep, readBack } = await begin(kind);
    keep(done(1, "b"));
    keep(done(0, "a"));
    await store.commit(lease, [{ kind: "outcome", run: "r1", outcome: sampleOutcome(0, { status: "ERROR" }) }]);
    const before = await store.load();
    await expect(readBack()).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      message: expect.stringContaining('there "a" is id-a (SUCCESS), the journal says ERROR'),
    });
    // Not even what fits is taken from such a file.
    expect(await store.load()).toEqual(before);
    expect(existsSync(path)).toBe(true);
    await store.close();
  });

  test("of a run that the journal has dropped are refused only where they tell of an object that nobody knows", async () => {
    const { store, lease, path, readBack } = await begin(kind);
    const other = emergencyPath(path.replace(/\.emergency\..*/, ""), "r0");
    const old = { ...done(0, "a"), run: "r0" } as JournalEvent;
    writeEmergency(other, "r0", [old], store.sealer!);
    await expect(readBack()).rejects.toMatchObject({ message: expect.stringContaining("does not hold that run") });
    await store.commit(lease, [done(0, "a")]);
    expect(await readBack()).toEqual([{ run: "r0", path: other, recorded: 0 }]);
    await store.close();
  });
});
