import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  ListBucketsCommand,
  PutBucketCorsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  CreateBucketCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { isMotoMissing, useAws } from "../../test/testing/harness.ts";

describe.skipIf(isMotoMissing)("infra.storage", () => {
  const cloud = useAws({ default_tags: { team: "blue" } });
  const driver = cloud.driver("infra.storage");
  let s3: S3Client;
  beforeAll(() => {
    s3 = new S3Client({ ...cloud.sdk, forcePathStyle: true });
  });

  const full = {
    versioning: true,
    encryption: { algorithm: "aws:kms", bucket_key_enabled: true },
    public_access_block: { block_public_acls: true, block_public_policy: false },
    policy: {
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Principal: "*", Action: ["s3:GetObject"], Resource: "arn:aws:s3:::full-bucket/*" },
    },
    lifecycle_rules: [
      { id: "logs", prefix: "logs/", expiration_days: 30, transitions: [{ days: 10, storage_class: "GLACIER" }] },
      { id: "parts", abort_incomplete_upload_days: 3 },
    ],
    cors_rules: [{ allowed_methods: ["GET"], allowed_origins: ["https://example.com"], max_age_seconds: 60 }],
    website: { index_document: "index.html" },
    tags: { env: "test" },
  };

  test("goes through its life", async () => {
    const made = await driver.create("full-bucket", full, { token: "t-full", owner: "line/full-bucket" });
    expect(made).toMatchObject({
      providerId: "full-bucket",
      created: true,
      outputs: {
        bucket_name: "full-bucket",
        region: "us-east-1",
        endpoint: "https://full-bucket.s3.us-east-1.amazonaws.com",
        arn: "arn:aws:s3:::full-bucket",
      },
    });
    const bucket = { Bucket: "full-bucket" };
    expect(await s3.send(new GetBucketVersioningCommand(bucket))).toMatchObject({ Status: "Enabled" });
    expect((await s3.send(new GetBucketLifecycleConfigurationCommand(bucket))).Rules).toHaveLength(2);
    expect((await s3.send(new GetPublicAccessBlockCommand(bucket))).PublicAccessBlockConfiguration).toMatchObject({
      BlockPublicAcls: true,
      BlockPublicPolicy: false,
      RestrictPublicBuckets: true,
    });
    const { TagSet } = await s3.send(new GetBucketTaggingCommand(bucket));
    expect(Object.fromEntries(TagSet!.map(({ Key, Value }) => [Key, Value]))).toMatchObject({
      team: "blue",
      env: "test",
      "wfctl:owner": "line/full-bucket",
      "wfctl:token": "t-full",
      "wfctl:name": "full-bucket",
    });
    await expectQuiet(driver, "full-bucket", full, "full-bucket");

    const { policy: _policy, website: _website, ...rest } = full;
    const changed = {
      ...rest,
      versioning: false,
      encryption: true,
      lifecycle_rules: [{ id: "parts", abort_incomplete_upload_days: 7 }],
      tags: { stage: "two" },
    };
    expect(await changedPaths(driver, "full-bucket", changed, "full-bucket")).toEqual([
      "encryption.algorithm",
      "encryption.bucket_key_enabled",
      "lifecycle_rules",
      "policy",
      "tags.env",
      "tags.stage",
      "versioning",
      "website",
    ]);
    await driver.update("full-bucket", "full-bucket", changed);
    expect(await s3.send(new GetBucketVersioningCommand(bucket))).toMatchObject({ Status: "Suspended" });
    const { ServerSideEncryptionConfiguration: encryption } = await s3.send(new GetBucketEncryptionCommand(bucket));
    expect(encryption?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm).toBe("AES256");
    await expectQuiet(driver, "full-bucket", changed, "full-bucket");

    await driver.delete("full-bucket", "full-bucket");
    expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).not.toContain("full-bucket");
    expect(await driver.read("full-bucket", "full-bucket")).toBeUndefined();
    await driver.delete("full-bucket", "full-bucket");
  });

  test("shows drift, and keeps quiet about what no configuration manages", async () => {
    const config = { lifecycle_rules: [{ id: "a", expiration_days: 3 }] };
    await driver.create("drifting", config);
    const cors = { CORSRules: [{ AllowedMethods: ["GET"], AllowedOrigins: ["*"] }] };
    await s3.send(new PutBucketCorsCommand({ Bucket: "drifting", CORSConfiguration: cors }));
    await expectQuiet(driver, "drifting", config, "drifting");
    const status = { Status: "Enabled" as const };
    await s3.send(new PutBucketVersioningCommand({ Bucket: "drifting", VersioningConfiguration: status }));
    expect(await changedPaths(driver, "drifting", config, "drifting")).toEqual(["versioning"]);
    await driver.update("drifting", "drifting", config);
    await expectQuiet(driver, "drifting", config, "drifting");
    // The part that is dropped is taken away, the one that never was configured stays.
    await driver.update("drifting", "drifting", {});
    await expect(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: "drifting" }))).rejects.toMatchObject({
      name: "NoSuchLifecycleConfiguration",
    });
    await driver.delete("drifting", "drifting");
  });

  test("is imported by name and by ARN, with what others configured", async () => {
    await s3.send(new CreateBucketCommand({ Bucket: "foreign-one" }));
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: [] });
    await s3.send(new PutBucketPolicyCommand({ Bucket: "foreign-one", Policy: policy }));
    for (const id of ["foreign-one", "arn:aws:s3:::foreign-one"]) {
      const imported = await driver.import(id);
      expect(imported).toMatchObject({ name: "foreign-one", providerId: "foreign-one" });
      expect(imported?.inputs).toMatchObject({ policy: '{"Statement":[],"Version":"2012-10-17"}' });
    }
    expect(await driver.import("no-such-bucket-anywhere")).toBeUndefined();
    await expectQuiet(
      driver,
      "foreign-one",
      { object_ownership: "ObjectWriter", public_access_block: false },
      "foreign-one",
    );
    await driver.delete("foreign-one", "foreign-one");
  });

  test("a name that is taken is no success, whoever has it", async () => {
    await s3.send(new CreateBucketCommand({ Bucket: "taken-bucket" }));
    await expect(driver.create("taken-bucket", {})).rejects.toMatchObject({ class: "already_exists" });
    cloud.proxy.fail({ operation: "s3.HeadBucket", fault: { error: "403", status: 403 } });
    cloud.proxy.fail({ operation: "s3.CreateBucket", fault: { error: "BucketAlreadyExists", status: 409 } });
    await expect(driver.create("of-another", {})).rejects.toMatchObject({
      class: "already_exists",
      message: expect.stringContaining("another account"),
    });
    await driver.delete("taken-bucket", "taken-bucket");
  });

  test.each([
    ["s3.CreateBucket", "lose-reply"],
    ["s3.PutBucketVersioning", "lose-reply"],
    ["s3.PutBucketVersioning", "drop"],
  ] as const)("a create whose %s ends with %s is finished by the same token", async (operation, fault) => {
    cloud.proxy.fail({ operation, fault });
    const config = { versioning: true, bucket: "lost-and-found" };
    await expect(driver.create("lost", config, { token: "t-lost" })).rejects.toMatchObject({ class: "transient" });
    expect(await driver.lookup("lost", "another")).toBeUndefined();
    expect(await driver.lookup("lost", "t-lost")).toMatchObject({ providerId: "lost-and-found" });
    const again = await driver.create("lost", config, { token: "t-lost" });
    expect([again.providerId, again.created]).toEqual(["lost-and-found", undefined]);
    await expectQuiet(driver, "lost", config, "lost-and-found");
    await expect(driver.create("lost", config, { token: "t-other" })).rejects.toMatchObject({
      class: "already_exists",
    });
    await driver.delete("lost", "lost-and-found");
  });

  test("a failure after the bucket was made does not claim that nothing happened", async () => {
    cloud.proxy.fail({ operation: "s3.PutBucketVersioning", fault: { error: "AccessDenied", status: 403 } });
    await expect(driver.create("half-made", { versioning: true }, { token: "t-half" })).rejects.toMatchObject({
      class: "unknown",
      partialId: "half-made",
      message: expect.stringContaining("s3:PutBucketVersioning"),
    });
    await driver.delete("half-made", "half-made");
  });

  test("holds on to objects unless it is told otherwise", async () => {
    await driver.create("with-objects", { versioning: true });
    for (const Key of ["a", "b", "a"]) await s3.send(new PutObjectCommand({ Bucket: "with-objects", Key, Body: "x" }));
    await expect(driver.delete("with-objects", "with-objects")).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining("force_destroy"),
    });
    await driver.update("with-objects", "with-objects", { versioning: true, force_destroy: true });
    await driver.delete("with-objects", "with-objects");
    expect(await driver.read("with-objects", "with-objects")).toBeUndefined();
  });

  test("lives in a region of its own", async () => {
    const made = await driver.create("in-europe", { region: "eu-central-1" });
    expect(made.outputs).toMatchObject({ region: "eu-central-1" });
    await expectQuiet(driver, "in-europe", { region: "eu-central-1" }, "in-europe");
    const elsewhere = await driver.diff(
      "in-europe",
      { region: "us-east-1" },
      (await driver.read("in-europe", "in-europe"))!,
    );
    expect(elsewhere.needsReplace).toBe(true);
    await driver.delete("in-europe", "in-europe");
  });

  test("is listed with its name and owner, and can be given an owner", async () => {
    await driver.create("listed", { bucket: "listed-bucket", tags: { env: "x" } }, { owner: "line/listed" });
    expect(await driver.list()).toContainEqual(
      expect.objectContaining({ name: "listed", providerId: "listed-bucket" }),
    );
    await driver.setOwner("listed", "listed-bucket", "line/other");
    expect(await driver.getOwner("listed", "listed-bucket")).toBe("line/other");
    await driver.delete("listed", "listed-bucket");
  });

  test.each([
    [{ bucket: "Not_A_Bucket" }, "bucket"],
    [{ object_lock_enabled: true }, "versioning"],
    [{ tags: { "aws:x": "1" } }, "tags"],
    [{ versioned: true }, 'did you mean "versioning"'],
  ])("refuses %j", async (config, word) => {
    await expect(driver.create("refused", config)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(word),
    });
  });
});
