import { createS3Bucket, createS3Client } from "@wfctl/object-store";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

describe("infra.storage", () => {
  const cloud = useDigitalOcean({ spaces: true });
  const driver = cloud.driver("infra.storage");
  let objects: (bucket: string, region?: string) => ReturnType<typeof createS3Bucket>;
  beforeAll(() => {
    const credentials = {
      accessKeyId: cloud.config["spaces_access_key"] as string,
      secretAccessKey: cloud.config["spaces_secret_key"] as string,
    };
    objects = (bucket, region = "nyc3") =>
      createS3Bucket(createS3Client({ endpoint: cloud.emulator.spacesUrl, region, credentials }), bucket);
  });

  test("goes through its life", async () => {
    const config = {
      region: "fra1",
      public: true,
      versioning: true,
      cors_rules: [{ allowed_methods: ["GET"], allowed_origins: ["https://example.com"], max_age_seconds: 60 }],
      lifecycle_rules: [{ id: "old", prefix: "logs/", expiration_days: 30, noncurrent_version_expiration_days: 7 }],
      policy: { Version: "2012-10-17", Statement: [] },
      cdn: { ttl: 600 },
    };
    const made = await driver.create("assets", config);
    expect(made).toMatchObject({
      providerId: "assets",
      created: true,
      outputs: { region: "fra1", cdn_endpoint: "assets.fra1.cdn.digitaloceanspaces.com" },
    });
    const bucket = cloud.account.buckets.get("assets")!;
    expect(bucket).toMatchObject({ region: "fra1", acl: "public-read", versioning: "Enabled" });
    await expectQuiet(driver, "assets", config, "assets");

    const changed = { region: "fra1", public: false, versioning: false, force_destroy: true };
    expect(await changedPaths(driver, "assets", changed, "assets")).toEqual([
      "acl",
      "cdn",
      "cors_rules",
      "force_destroy",
      "lifecycle_rules",
      "policy",
      "versioning",
    ]);
    await driver.update("assets", "assets", changed);
    expect(bucket).toMatchObject({ acl: "private", versioning: "Suspended" });
    expect([...bucket.documents]).toEqual([]);
    expect((await cloud.raw("GET", "cdn/endpoints")).body.endpoints).toEqual([]);
    await expectQuiet(driver, "assets", changed, "assets");

    bucket.acl = "public-read";
    expect(await changedPaths(driver, "assets", changed, "assets")).toEqual(["acl"]);
    expect(await changedPaths(driver, "assets", { ...changed, region: "nyc3" }, "assets")).toEqual(["acl", "region!"]);
    expect((await driver.import("assets"))?.outputs["region"]).toBe("fra1");
    expect((await driver.list()).map(({ providerId }) => providerId)).toEqual(["assets"]);

    await objects("assets", "fra1").put("a/b.txt", "hello");
    await driver.delete("assets", "assets");
    expect(cloud.account.buckets.size).toBe(0);
    expect(await driver.read("assets", "assets")).toBeUndefined();
    await driver.delete("assets", "assets");
  });

  test("a bucket with objects is not deleted unless that was asked for", async () => {
    await driver.create("full", { versioning: true });
    await objects("full").put("x", "1");
    await objects("full").delete("x");
    await expect(driver.delete("full", "full")).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining("force_destroy"),
    });
    await driver.update("full", "full", { versioning: true, force_destroy: true });
    await driver.delete("full", "full");
    expect(cloud.account.buckets.size).toBe(0);
  });

  test("a name that is taken is not taken over, a bad one is refused, a lost reply loses nothing", async () => {
    await driver.create("mine", {});
    await expect(driver.create("mine", {})).rejects.toMatchObject({ class: "already_exists" });
    await expect(driver.create("Bad_Name", {})).rejects.toMatchObject({ class: "validation" });
    cloud.emulator.spaces.faults.add({ method: "PUT", path: "^/lost$", effect: "lose_reply" });
    await expect(driver.create("lost", {})).rejects.toMatchObject({ class: "transient" });
    expect((await driver.read("lost", ""))?.providerId).toBe("lost");
    for (const name of ["mine", "lost"]) await driver.delete(name, name);
  });
});

describe("infra.spaces_key", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.spaces_key");

  test("goes through its life", async () => {
    const config = {
      grants: [
        { bucket: "assets", permission: "read" },
        { bucket: "logs", permission: "readwrite" },
      ],
    };
    const made = await driver.create("reader", config);
    const id = made.providerId;
    expect(made.sensitive).toEqual(expect.arrayContaining(["access_key", "secret_key"]));
    expect(made.outputs).toMatchObject({ name: "reader", access_key: id, secret_key: expect.any(String) });
    await expectQuiet(driver, "reader", { grants: config.grants.toReversed() }, id);
    const changed = { name: "writer", grants: [{ permission: "fullaccess" }] };
    expect(await changedPaths(driver, "reader", changed, id)).toEqual(["grants", "name"]);
    await driver.update("reader", id, changed);
    expect((await cloud.raw("GET", `spaces/keys/${id}`)).body.key).toMatchObject({
      name: "writer",
      grants: [{ bucket: "", permission: "fullaccess" }],
    });
    await expectQuiet(driver, "reader", changed, id);
    await cloud.raw("PUT", `spaces/keys/${id}`, { name: "writer", grants: [] });
    expect(await changedPaths(driver, "reader", changed, id)).toEqual(["grants"]);
    for (const handle of [id, "writer"]) expect((await driver.import(handle))?.providerId).toBe(id);
    await driver.delete("reader", id);
    expect((await cloud.raw("GET", `spaces/keys/${id}`)).status).toBe(404);
    await driver.delete("reader", id);
  });

  test("a key whose answer was lost is replaced at once: its secret would be lost", async () => {
    cloud.emulator.faults.add({ operation: "spacesKey_create", effect: "lose_reply" });
    const made = await driver.create("once", {});
    expect(made.outputs["secret_key"]).toEqual(expect.any(String));
    expect(cloud.account.spacesKeys.all()).toHaveLength(1);
    await expect(driver.create("once", {})).rejects.toMatchObject({ class: "already_exists" });
    await driver.delete("once", made.providerId);
  });
});
