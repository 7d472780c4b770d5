import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  CreateVpcCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSecurityGroupsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { iac, unaryCall } from "@wfctl/contract";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet, patiently } from "@wfctl/testkit/drive-expectations";
import { createInPieces, isMotoMissing, useAws } from "../../test/testing/harness.ts";

const web = {
  description: "web servers",
  ingress_rules: [
    { port: 443, cidrs: ["0.0.0.0/0", "::/0"], description: "everyone" },
    { from_port: 8000, to_port: 8100, cidr: "10.0.0.0/8" },
    { protocol: "icmp", cidr: "10.0.0.0/8" },
    { protocol: "all", group: "self" },
  ],
  egress_rules: [{ port: 5432, cidr: "10.0.0.0/8" }],
  tags: { env: "test" },
};

describe.skipIf(isMotoMissing)("infra.firewall", () => {
  const cloud = useAws();
  const driver = cloud.driver("infra.firewall");
  let ec2: EC2Client;
  let vpcId: string;
  beforeAll(async () => {
    ec2 = new EC2Client(cloud.sdk);
    vpcId = (await ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }))).Vpc!.VpcId!;
  });

  async function rulesOf(id: string) {
    const filters = [{ Name: "group-id", Values: [id] }];
    const { SecurityGroupRules: rules = [] } = await ec2.send(
      new DescribeSecurityGroupRulesCommand({ Filters: filters }),
    );
    return rules
      .map((rule) => {
        const side = rule.CidrIpv4 ?? rule.CidrIpv6 ?? rule.ReferencedGroupInfo?.GroupId;
        return `${rule.IsEgress === true ? "out" : "in"} ${rule.IpProtocol} ${rule.FromPort}-${rule.ToPort} ${side}`;
      })
      .toSorted();
  }
  async function groupCount(): Promise<number> {
    const filters = [{ Name: "vpc-id", Values: [vpcId] }];
    const { SecurityGroups: groups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters: filters }));
    return groups.filter(({ GroupName }) => GroupName !== "default").length;
  }
  const finalize = async () =>
    (await unaryCall(cloud.plugin.client, iac.IaCProviderFinalizer.method.finalizeApply, { planId: "p" })).response
      .errors;

  test("goes through its life", async () => {
    const config = { ...web, vpc_id: vpcId };
    const made = await driver.create("web", config, { token: "t-web", owner: "line/web" });
    const id = made.providerId;
    expect(made).toMatchObject({ created: true, outputs: { group_id: id, vpc_id: vpcId, group_name: "web" } });
    expect(await rulesOf(id)).toEqual([
      "in -1 -1--1 " + id,
      "in icmp -1--1 10.0.0.0/8",
      "in tcp 443-443 0.0.0.0/0",
      "in tcp 443-443 ::/0",
      "in tcp 8000-8100 10.0.0.0/8",
      "out tcp 5432-5432 10.0.0.0/8",
    ]);
    await expectQuiet(driver, "web", config, id);
    await expectQuiet(driver, "web", { ...config, ingress_rules: config.ingress_rules.toReversed() }, id);

    const { egress_rules: _egress, ...rest } = config;
    const changed = {
      ...rest,
      ingress_rules: [
        { port: 443, cidr: "0.0.0.0/0", description: "all of us" },
        { port: 22, cidr: "192.168.0.0/16" },
      ],
      tags: {},
    };
    expect(await changedPaths(driver, "web", changed, id)).toEqual(["egress_rules", "ingress_rules", "tags.env"]);
    const order: string[] = [];
    cloud.proxy.onAnswer(/^ec2\.(Authorize|Revoke)/, ({ operation }) => void order.push(operation));
    await driver.update("web", id, changed);
    expect(order.slice(0, 2)).toEqual(["ec2.AuthorizeSecurityGroupIngress", "ec2.RevokeSecurityGroupIngress"]);
    expect(await rulesOf(id)).toEqual([
      "in tcp 22-22 192.168.0.0/16",
      "in tcp 443-443 0.0.0.0/0",
      "out -1 -1--1 0.0.0.0/0",
    ]);
    await expectQuiet(driver, "web", changed, id);
    for (const other of [{ description: "other" }, { vpc_id: "vpc-0" }, { group_name: "x" }]) {
      const { needsReplace } = await driver.diff("web", { ...changed, ...other }, (await driver.read("web", id))!);
      expect(needsReplace).toBe(true);
    }

    await driver.delete("web", id);
    expect(await groupCount()).toBe(0);
    expect(await driver.read("web", id)).toBeUndefined();
    await driver.delete("web", id);
  });

  test("takes upstream's rules, with their defaults", async () => {
    const config = { vpc_id: vpcId, ingress_rules: [{ from_port: 80, to_port: 80 }] };
    const { providerId: id } = await driver.create("old", config);
    expect(await rulesOf(id)).toEqual(["in tcp 80-80 0.0.0.0/0", "out -1 -1--1 0.0.0.0/0"]);
    await expectQuiet(driver, "old", config, id);
    await driver.delete("old", id);
  });

  test("shows drift of the directions that it manages", async () => {
    const config = { vpc_id: vpcId, egress_rules: [] };
    const { providerId: id } = await driver.create("drift", config);
    const open = [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }];
    await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId: id, IpPermissions: open }));
    await expectQuiet(driver, "drift", config, id);
    const strict = { ...config, ingress_rules: [] };
    await driver.update("drift", id, strict);
    expect(await rulesOf(id)).toEqual([]);
    await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId: id, IpPermissions: open }));
    expect(await changedPaths(driver, "drift", strict, id)).toEqual(["ingress_rules"]);
    await driver.update("drift", id, strict);
    await expectQuiet(driver, "drift", strict, id);
    await driver.delete("drift", id);
  });

  test("two that name each other are whole after the finalizer, and go one by one", async () => {
    const front = { vpc_id: vpcId, egress_rules: [{ port: 80, group: "back" }] };
    const back = { vpc_id: vpcId, ingress_rules: [{ port: 80, group: "front" }] };
    const a = await driver.create("front", front);
    expect(await rulesOf(a.providerId)).toEqual([]);
    expect(await finalize()).toMatchObject([{ resource: "front", error: expect.stringContaining('"back"') }]);
    const b = await driver.create("back", back);
    expect(await rulesOf(b.providerId)).toContain(`in tcp 80-80 ${a.providerId}`);
    expect(await finalize()).toEqual([]);
    expect(await rulesOf(a.providerId)).toEqual([`out tcp 80-80 ${b.providerId}`]);
    await expectQuiet(driver, "front", front, a.providerId);
    await expectQuiet(driver, "back", back, b.providerId);
    // The same side by its id is no change.
    await expectQuiet(
      driver,
      "front",
      { vpc_id: vpcId, egress_rules: [{ port: 80, group: b.providerId }] },
      a.providerId,
    );
    await driver.delete("back", b.providerId);
    expect(await rulesOf(a.providerId)).toEqual([]);
    await driver.delete("front", a.providerId);
    expect(await finalize()).toEqual([]);
  });

  test("what a dead process deferred is found again by an update", async () => {
    const a = await driver.create("one", { vpc_id: vpcId, egress_rules: [{ port: 1, group: "two" }] });
    await cloud.restart();
    const b = await driver.create("two", { vpc_id: vpcId });
    expect(await finalize()).toEqual([]);
    await driver.update("one", a.providerId, { vpc_id: vpcId, egress_rules: [{ port: 1, group: "two" }] });
    expect(await rulesOf(a.providerId)).toEqual([`out tcp 1-1 ${b.providerId}`]);
    await driver.delete("one", a.providerId);
    await driver.delete("two", b.providerId);
  });

  test("is imported by id, ARN and name", async () => {
    const { GroupId: id } = await ec2.send(
      new CreateSecurityGroupCommand({ GroupName: "by-hand", Description: "made by hand", VpcId: vpcId }),
    );
    const arn = `arn:aws:ec2:us-east-1:${cloud.accountId}:security-group/${id}`;
    for (const given of [id!, arn, "by-hand"]) {
      expect(await driver.import(given)).toMatchObject({
        name: "by-hand",
        providerId: id,
        inputs: { description: "made by hand", egress_rules: [{ protocol: "all", cidr: "0.0.0.0/0" }] },
      });
    }
    expect(await driver.import("sg-00000000")).toBeUndefined();
    await expectQuiet(driver, "by-hand", { vpc_id: vpcId }, id!);
    await expect(driver.create("by-hand", { vpc_id: vpcId })).rejects.toMatchObject({ class: "already_exists" });
    await driver.delete("by-hand", id!);
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    const config = { ...web, vpc_id: vpcId };
    expect(await createInPieces(cloud, () => driver.create("cut", config, { token: "t-cut" }))).toBeGreaterThan(3);
    expect(await groupCount()).toBe(1);
    const found = await driver.lookup("cut", "t-cut");
    await expectQuiet(driver, "cut", config, found!.providerId);
    await driver.delete("cut", found!.providerId);
    expect(await driver.lookup("cut", "t-cut")).toBeUndefined();
  });

  test("a replacement stands beside the old group under a name of its own", async () => {
    const old = await driver.create(
      "swap",
      { vpc_id: vpcId, description: "one" },
      { token: "t-1", owner: "line/swap" },
    );
    const config = { vpc_id: vpcId, description: "two" };
    const made = await driver.create("swap", config, { token: "t-2", owner: "line/swap" });
    expect(made.outputs["group_name"]).toMatch(/^swap-[0-9a-f]{8}$/);
    await driver.delete("swap", old.providerId);
    await expectQuiet(driver, "swap", config, made.providerId);
    await driver.delete("swap", made.providerId);
  });

  test("waits for what still holds it, and says what that is", async () => {
    const { providerId: id } = await driver.create("held", { vpc_id: vpcId });
    cloud.proxy.fail({ operation: "ec2.DeleteSecurityGroup", times: 999, fault: { error: "DependencyViolation" } });
    await patiently(2000, (timeoutMs) =>
      expect(driver.delete("held", id, { timeoutMs })).rejects.toMatchObject({
        class: "validation",
        message: expect.stringContaining("used by"),
      }),
    );
    cloud.proxy.reset();
    cloud.proxy.fail({ operation: "ec2.DeleteSecurityGroup", times: 2, fault: { error: "DependencyViolation" } });
    await driver.delete("held", id);
  });

  test("lives in a region of its own and in the default VPC", async () => {
    const config = { region: "eu-west-1", ingress_rules: [{ port: 1 }] };
    const made = await driver.create("far", config, { token: "t-far" });
    expect(made.providerId).toMatch(/^sg-\w+@eu-west-1$/);
    await expectQuiet(driver, "far", config, made.providerId);
    expect(await driver.lookup("far", "t-far")).toMatchObject({ providerId: made.providerId });
    await driver.delete("far", made.providerId);
  });
});
