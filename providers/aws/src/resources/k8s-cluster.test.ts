import { DescribeSubnetsCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  CreateClusterCommand,
  CreateNodegroupCommand,
  DeleteNodegroupCommand,
  DescribeClusterCommand,
  DescribeNodegroupCommand,
  EKSClient,
  ListClustersCommand,
  ListNodegroupsCommand,
  TagResourceCommand,
} from "@aws-sdk/client-eks";
import { IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import type { JsonObject } from "@wfctl/model";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { createInPieces, expectMended, isMotoMissing, useAws } from "../../test/testing/harness.ts";

describe.skipIf(isMotoMissing)("infra.k8s_cluster", () => {
  const cloud = useAws();
  const driver = cloud.driver("infra.k8s_cluster");
  let eks: EKSClient;
  let iam: IAMClient;
  let subnets: string[];
  beforeAll(async () => {
    [eks, iam] = [new EKSClient(cloud.sdk), new IAMClient(cloud.sdk)];
    const found = await new EC2Client(cloud.sdk).send(new DescribeSubnetsCommand({}));
    subnets = found.Subnets!.map(({ SubnetId }) => SubnetId!).slice(0, 3);
  });
  const cluster = async (name: string) => (await eks.send(new DescribeClusterCommand({ name }))).cluster!;
  const groups = async (name: string) =>
    (await eks.send(new ListNodegroupsCommand({ clusterName: name }))).nodegroups!.toSorted();
  const group = async (name: string, nodegroupName: string) =>
    (await eks.send(new DescribeNodegroupCommand({ clusterName: name, nodegroupName }))).nodegroup!;
  const roles = async () =>
    (await iam.send(new ListRolesCommand({})))
      .Roles!.map(({ RoleName }) => RoleName!)
      .filter((name) => !name.startsWith("AWS"))
      .toSorted();
  const count = async () => (await eks.send(new ListClustersCommand({}))).clusters!.length;

  test("goes through its life", async () => {
    const workers = {
      name: "workers",
      instance_types: ["m5.large"],
      min_size: 1,
      max_size: 4,
      labels: { tier: "web" },
      taints: [{ key: "dedicated", value: "web", effect: "NO_SCHEDULE" }],
    };
    const config: JsonObject = {
      version: "1.29",
      subnet_ids: subnets.slice(0, 2),
      enabled_log_types: ["api", "audit"],
      node_groups: [workers, { name: "spot", capacity_type: "SPOT" }],
      tags: { env: "test" },
    };
    const made = await driver.create("main", config, { token: "t-main", owner: "line/main" });
    const arn = made.providerId;
    expect(made).toMatchObject({
      created: true,
      outputs: { arn, cluster_name: "main", status: "ACTIVE", version: "1.29", region: "us-east-1" },
    });
    expect(made.sensitive).toContain("kubeconfig");
    expect(JSON.parse(made.outputs["kubeconfig"] as string)).toMatchObject({ "current-context": "main" });
    expect(made.outputs["node_groups"]).toMatchObject([
      { name: "spot", status: "ACTIVE", version: "1.29" },
      { name: "workers", status: "ACTIVE", desired_size: 1 },
    ]);
    const live = await cluster("main");
    expect(live.tags).toMatchObject({ env: "test", "wfctl:owner": "line/main", "wfctl:token": "t-main" });
    expect(await roles()).toEqual(
      [live.roleArn!, (await group("main", "spot")).nodeRole!].map((id) => id.split("/")[1]),
    );
    expect(await group("main", "workers")).toMatchObject({
      instanceTypes: ["m5.large"],
      labels: { tier: "web" },
      taints: [{ key: "dedicated", effect: "NO_SCHEDULE" }],
      tags: { env: "test", "wfctl:part": "workers" },
    });
    await expectQuiet(driver, "main", config, arn);

    const changed = {
      ...config,
      version: "1.31",
      subnet_ids: subnets,
      endpoint_private_access: true,
      public_access_cidrs: ["10.0.0.0/8"],
      enabled_log_types: ["scheduler"],
      authentication_mode: "API",
      node_groups: [
        { ...workers, max_size: 6, desired_size: 3, labels: { kind: "new" }, taints: [], max_unavailable: 2 },
        { name: "spot", capacity_type: "SPOT", instance_types: ["m5.xlarge"] },
      ],
      tags: { env: "two" },
    };
    expect(await changedPaths(driver, "main", changed, arn)).toEqual([
      "authentication_mode",
      "enabled_log_types",
      "endpoint_private_access",
      "node_groups",
      "public_access_cidrs",
      "subnet_ids",
      "tags.env",
      "version",
    ]);
    await driver.update("main", arn, changed);
    await expectQuiet(driver, "main", changed, arn);
    const after = await cluster("main");
    expect(after).toMatchObject({
      version: "1.31",
      accessConfig: { authenticationMode: "API" },
      resourcesVpcConfig: { subnetIds: subnets, endpointPrivateAccess: true, publicAccessCidrs: ["10.0.0.0/8"] },
      tags: { env: "two" },
    });
    const [spot, kept] = await groups("main");
    expect(kept).toBe("workers");
    expect(spot).toMatch(/^spot-[0-9a-f]{8}$/);
    expect(await group("main", spot!)).toMatchObject({ instanceTypes: ["m5.xlarge"], version: "1.31" });
    expect(await group("main", "workers")).toMatchObject({
      version: "1.31",
      scalingConfig: { minSize: 1, maxSize: 6, desiredSize: 3 },
      labels: { kind: "new" },
      taints: [],
    });
    await expect(driver.update("main", arn, { ...changed, version: "1.30" })).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining("only goes upwards"),
    });

    await eks.send(new DeleteNodegroupCommand({ clusterName: "main", nodegroupName: spot! }));
    await eks.send(new TagResourceCommand({ resourceArn: arn, tags: { by: "hand" } }));
    expect(await changedPaths(driver, "main", changed, arn)).toEqual(["node_groups", "tags.by"]);
    await driver.update("main", arn, changed);
    await expectQuiet(driver, "main", changed, arn);
    expect(await driver.health("main", arn)).toMatchObject({ healthy: true });

    for (const id of [arn, "main"]) {
      expect(await driver.import(id)).toMatchObject({ providerId: arn, inputs: { cluster_name: "main" } });
    }
    const known = (await driver.read("main", arn))!;
    for (const other of [{ cluster_name: "other" }, { ip_family: "ipv6" }, { service_ipv4_cidr: "10.100.0.0/16" }]) {
      expect((await driver.diff("main", { ...changed, ...other }, known)).needsReplace).toBe(true);
    }
    await driver.delete("main", arn);
    expect([await count(), await roles()]).toEqual([0, []]);
    expect(await driver.read("main", arn)).toBeUndefined();
    await driver.delete("main", arn);
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    const config = { subnet_ids: subnets, node_groups: [{ name: "a" }, { name: "b" }] };
    expect(await createInPieces(cloud, () => driver.create("cut", config, { token: "t-cut" }))).toBeGreaterThan(6);
    expect([await count(), await groups("cut"), (await roles()).length]).toEqual([1, ["a", "b"], 2]);
    const found = await driver.lookup("cut", "t-cut");
    await expectQuiet(driver, "cut", config, found!.providerId);
    await driver.delete("cut", found!.providerId);
    expect(await driver.lookup("cut", "t-cut")).toBeUndefined();
    expect(await roles()).toEqual([]);
  });

  test("of a create that fails at the cluster nothing is lost", async () => {
    const config = { subnet_ids: subnets, cluster_name: "other" };
    await expectMended(cloud, driver, { operation: "eks.CreateCluster", name: "mended", config });
    expect(await roles()).toEqual([]);
  });

  test("a killed create is found by its token before there is a cluster, and is destroyed whole", async () => {
    cloud.proxy.onAnswer("iam.CreateRole", () => cloud.plugin.kill());
    await expect(driver.create("killed", { subnet_ids: subnets }, { token: "t-killed" })).rejects.toMatchObject({
      class: "transient",
    });
    cloud.proxy.reset();
    await cloud.restart();
    const found = await driver.lookup("killed", "t-killed");
    expect(found?.outputs).toMatchObject({ status: "incomplete" });
    await driver.delete("killed", found!.providerId);
    expect(await roles()).toEqual([]);
  });

  test("leaves alone what others made", async () => {
    const roleArn = `arn:aws:iam::${cloud.accountId}:role/theirs`;
    await eks.send(new CreateClusterCommand({ name: "theirs", roleArn, resourcesVpcConfig: { subnetIds: subnets } }));
    await eks.send(
      new CreateNodegroupCommand({ clusterName: "theirs", nodegroupName: "old", nodeRole: roleArn, subnets }),
    );
    await expect(driver.create("theirs", { subnet_ids: subnets })).rejects.toMatchObject({ class: "already_exists" });
    const imported = await driver.import("theirs");
    expect(imported?.inputs).toMatchObject({ node_groups: [{ name: "old", role_arn: roleArn }], role_arn: roleArn });
    const arn = imported!.providerId;
    await driver.setOwner("theirs", arn, "line/x");
    expect(await driver.getOwner("theirs", arn)).toBe("line/x");
    expect(await driver.list()).toContainEqual(expect.objectContaining({ name: "theirs" }));
    await expect(driver.delete("theirs", arn)).rejects.toMatchObject({ message: expect.stringContaining("old") });
    const adopted = imported!.inputs!;
    await driver.update("theirs", arn, adopted);
    await expectQuiet(driver, "theirs", adopted, arn);
    expect(await groups("theirs")).toEqual(["old"]);
    await driver.delete("theirs", arn);
    expect(await count()).toBe(0);
  });

  test("a size reaches the nodes", async () => {
    const sizing = await driver.sizing("m");
    expect(sizing).toMatchObject({ instance_type: "m5.large" });
    const config = { subnet_ids: subnets, node_count: 2, ...sizing };
    const made = await driver.create("sized", config);
    expect(await group("sized", "default")).toMatchObject({
      instanceTypes: ["m5.large"],
      scalingConfig: { minSize: 2, maxSize: 2, desiredSize: 2 },
    });
    await expectQuiet(driver, "sized", config, made.providerId);
    await driver.delete("sized", made.providerId);
  });

  test("works in a region of its own", async () => {
    const config = { region: "eu-west-1", subnet_ids: ["subnet-1", "subnet-2"] };
    const made = await driver.create("far", config, { token: "t-far" });
    expect(made.providerId).toContain(":eks:eu-west-1:");
    await expectQuiet(driver, "far", config, made.providerId);
    expect((await driver.lookup("far", "t-far"))?.providerId).toBe(made.providerId);
    await driver.delete("far", made.providerId);
  });

  test("says why a cluster did not come up", async () => {
    cloud.proxy.rewrite("eks.DescribeCluster", (body) =>
      body.replaceAll(
        '"status": "ACTIVE"',
        '"status": "FAILED", "health": {"issues": [{"code": "Ec2SubnetNotFound", "message": "no subnet"}]}',
      ),
    );
    const failure = await driver.create("bad", { subnet_ids: subnets }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ class: "unknown", message: expect.stringContaining("Ec2SubnetNotFound") });
    cloud.proxy.reset();
    await driver.delete("bad", (failure as { partialId: string }).partialId);
  });

  test.each([
    [{ subnet_ids: ["subnet-1"] }, "subnet_ids"],
    [{ subnet_ids: ["a", "b"], version: "1.2" }, "version"],
    [{ subnet_ids: ["a", "b"], endpoint_public_access: false }, "both off"],
    [{ subnet_ids: ["a", "b"], node_groups: [{ name: "x", min_size: 5 }] }, "max_size"],
    [{ subnet_ids: ["a", "b"], node_groups: [{ name: "x" }], node_count: 1 }, "node_count"],
  ])("refuses %j", async (config, word) => {
    await expect(driver.create("refused", config)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(word),
    });
  });
});
