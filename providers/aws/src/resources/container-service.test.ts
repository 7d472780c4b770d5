import { CloudWatchLogsClient, DeleteLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateSecurityGroupCommand, CreateSubnetCommand, CreateVpcCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  CreateClusterCommand,
  DescribeClustersCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListTaskDefinitionsCommand,
  RegisterTaskDefinitionCommand,
  CreateServiceCommand,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import { GetRolePolicyCommand, IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { createInPieces, expectMended, isMotoMissing, useAws } from "../../test/testing/harness.ts";

const secretArn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf";

describe.skipIf(isMotoMissing)("infra.container_service", () => {
  const cloud = useAws({ ecs_cluster: "apps" });
  const driver = cloud.driver("infra.container_service");
  let ecs: ECSClient;
  let iam: IAMClient;
  let logs: CloudWatchLogsClient;
  let network: { subnet_ids: string[]; security_group_ids: string[] };
  beforeAll(async () => {
    [ecs, iam, logs] = [new ECSClient(cloud.sdk), new IAMClient(cloud.sdk), new CloudWatchLogsClient(cloud.sdk)];
    const ec2 = new EC2Client(cloud.sdk);
    const { Vpc: vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
    const VpcId = vpc!.VpcId!;
    const { Subnet: subnet } = await ec2.send(new CreateSubnetCommand({ VpcId, CidrBlock: "10.0.0.0/24" }));
    const group = await ec2.send(new CreateSecurityGroupCommand({ GroupName: "web", Description: "web", VpcId }));
    network = { subnet_ids: [subnet!.SubnetId!], security_group_ids: [group.GroupId!] };
  });

  const whole = () => ({
    ...network,
    image: "nginx:1.29",
    cpu: "512",
    memory: "1024",
    replicas: 2,
    command: ["nginx", "-g", "daemon off;"],
    env_vars: { MODE: "test", LEVEL: 3 },
    env_vars_secret: { DB: `${secretArn}:password::` },
    ports: [{ port: 80 }],
    health_check: { command: "curl -f localhost" },
    sidecars: [{ name: "agent", image: "agent:1", essential: false }],
    log_retention_days: 7,
    capacity_providers: [{ name: "FARGATE_SPOT" }],
    tags: { env: "test" },
  });

  async function inventory() {
    const { clusters = [] } = await ecs.send(new DescribeClustersCommand({ clusters: ["apps"] }));
    const { services = [] } =
      clusters[0]?.status === "ACTIVE"
        ? await ecs.send(new DescribeServicesCommand({ cluster: "apps", services: ["web"] }))
        : {};
    const { taskDefinitionArns = [] } = await ecs.send(new ListTaskDefinitionsCommand({ status: "ACTIVE" }));
    const { Roles = [] } = await iam.send(new ListRolesCommand({}));
    const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({}));
    return {
      clusters: clusters.filter(({ status }) => status === "ACTIVE").length,
      services: services.filter(({ status }) => status === "ACTIVE").length,
      definitions: taskDefinitionArns.length,
      roles: Roles.length,
      logGroups: logGroups.length,
    };
  }
  const nothing = { clusters: 0, services: 0, definitions: 0, roles: 0, logGroups: 0 };
  const all = { clusters: 1, services: 1, definitions: 1, roles: 1, logGroups: 1 };

  test("goes through its life", async () => {
    const made = await driver.create("web", whole(), { token: "t-web", owner: "line/web" });
    const arn = `arn:aws:ecs:us-east-1:${cloud.accountId}:service/apps/web`;
    expect(made).toMatchObject({
      providerId: arn,
      created: true,
      outputs: {
        status: "ACTIVE",
        desired_count: 2,
        running_count: 2,
        arn,
        cluster: "apps",
        log_group: "/ecs/apps/web",
      },
    });
    expect(await inventory()).toEqual(all);
    const { services } = await ecs.send(
      new DescribeServicesCommand({ cluster: "apps", services: ["web"], include: ["TAGS"] }),
    );
    expect(services?.[0]).toMatchObject({ capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT" }] });
    expect(services?.[0]?.tags).toContainEqual({ key: "wfctl:owner", value: "line/web" });
    const { taskDefinition } = await ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: made.outputs["task_definition"] as string }),
    );
    expect(taskDefinition).toMatchObject({
      cpu: "512",
      memory: "1024",
      networkMode: "awsvpc",
      executionRoleArn: expect.stringContaining("role/"),
    });
    expect(taskDefinition?.containerDefinitions?.[0]).toMatchObject({
      environment: [
        { name: "LEVEL", value: "3" },
        { name: "MODE", value: "test" },
      ],
      logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": "/ecs/apps/web" } },
    });
    const role = (made.outputs["execution_role_arn"] as string).split("/").at(-1)!;
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName: role, PolicyName: "secrets" }));
    expect(decodeURIComponent(PolicyDocument!)).toContain(secretArn);
    await expectQuiet(driver, "web", whole(), arn);

    const { sidecars: _sidecars, health_check: _check, ...rest } = whole();
    const changed = {
      ...rest,
      image: "nginx:1.30",
      replicas: 3,
      assign_public_ip: false,
      log_retention_days: 14,
      tags: {},
    };
    expect(await changedPaths(driver, "web", changed, arn)).toEqual([
      "assign_public_ip",
      "health_check",
      "image",
      "log_retention_days",
      "replicas",
      "sidecars",
      "tags.env",
    ]);
    const updated = await driver.update("web", arn, changed);
    expect(updated.outputs).toMatchObject({ desired_count: 3, running_count: 3 });
    expect(updated.outputs["task_definition"]).not.toBe(made.outputs["task_definition"]);
    expect(await inventory()).toEqual(all);
    await expectQuiet(driver, "web", changed, arn);
    const elsewhere = await driver.diff("web", { ...changed, cluster: "others" }, (await driver.read("web", arn))!);
    expect(elsewhere.needsReplace).toBe(true);

    expect((await driver.scale("web", arn, 1)).outputs).toMatchObject({ desired_count: 1, running_count: 1 });
    expect(await driver.health("web", arn)).toEqual({ healthy: true, message: "1 of 1 tasks run" });

    await driver.delete("web", arn);
    expect(await inventory()).toEqual(nothing);
    expect(await driver.read("web", arn)).toBeUndefined();
    await driver.delete("web", arn);
  });

  test("takes upstream's keys, and leaves the count alone where none is given", async () => {
    const config = { image: "app:1", ...network, http_port: 8080, env_vars: { A: "1" } };
    const { providerId: arn, outputs } = await driver.create("web", config);
    expect(outputs).toMatchObject({ desired_count: 1, status: "ACTIVE" });
    await expectQuiet(driver, "web", config, arn);
    await ecs.send(new UpdateServiceCommand({ cluster: "apps", service: "web", desiredCount: 5 }));
    await expectQuiet(driver, "web", config, arn);
    await expectQuiet(driver, "web", { ...config, instance_count: 5 }, arn);
    await driver.delete("web", arn);
  });

  test("shows drift behind its back and repairs it", async () => {
    const config = { image: "app:1", ...network, replicas: 2 };
    const { providerId: arn } = await driver.create("web", config);
    const other = await ecs.send(
      new RegisterTaskDefinitionCommand({
        family: "by-hand",
        containerDefinitions: [{ name: "x", image: "app:2", memory: 1 }],
      }),
    );
    const { taskDefinitionArn: taskDefinition } = other.taskDefinition!;
    await ecs.send(
      new UpdateServiceCommand({ cluster: "apps", service: "web", desiredCount: 1, taskDefinition: taskDefinition! }),
    );
    await logs.send(new DeleteLogGroupCommand({ logGroupName: "/ecs/apps/web" }));
    const changes = await changedPaths(driver, "web", config, arn);
    expect(changes).toEqual(expect.arrayContaining(["image", "replicas"]));
    await driver.update("web", arn, config);
    await expectQuiet(driver, "web", config, arn);
    await driver.delete("web", arn);
    // What others registered is theirs.
    expect((await inventory()).definitions).toBe(1);
  });

  test("is imported by ARN, by cluster and name, and by name", async () => {
    await ecs.send(new CreateClusterCommand({ clusterName: "apps" }));
    const awsvpcConfiguration = { subnets: network.subnet_ids, securityGroups: network.security_group_ids };
    const { service } = await ecs.send(
      new CreateServiceCommand({
        cluster: "apps",
        serviceName: "theirs",
        taskDefinition: "by-hand",
        desiredCount: 1,
        launchType: "FARGATE",
        networkConfiguration: { awsvpcConfiguration },
      }),
    );
    for (const id of [service!.serviceArn!, "apps/theirs", "theirs"]) {
      expect(await driver.import(id)).toMatchObject({
        name: "theirs",
        providerId: service!.serviceArn,
        inputs: { image: "app:2" },
      });
    }
    expect(await driver.import("nobody")).toBeUndefined();
    await expect(driver.create("theirs", { image: "a", ...network })).rejects.toMatchObject({
      class: "already_exists",
    });
    expect(await driver.list()).toContainEqual(expect.objectContaining({ name: "theirs" }));
    await driver.setOwner("theirs", service!.serviceArn!, "line/x");
    expect(await driver.getOwner("theirs", service!.serviceArn!)).toBe("line/x");
    await driver.delete("theirs", service!.serviceArn!);
    // The cluster is not ours.
    expect((await inventory()).clusters).toBe(1);
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    const before = await inventory();
    expect(await createInPieces(cloud, () => driver.create("web", whole(), { token: "t-cut" }))).toBeGreaterThan(6);
    const found = await driver.lookup("web", "t-cut");
    expect(await inventory()).toEqual({ ...all, definitions: before.definitions + 1 });
    await expectQuiet(driver, "web", whole(), found!.providerId);
    await driver.delete("web", found!.providerId);
  });

  test("a create whose process dies before the service is there is found by its token and finished", async () => {
    cloud.proxy.onAnswer("ecs.RegisterTaskDefinition", () => cloud.plugin.kill());
    await expect(driver.create("web", whole(), { token: "t-killed" })).rejects.toMatchObject({ class: "transient" });
    cloud.proxy.reset();
    await cloud.restart();
    const half = await driver.lookup("web", "t-killed");
    expect(half).toMatchObject({ outputs: { status: "incomplete" } });
    const made = await driver.create("web", whole(), { token: "t-killed" });
    expect(made.providerId).toBe(half!.providerId);
    await driver.delete("web", made.providerId);
    expect(await driver.lookup("web", "t-killed")).toBeUndefined();
  });

  test("of a create that fails at the service nothing is lost", async () => {
    const config = { ...whole(), service_name: "other", cluster: "elsewhere" };
    await expectMended(cloud, driver, { operation: "ecs.CreateService", name: "web", config });
    expect(await inventory()).toMatchObject({ roles: 0, logGroups: 0 });
  });

  test("waits until the service is steady, and says why it cannot be", async () => {
    let looks = 0;
    cloud.proxy.rewrite("ecs.DescribeServices", (body) => {
      looks += 1;
      return looks <= 3
        ? body.replaceAll('"COMPLETED"', '"IN_PROGRESS"').replaceAll('"runningCount": 1', '"runningCount": 0')
        : undefined;
    });
    const config = { image: "app:1", ...network };
    const { providerId: arn } = await driver.create("web", config);
    expect(looks).toBeGreaterThan(3);

    cloud.proxy.reset();
    cloud.proxy.rewrite("ecs.DescribeServices", (body) => body.replaceAll('"COMPLETED"', '"FAILED"'));
    await expect(driver.update("web", arn, { ...config, image: "app:none" })).rejects.toMatchObject({
      class: "unknown",
      message: expect.stringContaining("failed"),
    });
    cloud.proxy.reset();
    await driver.delete("web", arn);
  });

  test("waits for a role that ECS does not know yet", async () => {
    const message = "ECS was unable to assume the role that was provided for this task";
    cloud.proxy.fail({
      operation: "ecs.CreateService",
      times: 2,
      fault: { error: "InvalidParameterException", message },
    });
    const { providerId: arn } = await driver.create("web", { image: "app:1", ...network });
    await driver.delete("web", arn);
    cloud.proxy.fail({ operation: "ecs.CreateService", fault: { error: "InvalidParameterException", message: "Bad" } });
    await expect(driver.create("web", { image: "app:1", ...network })).rejects.toMatchObject({
      class: "unknown",
      partialId: arn,
    });
    await driver.delete("web", arn);
  });

  test.each([
    [{ cpu: "256", memory: "4096" }, "512 to 2048"],
    [{ cpu: "300" }, "CPU units"],
    [{ http_port: 1, ports: [{ port: 2 }] }, "exclude"],
    [{ log_retention_days: 4 }, "log_retention_days"],
  ])("refuses %j", async (config, word) => {
    await expect(driver.create("refused", { image: "a", ...config })).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(word),
    });
  });

  test("tiers become pairs that Fargate has", async () => {
    expect(await driver.sizing("m")).toMatchObject({ cpu: "2048", memory: "4096" });
    expect(await driver.sizing("xl")).toMatchObject({ cpu: "8192", memory: "32768" });
  });
});
