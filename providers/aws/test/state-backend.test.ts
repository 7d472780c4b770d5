import {
  CreateBucketCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { iac, unaryCall } from "@wfctl/contract";
import { beforeAll, describe, expect, test } from "vitest";
import { createStateBackend } from "../src/state-backend/state-backend.ts";
import { isMotoMissing, useAws } from "./testing/harness.ts";

const record = (resourceId: string, other: object = {}) => ({
  resourceId,
  resourceType: "infra.vpc",
  provider: "aws",
  providerRef: "cloud",
  providerId: "vpc-1",
  configHash: "abc",
  status: "active",
  outputs: { vpc_id: "vpc-1", count: 2 },
  config: { cidr: "10.0.0.0/16" },
  dependencies: ["base"],
  createdAt: "2026-01-01T00:00:00Z",
  updatedAt: "2026-01-02T00:00:00Z",
  error: "",
  ...other,
});

describe.skipIf(isMotoMissing)("the state backend s3", () => {
  const cloud = useAws();
  let s3: S3Client;
  beforeAll(async () => {
    s3 = new S3Client({ ...cloud.sdk, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "state-bucket" }));
  });
  const configuration = (prefix: string) => ({
    backend: "s3",
    bucket: "state-bucket",
    region: "us-east-1",
    prefix,
    accessKey: cloud.config["access_key_id"] as string,
    secretKey: cloud.config["secret_access_key"] as string,
    endpoint: cloud.proxy.url,
  });
  const open = async (prefix: string, now?: () => number) => {
    const backend = createStateBackend("0.0.0", now);
    await backend.configure("s3", configuration(prefix));
    return backend;
  };

  test("keeps records in upstream's layout", async () => {
    const backend = await open("team/");
    await backend.save(record("net/prod"));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "state-bucket", Key: "team/net_prod.json" }));
    expect(JSON.parse(await Body!.transformToString())).toEqual({
      resource_id: "net/prod",
      resource_type: "infra.vpc",
      provider: "aws",
      provider_ref: "cloud",
      provider_id: "vpc-1",
      config_hash: "abc",
      status: "active",
      outputs: { vpc_id: "vpc-1", count: 2 },
      config: { cidr: "10.0.0.0/16" },
      dependencies: ["base"],
      created_at: "2026-01-01T00:00:00Z",
      updated_at: "2026-01-02T00:00:00Z",
      error: "",
    });
    expect(await backend.get("net/prod")).toEqual(record("net/prod"));
    await backend.save(record("db", { resourceType: "infra.database", status: "error" }));
    expect((await backend.list({})).map(({ resourceId }) => resourceId)).toEqual(["db", "net/prod"]);
    expect((await backend.list({ resource_type: "infra.database" })).map(({ resourceId }) => resourceId)).toEqual([
      "db",
    ]);
    expect(await backend.list({ status: "destroyed" })).toEqual([]);
    await backend.delete("net/prod");
    await backend.delete("net/prod");
    expect(await backend.get("net/prod")).toBeUndefined();
  });

  test("does not pass over what it cannot read", async () => {
    const backend = await open("broken/");
    await s3.send(new PutObjectCommand({ Bucket: "state-bucket", Key: "broken/x.json", Body: "{" }));
    await expect(backend.list({})).rejects.toMatchObject({ message: expect.stringContaining("x.json") });
  });

  test("a lock has one holder, whom the others are told", async () => {
    const [one, two] = [await open("locks/"), await open("locks/")];
    await one.lock("net");
    await expect(two.lock("net")).rejects.toMatchObject({
      message: expect.stringMatching(/already locked by .* \(process \d+\)/),
    });
    await one.unlock("net");
    await two.lock("net");
    await two.unlock("net");
    await expect(two.unlock("net")).rejects.toMatchObject({ message: expect.stringContaining("not locked") });
  });

  test("a lock that no one renews expires, one of upstream's does not", async () => {
    let now = Date.now();
    const [one, two] = [await open("old/", () => now), await open("old/", () => now)];
    await one.lock("net");
    now += 3_600_000;
    await two.lock("net");
    await expect(one.unlock("net")).rejects.toMatchObject({ message: expect.stringContaining("was lost") });
    await two.unlock("net");
    await s3.send(new PutObjectCommand({ Bucket: "state-bucket", Key: "old/theirs.lock", Body: "locked" }));
    await expect(two.lock("theirs")).rejects.toMatchObject({ message: expect.stringContaining("already locked") });
  });

  test("is served to upstream hosts", async () => {
    const { configure, saveState, getState, listBackendNames } = iac.IaCStateBackend.method;
    const { client } = cloud.plugin;
    expect((await unaryCall(client, listBackendNames, {})).response.backendNames).toEqual(["s3"]);
    const configJson = Buffer.from(JSON.stringify(configuration("wire/")));
    await unaryCall(client, configure, { backendName: "s3", configJson });
    const state = { resourceId: "net", resourceType: "infra.vpc", provider: "aws", status: "active" };
    await unaryCall(client, saveState, { state });
    expect((await unaryCall(client, getState, { resourceId: "net" })).response).toMatchObject({ exists: true, state });
    expect((await unaryCall(client, getState, { resourceId: "no" })).response.exists).toBe(false);
    const empty = { backendName: "s3", configJson: Buffer.from("{}") };
    await expect(unaryCall(client, configure, empty)).rejects.toMatchObject({
      details: expect.stringContaining("bucket"),
    });
  });

  test("its bucket is made once, closed and versioned", async () => {
    const { bootstrapStateBackend } = iac.IaCProviderRequired.method;
    const bootstrap = async (config: object) =>
      (await unaryCall(cloud.plugin.client, bootstrapStateBackend, { configJson: Buffer.from(JSON.stringify(config)) }))
        .response;
    const made = await bootstrap({ backend: "s3", bucket: "made-for-state", region: "eu-west-1" });
    expect(made.result).toMatchObject({ bucket: "made-for-state", region: "eu-west-1" });
    const bucket = { Bucket: "made-for-state" };
    expect((await s3.send(new GetBucketVersioningCommand(bucket))).Status).toBe("Enabled");
    expect((await s3.send(new GetPublicAccessBlockCommand(bucket))).PublicAccessBlockConfiguration).toMatchObject({
      BlockPublicPolicy: true,
    });
    cloud.proxy.reset();
    await bootstrap({ backend: "s3", bucket: "made-for-state", region: "eu-west-1" });
    expect(cloud.proxy.calls.map(({ operation }) => operation).filter((name) => !/\.(Get|Head)/.test(name))).toEqual(
      [],
    );
    expect((await bootstrap({ backend: "gcs", bucket: "x" })).result).toBeUndefined();
    expect((await s3.send(new ListObjectsV2Command(bucket))).KeyCount).toBe(0);
  });
});
