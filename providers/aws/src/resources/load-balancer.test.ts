import { ACMClient, RequestCertificateCommand } from "@aws-sdk/client-acm";
import { CreateSecurityGroupCommand, CreateSubnetCommand, CreateVpcCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  CreateLoadBalancerCommand,
  DeleteListenerCommand,
  DescribeListenersCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
  ModifyTargetGroupCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { createInPieces, isMotoMissing, useAws } from "../../test/testing/harness.ts";

describe.skipIf(isMotoMissing)("infra.load_balancer", () => {
  const cloud = useAws();
  const driver = cloud.driver("infra.load_balancer");
  let elb: ElasticLoadBalancingV2Client;
  let network: { subnet_ids: string[]; security_group_ids: string[] };
  let certificate: string;
  beforeAll(async () => {
    elb = new ElasticLoadBalancingV2Client(cloud.sdk);
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
    const group = await ec2.send(new CreateSecurityGroupCommand({ GroupName: "lb", Description: "lb", VpcId }));
    network = { subnet_ids: subnets.map(({ Subnet }) => Subnet!.SubnetId!), security_group_ids: [group.GroupId!] };
    const acm = new ACMClient(cloud.sdk);
    certificate = (await acm.send(new RequestCertificateCommand({ DomainName: "example.com" }))).CertificateArn!;
  });

  const whole = () => ({
    ...network,
    subnet_ids: network.subnet_ids.slice(0, 2),
    idle_timeout: "120",
    target_groups: {
      web: { port: 8080, health_check: { path: "/health", interval_seconds: 10, matcher: 200 } },
      api: { port: 9090, deregistration_delay_seconds: 30, stickiness_seconds: 3600 },
    },
    listeners: [
      { port: 80, default_action: { redirect: {} } },
      {
        port: 443,
        certificate_arn: certificate,
        default_action: { forward: "web" },
        rules: [
          { priority: 20, hosts: ["api.example.com"], paths: ["/v1/*"], action: { forward: [{ group: "api" }] } },
          { priority: 10, methods: ["OPTIONS"], action: { fixed_response: { status: 204 } } },
        ],
      },
    ],
    tags: { env: "test" },
  });

  async function inventory() {
    const { LoadBalancers: balancers = [] } = await elb.send(new DescribeLoadBalancersCommand({}));
    const { TargetGroups: groups = [] } = await elb.send(new DescribeTargetGroupsCommand({}));
    let [listeners, rules] = [0, 0];
    for (const { LoadBalancerArn } of balancers) {
      const { Listeners = [] } = await elb.send(new DescribeListenersCommand({ LoadBalancerArn }));
      listeners += Listeners.length;
      for (const { ListenerArn } of Listeners) {
        const { Rules = [] } = await elb.send(new DescribeRulesCommand({ ListenerArn }));
        rules += Rules.filter(({ IsDefault }) => IsDefault !== true).length;
      }
    }
    return { balancers: balancers.length, groups: groups.length, listeners, rules };
  }
  const nothing = { balancers: 0, groups: 0, listeners: 0, rules: 0 };
  const all = { balancers: 1, groups: 2, listeners: 2, rules: 2 };

  test("goes through its life", async () => {
    const made = await driver.create("front", whole(), { token: "t-front", owner: "line/front" });
    const arn = made.providerId;
    expect(made).toMatchObject({
      created: true,
      outputs: {
        name: "front",
        scheme: "internet-facing",
        type: "application",
        arn,
        dns_name: expect.stringContaining("front"),
      },
    });
    expect(made.outputs["endpoint"]).toBe(made.outputs["dns_name"]);
    expect(Object.keys(made.outputs["target_group_arns"] as object).toSorted()).toEqual(["api", "web"]);
    expect(await inventory()).toEqual(all);
    const { Attributes } = await elb.send(new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: arn }));
    expect(Attributes).toContainEqual({ Key: "idle_timeout.timeout_seconds", Value: "120" });
    await expectQuiet(driver, "front", whole(), arn);

    const { target_groups: groups, listeners, ...rest } = whole();
    const changed = {
      ...rest,
      subnet_ids: network.subnet_ids,
      target_groups: { web: { ...groups.web, port: 8081 } },
      listeners: [
        {
          ...listeners[1]!,
          rules: [{ priority: 5, paths: ["/old"], action: { redirect: { status: 302, path: "/new" } } }],
        },
      ],
      tags: {},
    };
    expect(await changedPaths(driver, "front", changed, arn)).toEqual([
      "listeners",
      "subnet_ids",
      "tags.env",
      "target_groups.api",
      "target_groups.web.port",
    ]);
    await driver.update("front", arn, changed);
    expect(await inventory()).toEqual({ balancers: 1, groups: 1, listeners: 1, rules: 1 });
    const { TargetGroups } = await elb.send(new DescribeTargetGroupsCommand({}));
    expect(TargetGroups?.[0]?.Port).toBe(8081);
    await expectQuiet(driver, "front", changed, arn);
    const internal = await driver.diff("front", { ...changed, scheme: "internal" }, (await driver.read("front", arn))!);
    expect(internal.needsReplace).toBe(true);

    await driver.delete("front", arn);
    expect(await inventory()).toEqual(nothing);
    expect(await driver.read("front", arn)).toBeUndefined();
    await driver.delete("front", arn);
  });

  test("takes upstream's keys alone", async () => {
    const config = { scheme: "internal", subnet_ids: network.subnet_ids, idle_timeout: "30" };
    const made = await driver.create("plain", config);
    await expectQuiet(driver, "plain", config, made.providerId);
    await driver.delete("plain", made.providerId);
  });

  test("forwards whole connections where it is a network load balancer", async () => {
    const config = {
      type: "network",
      subnet_ids: network.subnet_ids.slice(0, 1),
      cross_zone: true,
      target_groups: { db: { port: 5432, targets: [{ id: "10.0.0.9" }, { id: "10.0.0.10", port: 5433 }] } },
      listeners: [{ port: 5432, default_action: { forward: "db" } }],
    };
    const made = await driver.create("tcp", config);
    await expectQuiet(driver, "tcp", config, made.providerId);
    const fewer = { ...config, target_groups: { db: { port: 5432, targets: [{ id: "10.0.0.9" }] } } };
    expect(await changedPaths(driver, "tcp", fewer, made.providerId)).toEqual(["target_groups.db.targets"]);
    await driver.update("tcp", made.providerId, fewer);
    await expectQuiet(driver, "tcp", fewer, made.providerId);
    await driver.delete("tcp", made.providerId);
    expect(await inventory()).toEqual(nothing);
  });

  test("shows drift behind its back and repairs it", async () => {
    const made = await driver.create("drift", whole());
    const arns = made.outputs["target_group_arns"] as Record<string, string>;
    const listeners = made.outputs["listener_arns"] as Record<string, string>;
    await elb.send(new ModifyTargetGroupCommand({ TargetGroupArn: arns["web"]!, HealthCheckPath: "/other" }));
    await elb.send(new DeleteListenerCommand({ ListenerArn: listeners["80"]! }));
    expect(await changedPaths(driver, "drift", whole(), made.providerId)).toEqual([
      "listeners",
      "target_groups.web.health_check.path",
    ]);
    await driver.update("drift", made.providerId, whole());
    await expectQuiet(driver, "drift", whole(), made.providerId);
    await driver.delete("drift", made.providerId);
  });

  test("is imported by ARN and name, and a taken name is no success", async () => {
    const { LoadBalancers } = await elb.send(
      new CreateLoadBalancerCommand({ Name: "theirs", Subnets: network.subnet_ids.slice(0, 2), Scheme: "internal" }),
    );
    const arn = LoadBalancers![0]!.LoadBalancerArn!;
    for (const id of [arn, "theirs"]) {
      expect(await driver.import(id)).toMatchObject({
        name: "theirs",
        providerId: arn,
        inputs: { scheme: "internal" },
      });
    }
    expect(await driver.import("nobody")).toBeUndefined();
    await expect(driver.create("theirs", whole())).rejects.toMatchObject({ class: "already_exists" });
    expect(await driver.list()).toContainEqual(expect.objectContaining({ name: "theirs" }));
    await driver.setOwner("theirs", arn, "line/x");
    expect(await driver.getOwner("theirs", arn)).toBe("line/x");
    await driver.delete("theirs", arn);
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    expect(await createInPieces(cloud, () => driver.create("cut", whole(), { token: "t-cut" }))).toBeGreaterThan(7);
    expect(await inventory()).toEqual(all);
    const found = await driver.lookup("cut", "t-cut");
    await expectQuiet(driver, "cut", whole(), found!.providerId);
    await driver.delete("cut", found!.providerId);
    expect(await inventory()).toEqual(nothing);
  });

  test("a create whose process dies in the middle is finished by another process", async () => {
    cloud.proxy.onAnswer("elbv2.CreateListener", () => cloud.plugin.kill());
    await expect(driver.create("killed", whole(), { token: "t-killed" })).rejects.toMatchObject({ class: "transient" });
    cloud.proxy.reset();
    await cloud.restart();
    const made = await driver.create("killed", whole(), { token: "t-killed" });
    expect(await inventory()).toEqual(all);
    await driver.delete("killed", made.providerId);
  });

  test("waits until it is active, and says why it cannot be", async () => {
    let looks = 0;
    const config = { subnet_ids: network.subnet_ids };
    cloud.proxy.rewrite("elbv2.DescribeLoadBalancers", (body) => {
      looks += 1;
      return looks <= 3 ? body.replaceAll(/<State>\s*<Code>\w+/g, "<State><Code>provisioning") : undefined;
    });
    const made = await driver.create("slow", config);
    expect(looks).toBeGreaterThan(3);
    cloud.proxy.reset();
    cloud.proxy.rewrite("elbv2.DescribeLoadBalancers", (body) =>
      body.replaceAll(/<State>\s*<Code>\w+<\/Code>/g, "<State><Code>failed</Code><Reason>no room</Reason>"),
    );
    await expect(driver.update("slow", made.providerId, config)).rejects.toMatchObject({
      message: expect.stringContaining("no room"),
    });
    cloud.proxy.reset();
    await driver.delete("slow", made.providerId);
  });

  test("keeps a protected one, and replaces beside the old one", async () => {
    const config = { subnet_ids: network.subnet_ids, deletion_protection: true };
    const old = await driver.create("swap_it", config, { token: "t-1", owner: "line/swap" });
    expect(old.outputs["name"]).toBe("swap-it");
    await expect(driver.delete("swap_it", old.providerId)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining("deletion_protection"),
    });
    const next = { ...config, scheme: "internal", deletion_protection: false };
    const made = await driver.create("swap_it", next, { token: "t-2", owner: "line/swap" });
    expect(made.outputs["name"]).toMatch(/^swap-it-[0-9a-f]{8}$/);
    await driver.update("swap_it", old.providerId, { ...config, deletion_protection: false });
    await driver.delete("swap_it", old.providerId);
    await expectQuiet(driver, "swap_it", next, made.providerId);
    await driver.delete("swap_it", made.providerId);
  });

  test("a delete that is cut off after every single one of its calls leaves nothing", async () => {
    const target_groups = { web: { port: 80 } };
    const listeners = [{ port: 80, default_action: { forward: "web" } }];
    const config = { subnet_ids: network.subnet_ids, target_groups, listeners };
    const { providerId: arn } = await driver.create("gone", config);
    const pieces = await createInPieces(cloud, async () => {
      await driver.delete("gone", arn);
    });
    expect(pieces).toBe(3);
    expect(await driver.read("gone", arn)).toBeUndefined();
  });

  test.each([
    [{ listeners: [{ port: 80, default_action: { forward: "none" } }] }, 'no target group "none"'],
    [{ listeners: [{ port: 443, protocol: "HTTPS", default_action: { redirect: {} } }] }, "certificate"],
    [{ subnet_ids: ["subnet-1"] }, "two zones"],
    [{ type: "network", idle_timeout: 3 }, "application load balancers"],
    [{ listeners: [{ port: 80, default_action: {} }] }, "expected one of"],
  ])("refuses %j", async (config, word) => {
    await expect(driver.create("refused", { ...network, ...config })).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(word),
    });
  });
});
