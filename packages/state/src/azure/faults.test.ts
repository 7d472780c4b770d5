import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createLineage } from "../identity.ts";
import { thisHolder } from "../lease/holder.ts";
import { createLogStack } from "../log/meta.ts";
import { openLogStore } from "../log/store.ts";
import { generateKey } from "../sealing/key.ts";
import { crashCommit, crashState } from "../testing/crash-commits.ts";
import { azuriteAccount, createContainer, startAzurite } from "../testing/servers/azurite.ts";
import { startFaultProxy, type FaultProxy, type HttpFault } from "../testing/servers/fault-proxy.ts";
import type { TestServer } from "../testing/servers/server.ts";
import { createAzureBlobBucket } from "./bucket.ts";

const key = generateKey();
const lineage = createLineage();
const patient = { silenceMs: 60_000, attempts: 4, delayMs: 1 };
/** Where a reply never comes. The machine may be as slow for some of the others. */
const hasty = { ...patient, silenceMs: 500, attempts: 10 };
const retry = { attempts: 5, delayMs: 1 };

describe("Azure blobs behind a connection that fails", () => {
  let server: TestServer;
  let proxy: FaultProxy;
  let stacks = 0;
  beforeAll(async () => {
    server = await startAzurite();
    await createContainer(server, "states");
    proxy = await startFaultProxy(server.address);
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });
  afterEach(() => {
    proxy.rule = () => undefined;
  });

  const open = (address: string, prefix: string, times = patient) => {
    const account = { accountUrl: address, ...azuriteAccount, container: "states", prefix };
    return openLogStore({ bucket: createAzureBlobBucket({ ...account, times }), key, retry });
  };
  const newStack = async (): Promise<string> => {
    const prefix = `f${(stacks += 1)}/`;
    const account = { accountUrl: server.address, ...azuriteAccount, container: "states", prefix };
    await createLogStack(createAzureBlobBucket(account), { lineage, name: "shop", environment: "dev" }, key);
    return prefix;
  };

  const faults: Record<string, HttpFault> = {
    "a lost request": "lose-request",
    "a lost reply": "lose-reply",
    "a reply that never comes": "hang",
    "503 ServerBusy": { refuse: 503, code: "ServerBusy" },
    "500 after the write": { failAfter: 500, code: "OperationTimedOut" },
    "409 for a blob that is not there": { refuse: 409, code: "BlobAlreadyExists" },
    "409 of another kind": { refuse: 409, code: "LeaseIdMissing" },
    "412 after the write": { failAfter: 412, code: "ConditionNotMet" },
  };
  for (const [name, fault] of Object.entries(faults)) {
    test(`${name} loses no commit and writes none twice`, async () => {
      const prefix = await newStack();
      let count = 0;
      const made = proxy.faults;
      proxy.rule = (method, path) => {
        if (method !== "PUT" || !path.includes("/log/")) return undefined;
        count += 1;
        return count % 3 === 2 ? fault : undefined;
      };
      const store = await open(proxy.address, prefix, fault === "hang" ? hasty : patient);
      const lease = await store.acquire(thisHolder("wfctl apply"));
      for (let number = 1; number <= 6; number += 1) await store.commit(lease, crashCommit(number));
      await store.close();
      expect(proxy.faults).toBeGreaterThan(made);
      expect(await (await open(server.address, prefix)).load()).toEqual(crashState(lineage, 6));
    });
  }

  test.each([
    [
      { refuse: 403, code: "AuthenticationFailed" },
      "access was denied, the server answered 403 (AuthenticationFailed)",
    ],
    [{ refuse: 404, code: "ContainerNotFound" }, "there is no container 'states'"],
    [{ refuse: 400, code: "InvalidHeaderValue" }, "the server answered 400 (InvalidHeaderValue)"],
  ] as const)("%j is told at once, and not tried again", async (fault, message) => {
    let count = 0;
    proxy.rule = () => {
      count += 1;
      return fault;
    };
    const opening = open(proxy.address, "none/");
    await expect(opening).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining(message),
    });
    expect(count).toBe(1);
  });

  test("a wrong key is refused by the server", async () => {
    const account = { accountUrl: server.address, ...azuriteAccount, accountKey: "d3Jvbmc=", container: "states" };
    const bucket = createAzureBlobBucket(account);
    await expect(bucket.get("meta")).rejects.toMatchObject({ message: expect.stringContaining("access was denied") });
  });
});
