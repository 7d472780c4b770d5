import { CreateSecurityGroupCommand, CreateSubnetCommand, CreateVpcCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  CreateDBInstanceCommand,
  DescribeDBInstancesCommand,
  DescribeDBParameterGroupsCommand,
  DescribeDBSubnetGroupsCommand,
  ListTagsForResourceCommand,
  ModifyDBInstanceCommand,
  RDSClient,
} from "@aws-sdk/client-rds";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { createInPieces, expectMended, isMotoMissing, useAws } from "../../test/testing/harness.ts";

const password = "correct-horse-battery";

describe.skipIf(isMotoMissing)("infra.database", () => {
  const cloud = useAws();
  const driver = cloud.driver("infra.database");
  let rds: RDSClient;
  let network: { subnet_ids: string[]; security_group_ids: string[] };
  beforeAll(async () => {
    rds = new RDSClient(cloud.sdk);
    const ec2 = new EC2Client(cloud.sdk);
    const { Vpc: vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
    const VpcId = vpc!.VpcId!;
    const subnets = await Promise.all(
      ["a", "b", "c"].map((zone, index) =>
        ec2.send(
          new CreateSubnetCommand({ VpcId, CidrBlock: `10.0.${index}.0/24`, AvailabilityZone: `us-east-1${zone}` }),
        ),
      ),
    );
    const group = await ec2.send(new CreateSecurityGroupCommand({ GroupName: "db", Description: "db", VpcId }));
    network = { subnet_ids: subnets.map(({ Subnet }) => Subnet!.SubnetId!), security_group_ids: [group.GroupId!] };
  });
  const arnOf = (identifier: string) => `arn:aws:rds:us-east-1:${cloud.accountId}:db:${identifier}`;
  async function inventory() {
    const { DBInstances: instances = [] } = await rds.send(new DescribeDBInstancesCommand({}));
    const { DBSubnetGroups: groups = [] } = await rds.send(new DescribeDBSubnetGroupsCommand({}));
    return { instances: instances.length, groups: groups.length };
  }
  const whole = () => ({
    ...network,
    subnet_ids: network.subnet_ids.slice(0, 2),
    engine: "postgres",
    engine_version: "16",
    instance_class: "db.t3.small",
    allocated_storage: 30,
    database_name: "shop",
    master_username: "shop",
    master_password: password,
    backup_retention_days: 3,
    deletion_protection: false,
    tags: { env: "test" },
  });

  test("has engine parameters in a group of its own, and gives them up", async () => {
    const groups = async () =>
      (await rds.send(new DescribeDBParameterGroupsCommand({}))).DBParameterGroups!.filter(
        ({ DBParameterGroupName: name }) => name?.startsWith("tuned-"),
      );
    const config = {
      engine: "postgres",
      engine_version: "16",
      master_password: password,
      parameters: { max_connections: 200, "rds.force_ssl": true },
    };
    const made = await driver.create("tuned", config, { token: "t-tuned" });
    const arn = made.providerId;
    expect(made.outputs["parameter_group_name"]).toMatch(/^tuned-postgres16-[0-9a-f]{8}$/);
    expect((await groups()).map(({ DBParameterGroupFamily }) => DBParameterGroupFamily)).toEqual(["postgres16"]);
    await expectQuiet(driver, "tuned", config, arn);
    expect((await driver.read("tuned", arn))!.inputs).toMatchObject({
      parameters: { max_connections: "200", "rds.force_ssl": "true" },
    });
    const changed = { ...config, parameters: { max_connections: 300 } };
    const paths = await changedPaths(driver, "tuned", changed, arn);
    expect(paths.every((path) => path.startsWith("parameters"))).toBe(true);
    await driver.update("tuned", arn, changed);
    await expectQuiet(driver, "tuned", changed, arn);

    // Another line of versions has parameters of its own.
    const upgraded = { ...changed, engine_version: "17" };
    await driver.update("tuned", arn, { ...upgraded, allow_major_version_upgrade: true });
    expect((await groups()).map(({ DBParameterGroupFamily }) => DBParameterGroupFamily)).toEqual(["postgres17"]);
    await expectQuiet(driver, "tuned", upgraded, arn);

    const { parameters: _parameters, ...plain } = upgraded;
    const live = (await driver.read("tuned", arn))!;
    expect((await driver.diff("tuned", plain, { ...live, inputs: upgraded })).needsUpdate).toBe(true);
    const bare = await driver.update("tuned", arn, plain);
    expect(bare.outputs["parameter_group_name"]).toMatch(/^default\./);
    expect(await groups()).toEqual([]);
    await expectQuiet(driver, "tuned", plain, arn);
    await driver.delete("tuned", arn);

    await expect(driver.create("vague", { parameters: { a: 1 } }, { token: "t-vague" })).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining("set engine_version"),
    });
  });

  test("a group of parameters that a failed create left is seen and goes", async () => {
    const config = { engine_version: "16", master_password: password, parameters: { max_connections: 200 } };
    await expectMended(cloud, driver, { operation: "rds.CreateDBInstance", name: "half-tuned", config });
    const { DBParameterGroups: left = [] } = await rds.send(new DescribeDBParameterGroupsCommand({}));
    expect(left.filter(({ DBParameterGroupName: name }) => name?.startsWith("half-tuned-"))).toEqual([]);
  });

  test("goes through its life", async () => {
    const made = await driver.create("orders", whole(), { token: "t-orders", owner: "line/orders" });
    const arn = arnOf("orders");
    expect(made).toMatchObject({
      providerId: arn,
      created: true,
      outputs: {
        db_status: "available",
        engine: "postgres",
        instance_class: "db.t3.small",
        allocated_storage: 30,
        arn,
      },
    });
    expect(made.outputs["endpoint"]).toBe(`${made.outputs["host"] as string}:5432`);
    expect(JSON.stringify(made)).not.toContain(password);
    expect(await inventory()).toEqual({ instances: 1, groups: 1 });
    const { DBInstances } = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: "orders" }));
    expect(DBInstances?.[0]).toMatchObject({ StorageEncrypted: true, PubliclyAccessible: false, DBName: "shop" });
    const { TagList } = await rds.send(new ListTagsForResourceCommand({ ResourceName: arn }));
    expect(TagList).toContainEqual({ Key: "wfctl:owner", Value: "line/orders" });
    await expectQuiet(driver, "orders", whole(), arn);

    const changed = {
      ...whole(),
      subnet_ids: network.subnet_ids,
      instance_class: "db.t3.medium",
      allocated_storage: 50,
      multi_az: true,
      master_password: `${password}-2`,
      tags: {},
    };
    const live = (await driver.read("orders", arn))!;
    const plan = await driver.diff("orders", changed, { ...live, inputs: whole() });
    expect(plan.changes.map(({ path }) => path).toSorted()).toEqual([
      "allocated_storage",
      "instance_class",
      "master_password",
      "multi_az",
      "subnet_ids",
      "tags.env",
    ]);
    expect(plan.needsReplace).toBe(false);
    expect(JSON.stringify(plan)).not.toContain(password);
    await driver.update("orders", arn, changed);
    expect((await driver.read("orders", arn))?.outputs).toMatchObject({
      instance_class: "db.t3.medium",
      multi_az: true,
    });
    expect(await inventory()).toEqual({ instances: 1, groups: 1 });
    await expectQuiet(driver, "orders", changed, arn);
    for (const other of [
      { engine: "mysql" },
      { database_name: "x" },
      { master_username: "y" },
      { storage_encrypted: false },
    ]) {
      expect((await driver.diff("orders", { ...changed, ...other }, live)).needsReplace).toBe(true);
    }
    expect(await driver.health("orders", arn)).toEqual({ healthy: true, message: "available" });

    await driver.delete("orders", arn);
    expect(await inventory()).toEqual({ instances: 0, groups: 0 });
    expect(await driver.read("orders", arn)).toBeUndefined();
    await driver.delete("orders", arn);
  });

  test("takes upstream's keys, and chooses what it leaves open", async () => {
    const config = { engine: "postgres", master_password: password };
    const made = await driver.create("plain", config);
    expect(made.outputs).toMatchObject({
      master_username: "postgres",
      instance_class: "db.t3.micro",
      allocated_storage: 20,
    });
    await expectQuiet(driver, "plain", config, made.providerId);
    await expectQuiet(
      driver,
      "plain",
      { ...config, master_username: "postgres", identifier: "plain" },
      made.providerId,
    );
    await driver.delete("plain", made.providerId);
  });

  test("has RDS keep the password where none is given", async () => {
    const made = await driver.create("kept", { engine: "mysql" });
    expect(made.outputs).toMatchObject({ master_username: "admin" });
    const { calls } = cloud.proxy;
    expect(calls.find(({ operation }) => operation === "rds.CreateDBInstance")?.body).toContain(
      "ManageMasterUserPassword=true",
    );
    await driver.delete("kept", made.providerId);
  });

  test("shows drift behind its back and repairs it", async () => {
    const { providerId: arn } = await driver.create("drift", whole());
    await rds.send(
      new ModifyDBInstanceCommand({
        DBInstanceIdentifier: "drift",
        DBInstanceClass: "db.m5.large",
        ApplyImmediately: true,
        BackupRetentionPeriod: 9,
      }),
    );
    expect(await changedPaths(driver, "drift", whole(), arn)).toEqual(["backup_retention_days", "instance_class"]);
    await driver.update("drift", arn, whole());
    await expectQuiet(driver, "drift", whole(), arn);
    await driver.delete("drift", arn);
  });

  test("is imported by ARN and identifier, and a taken identifier is no success", async () => {
    await rds.send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: "theirs",
        Engine: "mysql",
        DBInstanceClass: "db.t3.micro",
        AllocatedStorage: 20,
        MasterUsername: "root",
        MasterUserPassword: password,
      }),
    );
    for (const id of ["theirs", arnOf("theirs")]) {
      expect(await driver.import(id)).toMatchObject({
        name: "theirs",
        providerId: arnOf("theirs"),
        inputs: { engine: "mysql" },
      });
    }
    expect(await driver.import("nobody")).toBeUndefined();
    await expect(driver.create("theirs", whole())).rejects.toMatchObject({ class: "already_exists" });
    expect(await driver.list()).toContainEqual(expect.objectContaining({ name: "theirs" }));
    await driver.setOwner("theirs", arnOf("theirs"), "line/x");
    expect(await driver.getOwner("theirs", arnOf("theirs"))).toBe("line/x");
    const moved = await driver.diff(
      "theirs",
      { engine: "mysql", subnet_ids: network.subnet_ids },
      (await driver.read("theirs", "theirs"))!,
    );
    expect(moved.needsReplace).toBe(true);
    await driver.delete("theirs", arnOf("theirs"));
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    expect(await createInPieces(cloud, () => driver.create("cut", whole(), { token: "t-cut" }))).toBe(2);
    expect(await inventory()).toEqual({ instances: 1, groups: 1 });
    expect(await driver.lookup("cut", "t-cut")).toMatchObject({ providerId: arnOf("cut") });
    await driver.delete("cut", arnOf("cut"));
  });

  test("a create whose process dies before the instance is there is found by its token and finished", async () => {
    cloud.proxy.onAnswer("rds.CreateDBSubnetGroup", () => cloud.plugin.kill());
    await expect(driver.create("killed", whole(), { token: "t-killed" })).rejects.toMatchObject({ class: "transient" });
    cloud.proxy.reset();
    await cloud.restart();
    expect(await driver.lookup("killed", "t-killed")).toMatchObject({ outputs: { db_status: "incomplete" } });
    const made = await driver.create("killed", whole(), { token: "t-killed" });
    await driver.delete("killed", made.providerId);
    expect(await driver.lookup("killed", "t-killed")).toBeUndefined();
    expect(await inventory()).toEqual({ instances: 0, groups: 0 });
  });

  test("of a create that fails at the instance nothing is lost", async () => {
    const config = { ...whole(), identifier: "other" };
    await expectMended(cloud, driver, { operation: "rds.CreateDBInstance", name: "mended", config });
    expect(await inventory()).toEqual({ instances: 0, groups: 0 });
  });

  test("waits until it is available, and says why it cannot be", async () => {
    let looks = 0;
    const config = { master_password: password };
    cloud.proxy.rewrite("rds.DescribeDBInstances", (body) => {
      looks += 1;
      return looks <= 3 ? body.replaceAll(">available<", ">creating<") : undefined;
    });
    const { providerId: arn } = await driver.create("slow", config);
    expect(looks).toBeGreaterThan(3);
    cloud.proxy.reset();
    cloud.proxy.rewrite("rds.DescribeDBInstances", (body) => body.replaceAll(">available<", ">storage-full<"));
    await expect(driver.update("slow", arn, config)).rejects.toMatchObject({
      message: expect.stringContaining("storage-full"),
    });
    cloud.proxy.reset();
    await driver.delete("slow", arn);
  });

  test("keeps a protected one, and takes a last snapshot where it is asked to", async () => {
    const config = { master_password: password, deletion_protection: true, final_snapshot: true };
    const { providerId: arn } = await driver.create("precious", config);
    await expect(driver.delete("precious", arn)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining("deletion_protection"),
    });
    await driver.update("precious", arn, { ...config, deletion_protection: false });
    await driver.delete("precious", arn);
    const call = cloud.proxy.calls.findLast(({ operation }) => operation === "rds.DeleteDBInstance");
    expect(call?.body).toMatch(/FinalDBSnapshotIdentifier=precious-final-[0-9a-f]{8}/);
  });

  test.each([
    [{ master_username: "admin" }, "reserved"],
    [{ subnet_ids: ["subnet-1"] }, "subnet_ids"],
    [{ master_password: "short" }, "master_password"],
    [{ instance_class: "t3.micro" }, "class"],
    [{ identifier: "Bad_Name" }, "identifier"],
  ])("refuses %j, without saying the password", async (config, word) => {
    const failure = await driver
      .create("refused", { master_password: password, ...config })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ class: "validation", message: expect.stringContaining(word) });
    expect((failure as Error).message).not.toContain(password);
  });

  test("tiers reach class and storage", async () => {
    expect(await driver.sizing("m")).toEqual({
      instance_class: "db.r6g.large",
      allocated_storage: 100,
      instance_type: "db.r6g.large",
    });
  });
});
