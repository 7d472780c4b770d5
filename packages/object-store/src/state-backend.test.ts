import { expect, test } from "vitest";
import type { Bucket } from "./bucket.ts";
import { createMemoryBucket } from "./memory-bucket.ts";
import { createBucketStateBackend } from "./state-backend.ts";
import type { StateRecord } from "./state-record.ts";

const record: StateRecord = {
  resourceId: "app/web",
  resourceType: "infra.droplet",
  provider: "do",
  providerRef: "do",
  providerId: "123",
  configHash: "h",
  status: "active",
  outputs: { ip: "203.0.113.1" },
  config: { size: "s" },
  dependencies: ["net"],
  createdAt: "2026-01-01T00:00:00Z",
  updatedAt: "2026-01-01T00:00:00Z",
  error: "",
};

async function open(bucket: Bucket, time = { now: 0 }, config: Record<string, unknown> = {}) {
  const backend = createBucketStateBackend({
    names: ["spaces"],
    open: () => bucket,
    fail: (reason, message) => new Error(`${reason}: ${message}`),
    now: () => time.now,
    lockTtlMs: 1000,
  });
  await backend.configure("spaces", config);
  return backend;
}

test("a record is one object, under the name and with the members that upstream's plugins read", async () => {
  const bucket = createMemoryBucket();
  const backend = await open(bucket);
  await backend.save(record);
  const object = await bucket.get("iac-state/app_web.json");
  expect(JSON.parse(object!.body)).toEqual({
    resource_id: "app/web",
    resource_type: "infra.droplet",
    provider: "do",
    provider_ref: "do",
    provider_id: "123",
    config_hash: "h",
    status: "active",
    outputs: { ip: "203.0.113.1" },
    config: { size: "s" },
    dependencies: ["net"],
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-01-01T00:00:00Z",
  });
  expect(await backend.get("app/web")).toEqual(record);
  await backend.delete("app/web");
  expect(await backend.get("app/web")).toBeUndefined();
});

test("a list is filtered, and stays below its prefix", async () => {
  const bucket = createMemoryBucket();
  const backend = await open(bucket, { now: 0 }, { prefix: "a/" });
  await backend.save(record);
  await backend.save({ ...record, resourceId: "net", resourceType: "infra.vpc" });
  await (await open(bucket, { now: 0 }, { prefix: "b/" })).save({ ...record, resourceId: "other" });
  const ids = async (filter: Record<string, string>) =>
    (await backend.list(filter)).map(({ resourceId }) => resourceId);
  expect(await ids({})).toEqual(["app/web", "net"]);
  expect(await ids({ resource_type: "infra.vpc" })).toEqual(["net"]);
  expect(await ids({ status: "no such status" })).toEqual([]);
  // What upstream's stores do with a key that they do not know.
  expect(await ids({ color: "red" })).toEqual(["app/web", "net"]);
});

test("an object that holds no record is an error, not a gap in the list", async () => {
  const bucket = createMemoryBucket();
  await bucket.put("iac-state/broken.json", "{");
  const backend = await open(bucket);
  await expect(backend.list({})).rejects.toThrow('unreadable: Object "iac-state/broken.json" holds no state record');
});

test("a lock keeps others out, names its holder, and is gone after unlock", async () => {
  const bucket = createMemoryBucket();
  const [mine, theirs] = [await open(bucket), await open(bucket)];
  await mine.lock("x");
  await expect(theirs.lock("x")).rejects.toThrow(/locked: State of "x" is already locked by .+:\d+ since/);
  await expect(theirs.unlock("x")).rejects.toThrow("locked");
  await mine.unlock("x");
  await theirs.lock("x");
});

test("a lock whose holder died is taken over once it is too old; each save keeps it young", async () => {
  const bucket = createMemoryBucket();
  const time = { now: 0 };
  const [mine, theirs] = [await open(bucket, time), await open(bucket, time)];
  await mine.lock("app/web");
  time.now = 900;
  await mine.save(record);
  time.now = 1500;
  await expect(theirs.lock("app/web")).rejects.toThrow("locked");
  time.now = 2000;
  await theirs.lock("app/web");
  await expect(mine.save(record)).rejects.toThrow('The lock of "app/web" was lost');
});

test("a lock of upstream's plugin, which names no one, is honoured and can be removed", async () => {
  const bucket = createMemoryBucket();
  await bucket.put("iac-state/x.lock", "2026-01-01T00:00:00Z");
  const backend = await open(bucket);
  await expect(backend.lock("x")).rejects.toThrow("locked");
  await backend.unlock("x");
  await backend.lock("x");
});
