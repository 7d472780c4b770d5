import { CloudWatchLogsClient, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  EC2Client,
  ModifyVpcAttributeCommand,
} from "@aws-sdk/client-ec2";
import { ECSClient, ListTaskDefinitionsCommand, StopTaskCommand } from "@aws-sdk/client-ecs";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, ListAccessKeysCommand } from "@aws-sdk/client-iam";
import { encodeCallContext, iac, serverStreamCall, unaryCall } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";
import { beforeAll, describe, expect, test } from "vitest";
import { isMotoMissing, useAws } from "./testing/harness.ts";

describe.skipIf(isMotoMissing)("services of the provider", () => {
  const cloud = useAws({ ecs_cluster: "apps" });
  let subnet: string;
  let group: string;
  let logs: CloudWatchLogsClient;
  beforeAll(async () => {
    logs = new CloudWatchLogsClient(cloud.sdk);
    const ec2 = new EC2Client(cloud.sdk);
    const { Vpc: vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
    // moto's tasks need a host name.
    await ec2.send(new ModifyVpcAttributeCommand({ VpcId: vpc!.VpcId!, EnableDnsHostnames: { Value: true } }));
    const made = await ec2.send(new CreateSubnetCommand({ VpcId: vpc!.VpcId!, CidrBlock: "10.0.0.0/24" }));
    subnet = made.Subnet!.SubnetId!;
    const fence = { GroupName: "jobs", Description: "jobs", VpcId: vpc!.VpcId! };
    group = (await ec2.send(new CreateSecurityGroupCommand(fence))).GroupId!;
  });
  const put = async (group: string, stream: string, messages: readonly string[]) => {
    const place = { logGroupName: group, logStreamName: stream };
    await logs.send(new CreateLogStreamCommand(place));
    const logEvents = messages.map((message, index) => ({ message, timestamp: Date.now() - 60_000 + index }));
    await logs.send(new PutLogEventsCommand({ ...place, logEvents }));
  };
  const read = async (stream: AsyncIterable<iac.LogChunk>): Promise<string[]> => {
    const lines: string[] = [];
    for await (const { data } of stream)
      lines.push(
        ...Buffer.from(data)
          .toString()
          .split("\n")
          .filter((line) => line !== ""),
      );
    return lines.map((line) => line.replace(/^\S+ /, ""));
  };

  test("regions are those of the account", async () => {
    const { response } = await unaryCall(cloud.plugin.client, iac.IaCProviderRegionLister.method.listRegions, {});
    expect(response.regions.map(({ name }) => name)).toEqual(expect.arrayContaining(["eu-central-1", "us-east-1"]));
  });

  test("an access key is revoked, once and again", async () => {
    const iam = new IAMClient(cloud.sdk);
    await iam.send(new CreateUserCommand({ UserName: "robot" }));
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: "robot" }));
    const revoke = (credentialId: string, source = "aws.access_key") =>
      unaryCall(cloud.plugin.client, iac.IaCProviderCredentialRevoker.method.revokeProviderCredential, {
        source,
        credentialId,
      });
    await revoke(key!.AccessKeyId!);
    expect((await iam.send(new ListAccessKeysCommand({ UserName: "robot" }))).AccessKeyMetadata).toEqual([]);
    await expect(revoke("AKIAIOSFODNN7EXAMPLE", "digitalocean.spaces")).rejects.toMatchObject({
      details: expect.stringContaining("aws"),
    });
    await expect(revoke("not-a-key")).rejects.toMatchObject({ details: expect.not.stringContaining("not-a-key") });
  });

  test("logs of a service: the last lines, and those of one container", async () => {
    const driver = cloud.driver("infra.container_service");
    const made = await driver.create("web", { image: "app:1", subnet_ids: [subnet], security_group_ids: [] });
    await put("/ecs/apps/web", "web/web/1", ["one", "two", "three"]);
    await put("/ecs/apps/web", "agent/agent/1", ["agent one"]);
    const capture = (request: object) =>
      read(serverStreamCall(cloud.plugin.client, iac.IaCProviderLogCapture.method.captureLogs, request));
    const base = { resourceName: "web", resourceType: "infra.container_service", providerId: made.providerId };
    expect(await capture({ ...base, tailLines: 2, componentName: "web" })).toEqual(["two", "three"]);
    expect(await capture({ ...base, tailLines: 10 })).toHaveLength(4);
    expect(await capture({ ...base, providerId: "", componentName: "agent" })).toEqual(["agent one"]);
    await expect(capture({ ...base, resourceType: "infra.vpc" })).rejects.toMatchObject({
      details: expect.stringContaining("no logs"),
    });
    await driver.delete("web", made.providerId);
  });

  describe("jobs", () => {
    const { runJob, jobStatus, jobLogs } = iac.IaCProviderRunner.method;
    const role = "arn:aws:iam::123456789012:role/tasks";
    const spec = {
      name: "migrate db",
      kind: "PRE_DEPLOY",
      image: "app:1",
      runCommand: "migrate up",
      envVars: { A: "1" },
    };

    test("run as tasks, and leave no definition behind", async () => {
      const plugin = await cloud.start({
        ecs_subnet_ids: subnet,
        ecs_security_group_ids: [group],
        ecs_task_execution_role_arn: role,
      });
      const ecs = new ECSClient(cloud.sdk);
      const run = () =>
        unaryCall(plugin.client, runJob, spec, { metadata: encodeCallContext({ clientToken: "job-1", run: "r" }) });
      const { response: handle } = await run();
      expect(handle).toMatchObject({ name: "migrate db", provider: "aws", id: expect.stringContaining("task/apps/") });
      const { response: running } = await unaryCall(plugin.client, jobStatus, handle);
      expect([iac.JobState.PENDING, iac.JobState.RUNNING]).toContain(running.state);
      await ecs.send(new StopTaskCommand({ cluster: "apps", task: handle.id }));
      const { response: over } = await unaryCall(plugin.client, jobStatus, handle);
      expect([iac.JobState.FAILED, iac.JobState.CANCELLED, iac.JobState.SUCCEEDED]).toContain(over.state);
      await put("/workflow/provider-ephemeral", `job/job/${handle.id.split("/").at(-1)}`, ["migrated"]);
      expect(await read(serverStreamCall(plugin.client, jobLogs, handle))).toEqual(["migrated"]);
      const { taskDefinitionArns } = await ecs.send(
        new ListTaskDefinitionsCommand({ familyPrefix: "wfctl-job-migrate-db", status: "ACTIVE" }),
      );
      expect(taskDefinitionArns).toEqual([]);
      const request = cloud.proxy.calls.find(({ operation }) => operation === "ecs.RunTask");
      expect(JSON.parse(request!.body)).toMatchObject({
        launchType: "FARGATE",
        clientToken: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
    });

    test.each([
      [{ kind: "SCHEDULED", cron: "* * * * *" }, "schedule"],
      [{ image: "" }, "no image"],
      [{ envVarsSecret: { DB: "secret://db" } }, "DB must be ARNs"],
    ])("refuse %j", async (other, word) => {
      await expect(unaryCall(cloud.plugin.client, runJob, { ...spec, ...other })).rejects.toMatchObject({
        details: expect.stringContaining(word),
      });
    });
  });

  describe("the validator", () => {
    const check = async (resources: readonly { name: string; type: string; config: JsonObject }[]) => {
      const actions = resources.map(({ name, type, config }) => ({
        action: "create",
        resource: { name, type, configJson: Buffer.from(JSON.stringify(config)) },
      }));
      const rpc = iac.IaCProviderValidator.method.validatePlan;
      const { response } = await unaryCall(cloud.plugin.client, rpc, { plan: { id: "p", actions } });
      const { PLAN_DIAGNOSTIC_ERROR: error } = iac.PlanDiagnosticSeverity;
      return response.diagnostics.map(
        ({ severity, resource, field, message }) =>
          `${severity === error ? "error" : "warning"} ${resource} ${field}: ${message}`,
      );
    };
    const net = (subnets: JsonObject, other: JsonObject = {}) => ({
      name: "net",
      type: "infra.vpc",
      config: { subnets, ...other },
    });
    const oneZone = { a: { cidr: "10.0.0.0/24", zone: "a" }, b: { cidr: "10.0.1.0/24", zone: "us-east-1a" } };
    const twoZones = { a: { cidr: "10.0.0.0/24", zone: "a" }, b: { cidr: "10.0.1.0/24", zone: "b" } };
    const database = { name: "db", type: "infra.database", config: { subnet_ids: "${net.private_subnet_ids}" } };

    test("finds a database in one zone", async () => {
      expect(await check([net(oneZone), database])).toEqual([
        expect.stringContaining("error db subnet_ids: a database needs subnets in two zones"),
      ]);
      expect(await check([net(twoZones), database])).toEqual([]);
      expect(await check([net({ a: { cidr: "10.0.0.0/24" }, b: { cidr: "10.0.1.0/24" } }), database])).toEqual([]);
    });

    test("finds classes that AWS does not have", async () => {
      const odd = { ...database, config: { instance_class: "db.x99.enormous" } };
      expect(await check([odd])).toEqual([expect.stringContaining('warning db instance_class: "db.x99.enormous"')]);
      expect(await check([{ ...database, config: { instance_class: "db.r6g.2xlarge" } }])).toEqual([]);
    });

    test("finds what the schemas refuse", async () => {
      const service = {
        name: "web",
        type: "infra.container_service",
        config: { image: "a", cpu: "256", memory: "8192" },
      };
      expect(await check([service])).toEqual([expect.stringContaining("error web memory: fargate has no 8192 MiB")]);
      expect(await check([net({ a: { cidr: "10.9.0.0/24" } })])).toEqual([expect.stringContaining("is not within")]);
    });

    test("finds open doors", async () => {
      const rules = [
        { port: 22, cidr: "0.0.0.0/0" },
        { from_port: 80 },
        { port: 443, cidr: "0.0.0.0/0" },
        { port: 22, group: "self" },
      ];
      const found = await check([{ name: "fw", type: "infra.firewall", config: { ingress_rules: rules } }]);
      expect(found).toEqual([
        expect.stringContaining("warning fw ingress_rules.0: opens SSH"),
        expect.stringContaining("warning fw ingress_rules.1: names no source"),
      ]);
    });

    test("finds ranges that overlap, buckets of one name, policies that are blocked, tasks without a way out", async () => {
      const policy = {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "*" }],
      };
      const found = await check([
        net(twoZones),
        { name: "other", type: "infra.vpc", config: { cidr: "10.0.0.0/20" } },
        { name: "one-bucket", type: "infra.storage", config: {} },
        { name: "site", type: "infra.storage", config: { bucket: "one-bucket", policy } },
        {
          name: "web",
          type: "infra.container_service",
          config: { image: "a", subnet_ids: "${net.private_subnet_ids}" },
        },
      ]);
      expect(found).toEqual([
        expect.stringContaining('warning net cidr: overlaps VPC "other"'),
        expect.stringContaining('error one-bucket bucket: is the bucket of "site"'),
        expect.stringContaining("error site policy: is public"),
        expect.stringContaining("warning web subnet_ids: tasks in the private subnets"),
      ]);
    });
  });
});
