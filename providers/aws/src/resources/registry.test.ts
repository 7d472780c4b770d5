import {
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  ListTagsForResourceCommand,
  PutImageCommand,
  PutImageTagMutabilityCommand,
  TagResourceCommand,
} from "@aws-sdk/client-ecr";
import type { JsonObject } from "@wfctl/model";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { createInPieces, isMotoMissing, useAws } from "../../test/testing/harness.ts";

const expire = (count: number): JsonObject => ({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: count },
      action: { type: "expire" },
    },
  ],
});

describe.skipIf(isMotoMissing)("infra.registry", () => {
  const cloud = useAws();
  const driver = cloud.driver("infra.registry");
  let ecr: ECRClient;
  beforeAll(() => {
    ecr = new ECRClient(cloud.sdk);
  });
  const names = async () =>
    (await ecr.send(new DescribeRepositoriesCommand({}))).repositories!.map(({ repositoryName }) => repositoryName!);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: { mediaType: "x", size: 1, digest: "sha256:0" },
    layers: [],
  });

  test("goes through its life", async () => {
    const config: JsonObject = {
      scan_on_push: true,
      lifecycle_policy: JSON.stringify(expire(10), null, 2),
      repository_policy: {
        Version: "2012-10-17",
        Statement: [{ Sid: "pull", Effect: "Allow", Principal: "*", Action: ["ecr:BatchGetImage"] }],
      },
      tags: { env: "test" },
    };
    const made = await driver.create("web", config, { token: "t-web", owner: "line/web" });
    const arn = made.providerId;
    const uri = `${cloud.accountId}.dkr.ecr.us-east-1.amazonaws.com/web`;
    expect(made).toMatchObject({
      created: true,
      outputs: { arn, uri, endpoint: uri, registry_id: cloud.accountId, repository_name: "web" },
    });
    const { tags } = await ecr.send(new ListTagsForResourceCommand({ resourceArn: arn }));
    expect(tags).toContainEqual({ Key: "wfctl:owner", Value: "line/web" });
    const policy = await ecr.send(new GetLifecyclePolicyCommand({ repositoryName: "web" }));
    expect(JSON.parse(policy.lifecyclePolicyText!)).toEqual(expire(10));
    await expectQuiet(driver, "web", config, arn);
    await expectQuiet(driver, "web", { ...config, lifecycle_policy: expire(10) }, arn);

    const changed = {
      immutable_tags: true,
      lifecycle_policy: expire(5),
      force_delete: true,
      tags: { env: "two" },
    };
    expect(await changedPaths(driver, "web", changed, arn)).toEqual([
      "force_delete",
      "immutable_tags",
      "lifecycle_policy",
      "repository_policy",
      "scan_on_push",
      "tags.env",
    ]);
    await driver.update("web", arn, changed);
    await expectQuiet(driver, "web", changed, arn);
    const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["web"] }));
    expect(repositories).toMatchObject([
      { imageTagMutability: "IMMUTABLE", imageScanningConfiguration: { scanOnPush: false } },
    ]);
    await expect(ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "web" }))).rejects.toMatchObject({
      name: "RepositoryPolicyNotFoundException",
    });

    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName: "web", imageTagMutability: "MUTABLE" }));
    await ecr.send(new TagResourceCommand({ resourceArn: arn, tags: [{ Key: "by", Value: "hand" }] }));
    expect(await changedPaths(driver, "web", changed, arn)).toEqual(["immutable_tags", "tags.by"]);
    await driver.update("web", arn, changed);
    await expectQuiet(driver, "web", changed, arn);

    for (const id of [arn, "web", uri]) {
      expect(await driver.import(id)).toMatchObject({ providerId: arn, inputs: { immutable_tags: true } });
    }
    const known = (await driver.read("web", arn))!;
    for (const other of [{ repository_name: "team/web" }, { encryption: "KMS" }]) {
      expect((await driver.diff("web", { ...changed, ...other }, known)).needsReplace).toBe(true);
    }
    await driver.delete("web", arn);
    expect(await names()).toEqual([]);
    expect(await driver.read("web", arn)).toBeUndefined();
    await driver.delete("web", arn);
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    const config = { lifecycle_policy: expire(3) };
    expect(await createInPieces(cloud, () => driver.create("cut", config, { token: "t-cut" }))).toBe(2);
    expect(await names()).toEqual(["cut"]);
    const found = await driver.lookup("cut", "t-cut");
    await expectQuiet(driver, "cut", config, found!.providerId);
    await driver.delete("cut", found!.providerId);
    expect(await driver.lookup("cut", "t-cut")).toBeUndefined();
  });

  test("a killed create is found by its token, and ends when it is repeated", async () => {
    cloud.proxy.onAnswer("ecr.CreateRepository", () => cloud.plugin.kill());
    const config = { lifecycle_policy: expire(3) };
    await expect(driver.create("killed", config, { token: "t-killed" })).rejects.toMatchObject({ class: "transient" });
    cloud.proxy.reset();
    await cloud.restart();
    const found = await driver.lookup("killed", "t-killed");
    const made = await driver.create("killed", config, { token: "t-killed" });
    expect([made.providerId, await names()]).toEqual([found?.providerId, ["killed"]]);
    await driver.delete("killed", made.providerId);
  });

  test("a replacement is made beside the old repository", async () => {
    const old = await driver.create("api", {}, { token: "t-old" });
    const made = await driver.create("api", { encryption: "KMS" }, { token: "t-new" });
    expect(made.outputs["repository_name"]).toMatch(/^api-[0-9a-f]{8}$/);
    await expectQuiet(driver, "api", { encryption: "KMS" }, made.providerId);
    await driver.delete("api", old.providerId);
    await driver.delete("api", made.providerId);
    expect(await names()).toEqual([]);
  });

  test("keeps images unless it was told to delete them", async () => {
    const made = await driver.create("full", {});
    await ecr.send(new PutImageCommand({ repositoryName: "full", imageManifest: manifest, imageTag: "v1" }));
    await expect(driver.delete("full", made.providerId)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining("force_delete"),
    });
    await driver.update("full", made.providerId, { force_delete: true });
    await driver.delete("full", made.providerId);
    expect(await names()).toEqual([]);
  });

  test("does not take over the repository of another", async () => {
    const { repository } = await ecr.send(new CreateRepositoryCommand({ repositoryName: "theirs" }));
    await expect(driver.create("theirs", {})).rejects.toMatchObject({ class: "already_exists" });
    const arn = repository!.repositoryArn!;
    await driver.setOwner("theirs", arn, "line/x");
    expect(await driver.getOwner("theirs", arn)).toBe("line/x");
    expect(await driver.list()).toContainEqual(expect.objectContaining({ providerId: arn, name: "theirs" }));
    await driver.delete("theirs", arn);
  });

  test("works in a region of its own", async () => {
    const config = { region: "eu-west-1" };
    const made = await driver.create("far", config, { token: "t-far" });
    expect(made.providerId).toContain(":ecr:eu-west-1:");
    await expectQuiet(driver, "far", config, made.providerId);
    expect((await driver.lookup("far", "t-far"))?.providerId).toBe(made.providerId);
    await driver.delete("far", made.providerId);
  });

  test.each([
    [{ repository_name: "Upper" }, "lower-case"],
    [{ lifecycle_policy: "{}" }, "rules"],
    [{ repository_policy: "no json" }, "policy document"],
    [{ kms_key_arn: "arn:aws:kms:x" }, "KMS"],
  ])("refuses %j", async (config, word) => {
    await expect(driver.create("refused", config)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(word),
    });
  });
});
