import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { iac, unaryCall } from "@wfctl/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drive, type Plugin } from "@wfctl/testkit/drive";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { isMotoMissing, useAws } from "./testing/harness.ts";
import { startMoto } from "./testing/moto.ts";
import { startProxy, type Proxy } from "./testing/proxy.ts";

const installTimeoutMs = 600_000;

describe.skipIf(isMotoMissing)("endpoints", () => {
  const cloud = useAws();
  let elsewhere: Proxy;
  let plugin: Plugin;
  const named = () => ({ resource_endpoints: { files: { s3: elsewhere.url }, lab: elsewhere.url } });
  beforeAll(async () => {
    const { access_key_id: key, secret_access_key: secret } = cloud.config as Record<string, string>;
    elsewhere = await startProxy({
      target: await startMoto(),
      accountId: "999999999999",
      secrets: new Map([[key!, secret!]]),
    });
  }, installTimeoutMs);
  afterAll(() => elsewhere?.close());

  const has = async (endpoint: string, bucket: string): Promise<boolean> => {
    const { access_key_id: key, secret_access_key: secret } = cloud.config as Record<string, string>;
    const credentials = { accessKeyId: key!, secretAccessKey: secret! };
    const s3 = new S3Client({ ...cloud.sdk, credentials, endpoint, forcePathStyle: true });
    // An account lists its own.
    const { Buckets: buckets = [] } = await s3.send(new ListBucketsCommand({}));
    return buckets.some(({ Name }) => Name === bucket);
  };

  test("a service has an address of its own", async () => {
    plugin = await cloud.start({ endpoints: { s3: elsewhere.url } });
    const storage = drive(() => plugin, "infra.storage");
    await storage.create("by-service", {}, { token: "t-by-service" });
    expect([await has(elsewhere.url, "by-service"), await has(cloud.proxy.url, "by-service")]).toEqual([true, false]);
    await storage.delete("by-service", "by-service");
    expect(await has(elsewhere.url, "by-service")).toBe(false);
  });

  test("a resource has an address of its own, all its life", async () => {
    plugin = await cloud.start(named());
    const storage = drive(() => plugin, "infra.storage");
    const config = { endpoint: "files", versioning: true };
    const made = await storage.create("apart", config, { token: "t-apart" });
    expect(made).toMatchObject({ providerId: "apart#files", created: true });
    expect([await has(elsewhere.url, "apart"), await has(cloud.proxy.url, "apart")]).toEqual([true, false]);
    await expectQuiet(storage, "apart", config, "apart#files");
    const changed = { ...config, tags: { env: "test" } };
    expect(await changedPaths(storage, "apart", changed, "apart#files")).toEqual(["tags.env"]);
    await storage.update("apart", "apart#files", changed);
    await expectQuiet(storage, "apart", changed, "apart#files");
    // Another address is another object, and so is the provider's own.
    const live = (await storage.read("apart", "apart#files"))!;
    const { endpoint: _endpoint, ...home } = changed;
    for (const other of [home, { ...changed, endpoint: "lab" }]) {
      expect((await storage.diff("apart", other, live)).needsReplace).toBe(true);
    }
    expect(await storage.lookup("apart", "t-apart")).toMatchObject({ providerId: "apart#files" });
    expect(await storage.import("apart#files")).toMatchObject({ inputs: { endpoint: "files" } });
    expect((await storage.list()).map(({ providerId }) => providerId)).toContain("apart#files");
    await storage.delete("apart", "apart#files");
    expect(await has(elsewhere.url, "apart")).toBe(false);
    expect(await storage.read("apart", "apart#files")).toBeUndefined();
    expect(await storage.lookup("apart", "t-apart")).toBeUndefined();
  });

  test("a failed create says what it made where it made it", async () => {
    plugin = await cloud.start(named());
    const storage = drive(() => plugin, "infra.storage");
    elsewhere.fail({ operation: "s3.PutBucketVersioning", fault: { error: "AccessDenied", status: 403 } });
    const config = { endpoint: "lab", versioning: true };
    await expect(storage.create("half", config, { token: "t-half" })).rejects.toMatchObject({ partialId: "half#lab" });
    elsewhere.reset();
    await storage.delete("half", "half#lab");
    expect(await has(elsewhere.url, "half")).toBe(false);
  });

  test("an address that the provider does not know, or not for this service, is refused", async () => {
    plugin = await cloud.start(named());
    const refused = (text: string) => ({ class: "validation", message: expect.stringContaining(text) });
    await expect(
      drive(() => plugin, "infra.storage").create("lost", { endpoint: "nowhere" }, { token: "t-lost" }),
    ).rejects.toMatchObject(refused('no "nowhere" for s3; there is: files, lab'));
    await expect(
      drive(() => plugin, "infra.vpc").create("lost", { endpoint: "files" }, { token: "t-lost" }),
    ).rejects.toMatchObject(refused('no "files" for ec2; there is: lab'));
  });

  test("what is listed by service is not listed twice", async () => {
    plugin = await cloud.start({ resource_endpoints: { files: { s3: elsewhere.url } } });
    const role = drive(() => plugin, "infra.iam_role");
    const { providerId } = await role.create("once", {}, { token: "t-once" });
    const rpc = iac.IaCProviderEnumerator.method.enumerateAll;
    const { response } = await unaryCall(plugin.client, rpc, { resourceType: "infra.iam_role" });
    expect(response.outputs.filter(({ providerId: id }) => id.startsWith(providerId))).toHaveLength(1);
    await role.delete("once", providerId);
  });
});
