import { beforeEach, describe, expect, test } from "vitest";
import { createLineage } from "../identity.ts";
import { thisHolder } from "../lease/holder.ts";
import { generateKey } from "../sealing/key.ts";
import { crashCommit, crashState } from "../testing/crash-commits.ts";
import { sampleRun } from "../testing/sample.ts";
import { createLogBackend } from "./backend.ts";
import { createMemoryBucket, type MemoryBucket } from "./memory-bucket.ts";
import { createLogStack } from "./meta.ts";
import { decodeObject, encodeObject, segmentPrefix, snapshotPrefix } from "./segment.ts";
import { openLogStore } from "./store.ts";

const key = generateKey();
const lineage = createLineage();

describe("a log with snapshots and closed runs", () => {
  let bucket: MemoryBucket;
  const doctor = () => createLogBackend({ bucket, emergency: "/nowhere/at-all" }).doctor();
  const repair = () =>
    createLogBackend({ bucket, emergency: "/nowhere/at-all" }).repair({ holder: thisHolder("doctor") });
  const keys = (prefix: string): string[] =>
    [...bucket.objects.keys()].filter((name) => name.startsWith(prefix)).toSorted();
  const change = (name: string, edit: (bytes: Uint8Array) => Uint8Array) =>
    bucket.put(name, edit(bucket.objects.get(name)!.bytes));
  const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length - 3);

  beforeEach(async () => {
    bucket = createMemoryBucket();
    await createLogStack(bucket, { lineage, name: "shop", environment: "dev" }, key);
    const store = await openLogStore({ bucket, key, snapshotBytes: 1500 });
    const lease = await store.acquire(thisHolder("wfctl apply"));
    for (const id of ["r-1", "r-2", "r-3", "r-4"]) {
      for (const events of sampleRun(id, ["a", "b"], new Date().toISOString())) await store.commit(lease, events);
    }
    await store.close();
  });

  test("is sound, and looking changes nothing", async () => {
    expect(keys(snapshotPrefix)).toHaveLength(2);
    expect(keys(segmentPrefix).length).toBeGreaterThan(2);
    expect(keys("runs/").length).toBeGreaterThan(1);
    const before = new Map(bucket.objects);
    expect(await doctor()).toEqual([]);
    expect(await repair()).toEqual([]);
    expect(bucket.objects).toEqual(before);
  });

  test("a missing segment is found, by its number", async () => {
    const name = keys(segmentPrefix).at(-2)!;
    await bucket.delete(name);
    expect(await doctor()).toMatchObject([{ check: "segment", problem: expect.stringContaining(name) }]);
  });

  test("a torn segment is found", async () => {
    const name = keys(segmentPrefix).at(-1)!;
    await change(name, cut);
    expect(await doctor()).toMatchObject([{ check: "segment", problem: expect.stringContaining(name) }]);
  });

  test("a damaged meta is found", async () => {
    await change("meta", cut);
    expect(await doctor()).toMatchObject([{ check: "meta" }]);
  });

  test("a damaged run is found", async () => {
    const name = keys("runs/")[0]!;
    await change(name, cut);
    expect(await doctor()).toMatchObject([{ check: "run", problem: expect.stringContaining(name) }]);
  });

  test("a snapshot that holds what the segments did not write is found", async () => {
    const name = keys(snapshotPrefix).at(-1)!;
    await change(name, (bytes) => {
      const snapshot = decodeObject<{ serial: number }>(name, bytes);
      return encodeObject({ ...snapshot, serial: snapshot.serial + 1 });
    });
    expect(await doctor()).toMatchObject([{ check: "replay", problem: expect.stringContaining(name) }]);
  });

  test("a damaged newest snapshot is dropped by repair, and the state is as it was", async () => {
    const expected = await (await openLogStore({ bucket, key })).load();
    const name = keys(snapshotPrefix).at(-1)!;
    await change(name, cut);
    await expect((await openLogStore({ bucket, key })).load()).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    expect(await doctor()).toMatchObject([{ check: "snapshot", repair: expect.stringContaining("deletes it") }]);
    expect(await repair()).toMatchObject([{ check: "snapshot" }]);
    expect(await doctor()).toEqual([]);
    expect(await (await openLogStore({ bucket, key })).load()).toEqual(expected);
  });

  test("a damaged newest snapshot stays where the segments before it are not all there", async () => {
    const [older, newest] = keys(snapshotPrefix) as [string, string];
    await change(newest, cut);
    await change(older, cut);
    const findings = await doctor();
    expect(findings.map(({ check }) => check)).toContain("snapshot");
    expect(findings.every((finding) => finding.repair === undefined)).toBe(true);
    expect(await repair()).toEqual([]);
    expect(keys(snapshotPrefix)).toEqual([older, newest]);
  });
});

test("a log without a snapshot is checked from its beginning", async () => {
  const bucket = createMemoryBucket();
  await createLogStack(bucket, { lineage, name: "shop", environment: "dev" }, key);
  const store = await openLogStore({ bucket, key });
  const lease = await store.acquire(thisHolder("wfctl apply"));
  for (let number = 1; number <= 9; number += 1) await store.commit(lease, crashCommit(number));
  const backend = createLogBackend({ bucket, emergency: "/nowhere/at-all" });
  await store.commit(lease, crashCommit(10));
  expect(await backend.doctor()).toEqual([]);
  await store.compact(lease);
  expect([...bucket.objects.keys()].filter((name) => name.startsWith(snapshotPrefix))).toHaveLength(1);
  expect(await (await openLogStore({ bucket, key })).load()).toEqual(crashState(lineage, 10));
  // A run that closes with an empty slot is what only a defect writes.
  const [started, , , closed] = sampleRun("r-hole", ["a"]);
  for (const events of [started!, closed!]) await store.commit(lease, events);
  expect(await backend.doctor()).toMatchObject([{ check: "outcome-missing" }]);
});
