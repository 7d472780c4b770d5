import { DescribeSubnetsCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  AddTagsToResourceCommand,
  CreateReplicationGroupCommand,
  DescribeCacheSubnetGroupsCommand,
  DescribeReplicationGroupsCommand,
  ElastiCacheClient,
  ListTagsForResourceCommand,
  ModifyReplicationGroupCommand,
} from "@aws-sdk/client-elasticache";
import type { JsonObject } from "@wfctl/model";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { createInPieces, expectMended, isMotoMissing, useAws } from "../../test/testing/harness.ts";

describe.skipIf(isMotoMissing)("infra.cache", () => {
  const cloud = useAws();
  const driver = cloud.driver("infra.cache");
  let client: ElastiCacheClient;
  let subnets: string[];
  beforeAll(async () => {
    client = new ElastiCacheClient(cloud.sdk);
    const found = await new EC2Client(cloud.sdk).send(new DescribeSubnetsCommand({}));
    subnets = found.Subnets!.map(({ SubnetId }) => SubnetId!).slice(0, 3);
  });
  const groups = async () => (await client.send(new DescribeReplicationGroupsCommand({}))).ReplicationGroups!;
  const subnetGroups = async () =>
    (await client.send(new DescribeCacheSubnetGroupsCommand({}))).CacheSubnetGroups!.map(
      ({ CacheSubnetGroupName }) => CacheSubnetGroupName!,
    );
  const tagsOf = async (arn: string) =>
    Object.fromEntries(
      (await client.send(new ListTagsForResourceCommand({ ResourceName: arn }))).TagList!.map(({ Key, Value }) => [
        Key!,
        Value!,
      ]),
    );

  test("whose nodes a server neither shows nor changes takes other changes", async () => {
    cloud.proxy.rewrite("elasticache.DescribeReplicationGroups", (body) =>
      body.replaceAll(/(<MemberClusters>\s*<ClusterId>[^<]*<\/ClusterId>)(?:\s*<ClusterId>[^<]*<\/ClusterId>)+/g, "$1"),
    );
    cloud.proxy.fail({ operation: /ReplicaCount$/, times: 99, fault: { error: "InternalFailure", status: 501 } });
    const config = { num_cache_clusters: 2, snapshot_retention_days: 1 };
    const { providerId: id } = await driver.create("few", config, { token: "t-few" });
    await expectQuiet(driver, "few", config, id);
    expect(await changedPaths(driver, "few", { ...config, num_cache_clusters: 3 }, id)).toEqual(["num_cache_clusters"]);
    await driver.update("few", id, { ...config, snapshot_retention_days: 2 });
    await expectQuiet(driver, "few", { ...config, snapshot_retention_days: 2 }, id);
    await expect(driver.update("few", id, { ...config, num_cache_clusters: 3 })).rejects.toMatchObject({
      message: expect.stringContaining("may not offer elasticache:IncreaseReplicaCount") as string,
    });
    await driver.delete("few", id);
    // Marks are what this test is about.
    cloud.proxy.reset();
  });

  test("goes through its life", async () => {
    const config: JsonObject = {
      engine_version: "7.1",
      num_cache_clusters: 2,
      subnet_ids: subnets.slice(0, 2),
      security_group_ids: ["sg-0123"],
      transit_encryption: true,
      auth_token: "first-secret-token",
      tags: { env: "test" },
    };
    const made = await driver.create("sessions", config, { token: "t-sessions", owner: "line/sessions" });
    const id = made.providerId;
    const arn = `arn:aws:elasticache:us-east-1:${cloud.accountId}:replicationgroup:sessions`;
    expect(made).toMatchObject({
      providerId: "sessions",
      created: true,
      outputs: {
        arn,
        status: "available",
        description: "sessions",
        endpoint: expect.stringMatching(/^master\..+:6379$/),
        engine_version: "7.1.0",
        subnet_group_name: "sessions-subnets",
      },
    });
    expect(JSON.stringify(made)).not.toContain("first-secret-token");
    const tags = await tagsOf(arn);
    expect(tags).toMatchObject({ env: "test", "wfctl:owner": "line/sessions", "wfctl:token": "t-sessions" });
    expect(await groups()).toMatchObject([{ AutomaticFailover: "enabled", TransitEncryptionEnabled: true }]);
    expect((await groups())[0]?.MemberClusters).toHaveLength(2);
    await expectQuiet(driver, "sessions", config, id);

    const changed: JsonObject = {
      ...config,
      node_type: "cache.m5.large",
      num_cache_clusters: 3,
      multi_az: true,
      subnet_ids: subnets,
      security_group_ids: ["sg-0456"],
      auth_token: "second-secret-token",
      snapshot_retention_days: 3,
      maintenance_window: "mon:01:00-mon:02:00",
      tags: {},
    };
    expect(await changedPaths(driver, "sessions", changed, id)).toEqual([
      "maintenance_window",
      "multi_az",
      "node_type",
      "num_cache_clusters",
      "security_group_ids",
      "snapshot_retention_days",
      "subnet_ids",
      "tags.env",
    ]);
    await driver.update("sessions", id, changed);
    await expectQuiet(driver, "sessions", changed, id);
    expect(await groups()).toMatchObject([
      { CacheNodeType: "cache.m5.large", MultiAZ: "enabled", SnapshotRetentionLimit: 3 },
    ]);
    expect((await groups())[0]?.MemberClusters).toHaveLength(3);
    expect(cloud.proxy.calls.some(({ body }) => body.includes("second-secret-token"))).toBe(true);
    expect((await tagsOf(arn))["wfctl:auth-token"]).not.toBe(tags["wfctl:auth-token"]);

    cloud.proxy.reset();
    await driver.update("sessions", id, changed);
    const writes = cloud.proxy.calls.filter(({ operation }) => !/\.(?:Describe|List|Get)/.test(operation));
    expect(writes.map(({ operation }) => operation)).toEqual([]);

    // A group that is at something else is waited for.
    const fault = { error: "InvalidReplicationGroupState" };
    cloud.proxy.fail({ operation: /elasticache\.(?:Modify|Decrease)/, fault });
    const less = { ...changed, num_cache_clusters: 1, multi_az: false };
    await driver.update("sessions", id, less);
    await expectQuiet(driver, "sessions", less, id);
    expect(await groups()).toMatchObject([{ AutomaticFailover: "disabled", MemberClusters: ["sessions-001"] }]);

    const drift = { ReplicationGroupId: id, ReplicationGroupDescription: "by hand", ApplyImmediately: true };
    await client.send(new ModifyReplicationGroupCommand({ ...drift, CacheNodeType: "cache.t3.small" }));
    await client.send(new AddTagsToResourceCommand({ ResourceName: arn, Tags: [{ Key: "by", Value: "hand" }] }));
    expect(await changedPaths(driver, "sessions", less, id)).toEqual(["node_type", "tags.by"]);
    await driver.update("sessions", id, less);
    await expectQuiet(driver, "sessions", less, id);

    for (const by of [id, arn]) {
      expect(await driver.import(by)).toMatchObject({ providerId: id, inputs: { node_type: "cache.m5.large" } });
    }
    const known = (await driver.read("sessions", id))!;
    for (const other of [{ port: 6380 }, { at_rest_encryption: true }, { replication_group_id: "other" }]) {
      expect((await driver.diff("sessions", { ...less, ...other }, known)).needsReplace).toBe(true);
    }
    await driver.delete("sessions", id);
    expect([await groups(), (await subnetGroups()).includes("sessions-subnets")]).toEqual([[], false]);
    expect(await driver.read("sessions", id)).toBeUndefined();
    await driver.delete("sessions", id);
  });

  test("has shards that can become more and fewer", async () => {
    const config = { num_shards: 2, replicas_per_shard: 1 };
    const made = await driver.create("sharded", config);
    expect(made.outputs["endpoint"]).toMatch(/^clustercfg\./);
    await expectQuiet(driver, "sharded", config, made.providerId);
    for (const change of [
      { num_shards: 3, replicas_per_shard: 2 },
      { num_shards: 1, replicas_per_shard: 0 },
    ]) {
      await driver.update("sharded", made.providerId, change);
      await expectQuiet(driver, "sharded", change, made.providerId);
    }
    await driver.delete("sharded", made.providerId);
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    const config = { subnet_ids: subnets };
    expect(await createInPieces(cloud, () => driver.create("cut", config, { token: "t-cut" }))).toBe(2);
    expect([(await groups()).length, (await subnetGroups()).includes("cut-subnets")]).toEqual([1, true]);
    const found = await driver.lookup("cut", "t-cut");
    await expectQuiet(driver, "cut", config, found!.providerId);
    await driver.delete("cut", found!.providerId);
    expect(await driver.lookup("cut", "t-cut")).toBeUndefined();
  });

  test("of a create that fails at the group nothing is lost", async () => {
    const config = { subnet_ids: subnets, replication_group_id: "other" };
    await expectMended(cloud, driver, { operation: "elasticache.CreateReplicationGroup", name: "mended", config });
    expect(await subnetGroups()).not.toContain("other-subnets");
  });

  test("a killed create is found by its token before there is a group, and is destroyed whole", async () => {
    cloud.proxy.onAnswer("elasticache.CreateCacheSubnetGroup", () => cloud.plugin.kill());
    const failure = driver.create("killed", { subnet_ids: subnets }, { token: "t-killed" });
    await expect(failure).rejects.toMatchObject({ class: "transient" });
    cloud.proxy.reset();
    await cloud.restart();
    const found = await driver.lookup("killed", "t-killed");
    expect(found?.outputs).toMatchObject({ status: "incomplete" });
    await driver.delete("killed", found!.providerId);
    expect(await subnetGroups()).not.toContain("killed-subnets");
  });

  test("does not take over the group of another", async () => {
    await client.send(
      new CreateReplicationGroupCommand({ ReplicationGroupId: "theirs", ReplicationGroupDescription: "Theirs" }),
    );
    await expect(driver.create("theirs", {})).rejects.toMatchObject({ class: "already_exists" });
    await driver.setOwner("theirs", "theirs", "line/x");
    expect(await driver.getOwner("theirs", "theirs")).toBe("line/x");
    expect(await driver.list()).toContainEqual(expect.objectContaining({ name: "theirs", providerId: "theirs" }));
    await driver.delete("theirs", "theirs");
  });

  test("a size reaches its nodes, in a region of its own", async () => {
    const sizing = await driver.sizing("l");
    expect(sizing).toMatchObject({ instance_type: "", node_type: "cache.r6g.2xlarge" });
    const config = { region: "eu-west-1", node_type: sizing["node_type"]! };
    const made = await driver.create("far", config, { token: "t-far" });
    expect(made).toMatchObject({ providerId: "far@eu-west-1", outputs: { node_type: "cache.r6g.2xlarge" } });
    await expectQuiet(driver, "far", config, made.providerId);
    expect((await driver.lookup("far", "t-far"))?.providerId).toBe(made.providerId);
    await driver.delete("far", made.providerId);
  });

  test.each([
    [{ node_type: "t3.micro" }, "node type"],
    [{ auth_token: "sixteen-letters!" }, "transit_encryption"],
    [{ multi_az: true }, "automatic_failover"],
    [{ num_shards: 2, num_cache_clusters: 2 }, "num_shards"],
    [{ engine: "memcached" }, "engine"],
  ])("refuses %j", async (config, word) => {
    await expect(driver.create("refused", config)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(word),
    });
  });
});
