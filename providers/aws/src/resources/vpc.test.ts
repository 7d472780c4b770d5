import assert from "node:assert/strict";
import {
  CreateSubnetCommand,
  CreateVpcCommand,
  DeleteRouteCommand,
  DeleteSubnetCommand,
  DescribeAddressesCommand,
  DescribeFlowLogsCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeRouteTablesCommand,
  DescribeSubnetsCommand,
  DeleteVpcEndpointsCommand,
  DescribeVpcEndpointsCommand,
  DescribeVpcsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "@wfctl/model";
import { changedPaths, expectQuiet, patiently } from "@wfctl/testkit/drive-expectations";
import { createInPieces, isMotoMissing, useAws } from "../../test/testing/harness.ts";

const whole = {
  cidr: "10.1.0.0/16",
  secondary_cidrs: ["10.2.0.0/16"],
  enable_dns_hostnames: true,
  subnets: {
    "public-a": { cidr: "10.1.0.0/24", zone: "a", public: true },
    "public-b": { cidr: "10.1.1.0/24", zone: "us-east-1b", public: true },
    "private-a": { cidr: "10.1.10.0/24", zone: "a" },
    "private-b": { cidr: "10.2.11.0/24", zone: "b", tags: { tier: "data" } },
  },
  nat_gateways: "per_zone",
  gateway_endpoints: ["s3"],
  tags: { env: "test" },
};

describe.skipIf(isMotoMissing)("infra.vpc", () => {
  const cloud = useAws({ default_tags: { team: "blue" } });
  const driver = cloud.driver("infra.vpc");
  let ec2: EC2Client;
  beforeAll(() => {
    ec2 = new EC2Client(cloud.sdk);
  });

  /** What there is beside the account's default VPC. */
  async function inventory() {
    const custom = { Filters: [{ Name: "is-default", Values: ["false"] }] };
    const { Vpcs: vpcs = [] } = await ec2.send(new DescribeVpcsCommand(custom));
    const ids = vpcs.map(({ VpcId }) => VpcId!);
    const within = (other: { VpcId?: string | undefined }) => ids.includes(other.VpcId!);
    const { Subnets: subnets = [] } = await ec2.send(new DescribeSubnetsCommand({}));
    const { InternetGateways: gateways = [] } = await ec2.send(new DescribeInternetGatewaysCommand({}));
    const { NatGateways: nats = [] } = await ec2.send(new DescribeNatGatewaysCommand({}));
    const { Addresses: addresses = [] } = await ec2.send(new DescribeAddressesCommand({}));
    const { RouteTables: tables = [] } = await ec2.send(new DescribeRouteTablesCommand({}));
    const { VpcEndpoints: endpoints = [] } = await ec2.send(new DescribeVpcEndpointsCommand({}));
    return {
      vpcs: vpcs.length,
      subnets: subnets.filter(within).length,
      gateways: gateways.length,
      nats: nats.filter(({ State }) => State !== "deleted").length,
      addresses: addresses.length,
      tables: tables.filter((table) => within(table) && !table.Associations?.some(({ Main }) => Main === true)).length,
      endpoints: endpoints.filter((endpoint) => within(endpoint) && String(endpoint.State) !== "deleted").length,
    };
  }
  const nothing = { vpcs: 0, subnets: 0, gateways: 0, nats: 0, addresses: 0, tables: 0, endpoints: 0 };
  const all = { vpcs: 1, subnets: 4, gateways: 1, nats: 2, addresses: 2, tables: 3, endpoints: 1 };
  afterEach(async () => {
    const left = await inventory();
    cloud.proxy.reset();
    // What one test leaves is no failure of the next.
    const custom = { Filters: [{ Name: "is-default", Values: ["false"] }] };
    const { Vpcs: vpcs = [] } = await ec2.send(new DescribeVpcsCommand(custom));
    for (const { VpcId: id } of vpcs) await driver.delete("left", id!).catch(() => {});
    assert.deepEqual(left, nothing);
  });

  test("has private ways to services, which follow its subnets and groups", async () => {
    const config = (
      more: JsonObject,
      subnets: JsonObject = {
        a: { cidr: "10.0.0.0/24", zone: "a" },
        b: { cidr: "10.0.1.0/24", zone: "b" },
      },
    ) => ({ enable_dns_hostnames: true, subnets, interface_endpoints: more });
    const one = config({ "ecr.api": { subnets: ["a"] } });
    const made = await driver.create("private", one, { token: "t-private" });
    const { providerId: id } = made;
    const endpoints = async () =>
      (await ec2.send(new DescribeVpcEndpointsCommand({ Filters: [{ Name: "vpc-id", Values: [id] }] }))).VpcEndpoints!;
    expect(await endpoints()).toMatchObject([
      {
        ServiceName: "com.amazonaws.us-east-1.ecr.api",
        VpcEndpointType: "Interface",
        PrivateDnsEnabled: true,
        VpcEndpointId: (made.outputs["endpoint_ids"] as Record<string, string>)["ecr.api"],
      },
    ]);
    await expectQuiet(driver, "private", one, id);
    // The order says nothing.
    const two = config({ "ecr.api": { subnets: ["b", "a"], private_dns: false }, logs: { subnets: ["b"] } });
    const again = config({ "ecr.api": { subnets: ["a", "b"], private_dns: false }, logs: { subnets: ["b"] } });
    expect(await changedPaths(driver, "private", two, id)).toEqual([
      "interface_endpoints.ecr.api.private_dns",
      "interface_endpoints.ecr.api.subnets",
      "interface_endpoints.logs",
    ]);
    await driver.update("private", id, two);
    await expectQuiet(driver, "private", two, id);
    await expectQuiet(driver, "private", again, id);
    // What another took away comes back.
    const { VpcEndpointId: lost } = (await endpoints()).find(({ ServiceName }) => ServiceName!.endsWith(".logs"))!;
    await ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: [lost!] }));
    expect(await changedPaths(driver, "private", two, id)).toEqual(["interface_endpoints.logs"]);
    await driver.update("private", id, two);
    // A subnet that is made anew is left before, and entered after.
    const moved = config(
      { "ecr.api": { subnets: ["a", "b"], private_dns: false }, logs: { subnets: ["b"] } },
      { a: { cidr: "10.0.0.0/24", zone: "a" }, b: { cidr: "10.0.7.0/24", zone: "b" } },
    );
    await driver.update("private", id, moved);
    await expectQuiet(driver, "private", moved, id);
    await driver.update("private", id, config({}));
    await expectQuiet(driver, "private", config({}), id);
    expect((await inventory()).endpoints).toBe(0);
    await driver.update("private", id, one);
    await driver.delete("private", id);
  });

  test.each([
    [{ subnets: ["nowhere"], private_dns: false }, 'there is no subnet "nowhere"'],
    [{ subnets: ["a"] }, "needs enable_dns_hostnames"],
  ])("refuses a private way that leads nowhere", async (endpoint, words) => {
    const config = { subnets: { a: { cidr: "10.0.0.0/24" } }, interface_endpoints: { logs: endpoint } };
    await expect(driver.create("refused", config)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(words) as string,
    });
  });

  test("writes its traffic down, to one place and then to another", async () => {
    const s3 = new S3Client({ ...cloud.sdk, forcePathStyle: true });
    for (const bucket of ["flows-one", "flows-two"]) await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const logged = (bucket: string, more: object = {}) => ({
      flow_log: { destination: `arn:aws:s3:::${bucket}`, ...more },
    });
    const { providerId: id } = await driver.create("watched", logged("flows-one"), { token: "t-watched" });
    const filter = [{ Name: "resource-id", Values: [id] }];
    const flows = async () =>
      (await ec2.send(new DescribeFlowLogsCommand({ Filter: filter }))).FlowLogs!.map(
        (log) => `${log.LogDestination} ${log.TrafficType} ${log.MaxAggregationInterval}`,
      );
    expect(await flows()).toEqual(["arn:aws:s3:::flows-one ALL 600"]);
    await expectQuiet(driver, "watched", logged("flows-one"), id);
    await driver.update("watched", id, logged("flows-two"));
    expect(await flows()).toEqual(["arn:aws:s3:::flows-two ALL 600"]);
    // To the same place: the old one has to go first.
    const often = logged("flows-two", { traffic: "REJECT", interval_seconds: 60 });
    await driver.update("watched", id, often);
    expect(await flows()).toEqual(["arn:aws:s3:::flows-two REJECT 60"]);
    await expectQuiet(driver, "watched", often, id);
    await expect(driver.update("watched", id, logged("no-such-bucket"))).rejects.toMatchObject({
      message: expect.stringContaining("does not exist"),
    });
    expect(await flows()).toEqual(["arn:aws:s3:::flows-two REJECT 60"]);
    await driver.update("watched", id, {});
    expect(await flows()).toEqual([]);
    await driver.update("watched", id, often);
    await driver.delete("watched", id);
    expect(await flows()).toEqual([]);
  });

  test("goes through its life", async () => {
    const made = await driver.create("net", whole, { token: "t-net", owner: "line/net" });
    const id = made.providerId;
    expect(id).toMatch(/^vpc-/);
    expect(await inventory()).toEqual(all);
    expect(made).toMatchObject({ created: true, outputs: { vpc_id: id, cidr: "10.1.0.0/16", state: "available" } });
    const names = made.outputs["subnet_ids"] as Record<string, string>;
    expect(Object.keys(names).toSorted()).toEqual(["private-a", "private-b", "public-a", "public-b"]);
    expect(made.outputs["public_subnet_ids"]).toEqual(expect.arrayContaining([names["public-a"], names["public-b"]]));
    expect(made.outputs["nat_public_ips"]).toHaveLength(2);
    const { Subnets: subnets } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [names["private-b"]!] }));
    expect(subnets?.[0]).toMatchObject({ AvailabilityZone: "us-east-1b", CidrBlock: "10.2.11.0/24" });
    expect(subnets?.[0]?.Tags).toEqual(
      expect.arrayContaining([
        { Key: "Name", Value: "net-private-b" },
        { Key: "team", Value: "blue" },
        { Key: "tier", Value: "data" },
        { Key: "wfctl:owner", Value: "line/net" },
      ]),
    );
    await expectQuiet(driver, "net", whole, id);

    const { "public-b": _gone, "private-b": moved, ...kept } = whole.subnets;
    const changed = {
      cidr: "10.1.0.0/16",
      secondary_cidrs: [],
      subnets: { ...kept, "private-b": { ...moved, cidr: "10.1.11.0/24" } },
      nat_gateways: "single",
      tags: { env: "two" },
    };
    expect(await changedPaths(driver, "net", changed, id)).toEqual([
      "gateway_endpoints",
      "nat_gateways",
      "secondary_cidrs",
      "subnets.private-b.cidr",
      "subnets.public-b",
      "tags.env",
    ]);
    const updated = await driver.update("net", id, changed);
    expect(await inventory()).toEqual({ ...all, subnets: 3, nats: 1, addresses: 1, tables: 2, endpoints: 0 });
    expect(updated.outputs["private_subnet_ids"]).toHaveLength(2);
    await expectQuiet(driver, "net", changed, id);
    const replaced = await driver.diff(
      "net",
      { ...changed, instance_tenancy: "dedicated" },
      (await driver.read("net", id))!,
    );
    expect(replaced.needsReplace).toBe(true);

    await driver.delete("net", id);
    expect(await driver.read("net", id)).toBeUndefined();
    await driver.delete("net", id);
  });

  test("needs nothing but its range, as upstream's stacks have it", async () => {
    const made = await driver.create("plain", { cidr: "10.9.0.0/16" });
    expect(made.outputs).toMatchObject({ state: "available", cidr: "10.9.0.0/16", vpc_id: made.providerId });
    await expectQuiet(driver, "plain", { cidr: "10.9.0.0/16" }, made.providerId);
    await driver.delete("plain", made.providerId);
  });

  test("shows drift behind its back and repairs it", async () => {
    const config = {
      subnets: { out: { cidr: "10.0.0.0/24", public: true }, in: { cidr: "10.0.1.0/24" } },
      nat_gateways: "single",
    };
    const { providerId: id, outputs } = await driver.create("drift", config);
    const names = outputs["subnet_ids"] as Record<string, string>;
    const tables = outputs["route_table_ids"] as Record<string, string>;
    await ec2.send(new DeleteRouteCommand({ RouteTableId: tables["public"]!, DestinationCidrBlock: "0.0.0.0/0" }));
    expect(await changedPaths(driver, "drift", config, id)).toContain("subnets.out.public");
    await driver.update("drift", id, config);
    await expectQuiet(driver, "drift", config, id);
    await ec2.send(new DeleteRouteCommand({ RouteTableId: tables["private"]!, DestinationCidrBlock: "0.0.0.0/0" }));
    expect(await changedPaths(driver, "drift", config, id)).toEqual(["nat_gateways"]);
    await ec2.send(new DeleteSubnetCommand({ SubnetId: names["in"]! }));
    expect(await changedPaths(driver, "drift", config, id)).toContain("subnets.in");
    await driver.update("drift", id, config);
    await expectQuiet(driver, "drift", config, id);
    // What others made inside is theirs.
    const other = await ec2.send(new CreateSubnetCommand({ VpcId: id, CidrBlock: "10.0.99.0/24" }));
    await expectQuiet(driver, "drift", config, id);
    await ec2.send(new DeleteSubnetCommand({ SubnetId: other.Subnet!.SubnetId! }));
    await driver.delete("drift", id);
  });

  test("is imported by id, ARN and name, and its subnets are taken over", async () => {
    const tags = [{ ResourceType: "vpc" as const, Tags: [{ Key: "Name", Value: "by-hand" }] }];
    const { Vpc: vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: "10.5.0.0/16", TagSpecifications: tags }));
    const id = vpc!.VpcId!;
    await ec2.send(new CreateSubnetCommand({ VpcId: id, CidrBlock: "10.5.1.0/24" }));
    const arn = `arn:aws:ec2:us-east-1:${cloud.accountId}:vpc/${id}`;
    for (const given of [id, arn, "by-hand", `${id}@us-east-1`]) {
      expect(await driver.import(given)).toMatchObject({
        name: "by-hand",
        providerId: id,
        inputs: { cidr: "10.5.0.0/16" },
      });
    }
    expect(await driver.import("vpc-00000000")).toBeUndefined();
    const config = { cidr: "10.5.0.0/16", subnets: { a: { cidr: "10.5.1.0/24" } } };
    await driver.update("by-hand", id, config, { owner: "line/by-hand" });
    expect((await inventory()).subnets).toBe(1);
    await expectQuiet(driver, "by-hand", config, id);
    expect(await driver.getOwner("by-hand", id)).toBe("line/by-hand");
    await driver.delete("by-hand", id);
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    const attempts = await createInPieces(cloud, () => driver.create("cut", whole, { token: "t-cut" }));
    expect(attempts).toBeGreaterThan(20);
    expect(await inventory()).toEqual(all);
    const found = await driver.lookup("cut", "t-cut");
    await expectQuiet(driver, "cut", whole, found!.providerId);
    await driver.delete("cut", found!.providerId);
  });

  test.each(["ec2.CreateVpc", "ec2.CreateSubnet", "ec2.CreateNatGateway"])(
    "a create whose process dies after %s is finished by another process",
    async (operation) => {
      const died = new Promise<void>((resolve) => {
        cloud.proxy.onAnswer(operation, async () => {
          resolve();
          await cloud.plugin.kill();
        });
      });
      await expect(driver.create("killed", whole, { token: "t-killed" })).rejects.toMatchObject({ class: "transient" });
      await died;
      cloud.proxy.reset();
      await cloud.restart();
      const made = await driver.create("killed", whole, { token: "t-killed" });
      expect(await inventory()).toEqual(all);
      await driver.delete("killed", made.providerId);
    },
  );

  test("waits for gateways, and says why one failed", async () => {
    let looks = 0;
    cloud.proxy.rewrite("ec2.DescribeNatGateways", (body) => {
      looks += 1;
      return looks <= 4 ? body.replaceAll("<state>available</state>", "<state>pending</state>") : undefined;
    });
    const config = { subnets: { out: { cidr: "10.0.0.0/24", public: true } }, nat_gateways: "single" };
    const made = await driver.create("slow", config);
    expect(looks).toBeGreaterThan(4);
    await driver.delete("slow", made.providerId);

    cloud.proxy.reset();
    cloud.proxy.rewrite("ec2.DescribeNatGateways", (body) =>
      body.replaceAll("<state>available</state>", "<state>failed</state><failureCode>Broken</failureCode>"),
    );
    const failure = await driver.create("broken", config).catch((error: unknown) => error);
    expect(failure).toMatchObject({ class: "unknown", message: expect.stringContaining("Broken") });
    cloud.proxy.reset();
    await driver.delete("broken", (failure as { partialId: string }).partialId);
  });

  test("names what holds a VPC that cannot be deleted", async () => {
    const made = await driver.create("held", { subnets: { a: { cidr: "10.0.1.0/24" } } });
    cloud.proxy.fail({ operation: "ec2.DeleteSubnet", times: 999, fault: { error: "DependencyViolation" } });
    await patiently(2000, (timeoutMs) =>
      expect(driver.delete("held", made.providerId, { timeoutMs })).rejects.toMatchObject({
        class: "validation",
        message: expect.stringContaining("still holds"),
      }),
    );
    cloud.proxy.reset();
    cloud.proxy.fail({ operation: "ec2.DeleteSubnet", times: 2, fault: { error: "DependencyViolation" } });
    await driver.delete("held", made.providerId);
  });

  test("lives in a region of its own, which its id tells", async () => {
    const config = { region: "eu-west-1", subnets: { a: { cidr: "10.0.0.0/24" } } };
    const made = await driver.create("far", config, { token: "t-far" });
    expect(made.providerId).toMatch(/^vpc-\w+@eu-west-1$/);
    await expectQuiet(driver, "far", config, made.providerId);
    expect(await driver.lookup("far", "t-far")).toMatchObject({ providerId: made.providerId });
    await driver.delete("far", made.providerId);
    expect(await driver.read("far", made.providerId)).toBeUndefined();
  });

  test.each([
    [{ cidr: "10.0.0.0/8" }, "/16 to /28"],
    [{ subnets: { a: { cidr: "10.3.0.0/24" } }, cidr: "10.1.0.0/16" }, "is not within"],
    [{ subnets: { a: { cidr: "10.0.0.0/24" }, b: { cidr: "10.0.0.128/25" } } }, "overlaps"],
    [{ nat_gateways: "single", subnets: { a: { cidr: "10.0.0.0/24" } } }, "public subnet"],
  ])("refuses %j", async (config, word) => {
    await expect(driver.create("refused", config)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(word),
    });
  });
});
