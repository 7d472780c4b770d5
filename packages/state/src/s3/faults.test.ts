import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createLineage } from "../identity.ts";
import { thisHolder } from "../lease/holder.ts";
import { createLogStack } from "../log/meta.ts";
import { openLogStore, type LogStoreOptions } from "../log/store.ts";
import { generateKey } from "../sealing/key.ts";
import { crashCommit, crashState } from "../testing/crash-commits.ts";
import { remoteHolder } from "../testing/dead-process.ts";
import { patiently } from "../testing/patiently.ts";
import { startFaultProxy, type FaultProxy, type HttpFault } from "../testing/servers/fault-proxy.ts";
import { motoProblem, startMoto } from "../testing/servers/moto.ts";
import type { TestServer } from "../testing/servers/server.ts";
import { createS3Bucket } from "./bucket.ts";
import type { RequestTimes } from "../http/send-request.ts";
import type { S3Options } from "./options.ts";

const key = generateKey();
const lineage = createLineage();
const patient = { silenceMs: 60_000, attempts: 4, delayMs: 1 };
/** Where a reply never comes. The machine may be as slow for some of the others. */
const hasty = { ...patient, silenceMs: 500, attempts: 10 };
const retry = { attempts: 5, delayMs: 1 };
const tryLease = fileURLToPath(new URL("../testing/try-lease.ts", import.meta.url));

describe.skipIf(motoProblem() !== undefined)("S3 behind a connection that fails", () => {
  let server: TestServer;
  let proxy: FaultProxy;
  let stacks = 0;
  beforeAll(async () => {
    server = await startMoto();
    await fetch(`${server.address}/states`, { method: "PUT" });
    proxy = await startFaultProxy(server.address);
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });
  afterEach(() => {
    proxy.rule = () => undefined;
  });

  const newStack = async (): Promise<Pick<S3Options, "bucket" | "prefix" | "accessKeyId" | "secretAccessKey">> => {
    const options = { bucket: "states", prefix: `f${(stacks += 1)}/`, accessKeyId: "id", secretAccessKey: "secret" };
    const direct = createS3Bucket({ ...options, endpoint: server.address });
    await createLogStack(direct, { lineage, name: "shop", environment: "dev" }, key);
    return options;
  };
  const open = (
    options: Omit<S3Options, "endpoint">,
    address: string,
    { times = patient, ...more }: Partial<LogStoreOptions> & { times?: RequestTimes } = {},
  ) => openLogStore({ bucket: createS3Bucket({ ...options, endpoint: address, times }), key, retry, ...more });

  const faults: Record<string, HttpFault> = {
    "a lost request": "lose-request",
    "a lost reply": "lose-reply",
    "a reply that never comes": "hang",
    "a slow reply": { slowMs: 50 },
    "503 SlowDown": { refuse: 503, code: "SlowDown" },
    "429": { refuse: 429 },
    "500 after the write": { failAfter: 500, code: "InternalError" },
    "409 of a write at the same moment": { refuse: 409, code: "ConditionalRequestConflict" },
    "409 after the write": { failAfter: 409, code: "ConditionalRequestConflict" },
    "412 for an object that is not there": { refuse: 412, code: "PreconditionFailed" },
  };
  for (const [name, fault] of Object.entries(faults)) {
    test(`${name} loses no commit and writes none twice`, async () => {
      const stack = await newStack();
      let count = 0;
      const made = proxy.faults;
      proxy.rule = (method, path) => {
        if (method !== "PUT" || !path.includes("/log/")) return undefined;
        count += 1;
        return count % 3 === 2 ? fault : undefined;
      };
      const store = await open(stack, proxy.address, { times: fault === "hang" ? hasty : patient });
      const lease = await store.acquire(thisHolder("wfctl apply"));
      for (let number = 1; number <= 8; number += 1) await store.commit(lease, crashCommit(number));
      await store.close();
      expect(proxy.faults).toBeGreaterThan(made);
      const reader = await open(stack, server.address);
      expect(await reader.load()).toEqual(crashState(lineage, 8));
      expect((await reader.lease()).holder).toBeUndefined();
    });
  }

  test("any one request or reply may be lost, of every kind of call", async () => {
    for (const fault of ["lose-request", "lose-reply"] as const) {
      for (let at = 1; at <= 36; at += 9) {
        const stack = await newStack();
        let count = 0;
        proxy.rule = () => ((count += 1) === at ? fault : undefined);
        const store = await open(stack, proxy.address, { snapshotBytes: 2000 });
        const lease = await store.acquire(thisHolder("wfctl apply"));
        for (let number = 1; number <= 6; number += 1) await store.commit(lease, crashCommit(number));
        await store.close();
        proxy.rule = () => undefined;
        expect(await (await open(stack, server.address)).load()).toEqual(crashState(lineage, 6));
      }
    }
  });

  test("a server that is gone for good fails the commit and all that follow, and leaves what was acknowledged", async () => {
    const stack = await newStack();
    const store = await open(stack, proxy.address);
    const lease = await store.acquire(thisHolder("wfctl apply"));
    await store.commit(lease, crashCommit(1));
    proxy.rule = () => ({ refuse: 503, code: "ServiceUnavailable" });
    const commit = store.commit(lease, crashCommit(2));
    await expect(commit).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("503 (ServiceUnavailable)"),
    });
    await expect(store.commit(lease, [])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await (await open(stack, server.address)).load()).toEqual(crashState(lineage, 1));
    await store.close();
  });

  test("a server that ignores the condition is refused before anything relies on it", async () => {
    const stack = await newStack();
    proxy.rule = () => ({ without: "if-none-match" });
    const store = await open(stack, proxy.address);
    await expect(store.acquire(thisHolder("wfctl apply"))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("overwrites what it was asked to keep"),
    });
    expect((await store.load()).serial).toBe(0);
  });

  test.each([
    [{ refuse: 403, code: "AccessDenied" }, "access was denied, the server answered 403 (AccessDenied)"],
    [{ refuse: 404, code: "NoSuchBucket" }, "there is no bucket 'states'"],
    [{ refuse: 301, code: "PermanentRedirect" }, "the server answered 301 (PermanentRedirect)"],
    [{ refuse: 418, code: "Odd" }, "the server answered 418 (Odd)"],
  ] as const)("%j is told at once, and not tried again", async (fault, message) => {
    const stack = await newStack();
    let count = 0;
    proxy.rule = () => {
      count += 1;
      return fault;
    };
    await expect(open(stack, proxy.address)).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining(message),
    });
    expect(count).toBe(1);
  });

  test("the lease is beaten for while the main thread stands still for longer than its expiry", async () => {
    await patiently(2000, async (ms) => {
      const stack = await newStack();
      const options = { ...stack, endpoint: server.address };
      const store = await open(stack, server.address, { lease: { beatMs: 100, expiryMs: ms } });
      const lease = await store.acquire(remoteHolder("wfctl apply"));
      const where = JSON.stringify({ bucket: { kind: "s3", options } });
      const other = spawnSync(process.execPath, [tryLease, String(1.6 * ms), where], { encoding: "utf8" });
      expect([other.stdout, other.stderr]).toEqual(["LEASE_HELD", ""]);
      expect(lease.lost.aborted).toBe(false);
      expect(await store.commit(lease, crashCommit(1))).toBe(1);
      await store.close();
      const free = spawnSync(process.execPath, [tryLease, "60000", where], { encoding: "utf8" });
      expect(free.stdout).toBe("taken");
    });
  });
});
