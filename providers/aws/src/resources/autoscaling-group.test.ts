import {
  ApplicationAutoScalingClient,
  DeleteScalingPolicyCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  DescribeScheduledActionsCommand,
  ListTagsForResourceCommand,
  RegisterScalableTargetCommand,
  TagResourceCommand,
} from "@aws-sdk/client-application-auto-scaling";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import type { JsonObject } from "@wfctl/model";
import { beforeAll, describe, expect, test } from "vitest";
import { drive } from "@wfctl/testkit/drive";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { createInPieces, isMotoMissing, useAws } from "../../test/testing/harness.ts";

const dimension = "dynamodb:table:ReadCapacityUnits" as const;
const table = (name: string) =>
  ({ service_namespace: "dynamodb", resource_id: `table/${name}`, scalable_dimension: dimension }) as const;

describe.skipIf(isMotoMissing)("infra.autoscaling_group", () => {
  const cloud = useAws();
  const driver = cloud.driver("infra.autoscaling_group");
  let scaling: ApplicationAutoScalingClient;
  beforeAll(() => {
    scaling = new ApplicationAutoScalingClient(cloud.sdk);
  });
  const of = (name: string) => ({ ServiceNamespace: "dynamodb", ResourceId: `table/${name}` }) as const;
  const policies = async (name: string) =>
    (await scaling.send(new DescribeScalingPoliciesCommand(of(name)))).ScalingPolicies!;
  const actions = async (name: string) =>
    (await scaling.send(new DescribeScheduledActionsCommand(of(name)))).ScheduledActions!;
  const targets = async () =>
    (await scaling.send(new DescribeScalableTargetsCommand({ ServiceNamespace: "dynamodb" }))).ScalableTargets!;

  test("goes through its life", async () => {
    const cpu = {
      policy_name: "cpu",
      policy_type: "TargetTrackingScaling",
      target_value: 60,
      predefined_metric_type: "DynamoDBReadCapacityUtilization",
    };
    const steps = {
      policy_name: "steps",
      policy_type: "StepScaling",
      adjustment_type: "ChangeInCapacity",
      step_adjustments: [
        { metric_interval_lower_bound: 0, metric_interval_upper_bound: 10, scaling_adjustment: 1 },
        { metric_interval_lower_bound: 10, scaling_adjustment: 2 },
      ],
    };
    const night = { name: "night", schedule: "cron(0 22 * * ? *)", min_capacity: 1, max_capacity: 1 };
    const config: JsonObject = {
      ...table("orders"),
      min_capacity: 1,
      max_capacity: 10,
      policies: [cpu, steps],
      scheduled_actions: [{ ...night, start_time: "2030-01-01T00:00:00+01:00" }],
      tags: { env: "test" },
    };
    const made = await driver.create("orders", config, { token: "t-orders", owner: "line/orders" });
    const id = made.providerId;
    expect(id).toBe(`dynamodb|table/orders|${dimension}`);
    expect(made).toMatchObject({
      created: true,
      outputs: { min_capacity: 1, max_capacity: 10, policy_names: ["cpu", "steps"] },
    });
    const [live] = await targets();
    const { Tags: tags } = await scaling.send(
      new ListTagsForResourceCommand({ ResourceARN: live!.ScalableTargetARN! }),
    );
    expect(tags).toMatchObject({ env: "test", "wfctl:owner": "line/orders", "wfctl:token": "t-orders" });
    expect(await policies("orders")).toMatchObject([
      { TargetTrackingScalingPolicyConfiguration: { TargetValue: 60, ScaleInCooldown: 300, DisableScaleIn: false } },
      { StepScalingPolicyConfiguration: { Cooldown: 300, StepAdjustments: [{ ScalingAdjustment: 1 }, {}] } },
    ]);
    expect(await actions("orders")).toMatchObject([{ Timezone: "UTC", StartTime: new Date("2029-12-31T23:00:00Z") }]);
    await expectQuiet(driver, "orders", config, id);
    await expectQuiet(driver, "orders", { ...config, policies: [steps, cpu] }, id);

    const custom = {
      policy_name: "cpu",
      policy_type: "TargetTrackingScaling",
      target_value: 5,
      customized_metric: { metric_name: "Depth", namespace: "App", dimensions: { queue: "orders" } },
      scale_in_cooldown: 60,
    };
    const changed = {
      ...config,
      max_capacity: 20,
      policies: [custom, { ...cpu, policy_name: "steps" }],
      scheduled_actions: [night, { ...night, name: "late", timezone: "Europe/Berlin" }],
      suspended: { scale_in: true },
      tags: {},
    };
    expect(await changedPaths(driver, "orders", changed, id)).toEqual([
      "max_capacity",
      "policies",
      "scheduled_actions",
      "suspended.scale_in",
      "tags.env",
    ]);
    const before = made.outputs["policy_fingerprint"];
    const updated = await driver.update("orders", id, changed);
    expect(updated.outputs["policy_fingerprint"]).not.toBe(before);
    await expectQuiet(driver, "orders", changed, id);
    expect(await targets()).toMatchObject([{ MaxCapacity: 20, SuspendedState: { DynamicScalingInSuspended: true } }]);
    expect(
      (await actions("orders")).map(({ ScheduledActionName, StartTime }) => [ScheduledActionName, StartTime]),
    ).toEqual([
      ["night", undefined],
      ["late", undefined],
    ]);
    cloud.proxy.reset();
    await driver.update("orders", id, changed);
    expect(
      cloud.proxy.calls.map(({ operation }) => operation).filter((name) => !/\.(?:Describe|List|Get)/.test(name)),
    ).toEqual([]);

    const gone = { ...of("orders"), ScalableDimension: dimension, PolicyName: "cpu" };
    await scaling.send(new DeleteScalingPolicyCommand(gone));
    const arn = live!.ScalableTargetARN!;
    await scaling.send(new TagResourceCommand({ ResourceARN: arn, Tags: { by: "hand" } }));
    expect(await changedPaths(driver, "orders", changed, id)).toEqual(["policies", "tags.by"]);
    await driver.update("orders", id, changed);
    await expectQuiet(driver, "orders", changed, id);

    for (const by of [id, arn, "orders", "table/orders"]) {
      expect(await driver.import(by)).toMatchObject({ providerId: id, inputs: { max_capacity: 20 } });
    }
    const known = (await driver.read("orders", id))!;
    for (const other of [{ resource_id: "table/x" }, { scalable_dimension: "dynamodb:table:WriteCapacityUnits" }]) {
      expect((await driver.diff("orders", { ...changed, ...other }, known)).needsReplace).toBe(true);
    }
    await driver.delete("orders", id);
    expect([await targets(), await policies("orders"), await actions("orders")]).toEqual([[], [], []]);
    expect(await driver.read("orders", id)).toBeUndefined();
    await driver.delete("orders", id);
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    const policy = {
      policy_name: "p",
      policy_type: "TargetTrackingScaling",
      target_value: 50,
      predefined_metric_type: "DynamoDBReadCapacityUtilization",
    };
    const action = { name: "a", schedule: "rate(1 hour)", min_capacity: 2 };
    const config = {
      ...table("cut"),
      min_capacity: 0,
      max_capacity: 5,
      policies: [policy],
      scheduled_actions: [action],
    };
    expect(await createInPieces(cloud, () => driver.create("cut", config, { token: "t-cut" }))).toBe(3);
    expect([(await targets()).length, (await policies("cut")).length, (await actions("cut")).length]).toEqual([
      1, 1, 1,
    ]);
    const found = await driver.lookup("cut", "t-cut");
    await expectQuiet(driver, "cut", config, found!.providerId);
    await driver.delete("cut", found!.providerId);
    expect(await driver.lookup("cut", "t-cut")).toBeUndefined();
  });

  test("a killed create is found by its token, and ends when it is repeated", async () => {
    const action = { name: "a", schedule: "rate(1 hour)", min_capacity: 2 };
    const config = { ...table("killed"), min_capacity: 0, max_capacity: 5, scheduled_actions: [action] };
    cloud.proxy.onAnswer("application-autoscaling.RegisterScalableTarget", () => cloud.plugin.kill());
    await expect(driver.create("killed", config, { token: "t-killed" })).rejects.toMatchObject({ class: "transient" });
    cloud.proxy.reset();
    await cloud.restart();
    const found = await driver.lookup("killed", "t-killed");
    const made = await driver.create("killed", config, { token: "t-killed" });
    expect(made.providerId).toBe(found?.providerId);
    await expectQuiet(driver, "killed", config, made.providerId);
    await driver.delete("killed", made.providerId);
  });

  test("does not take over the target of another", async () => {
    await scaling.send(
      new RegisterScalableTargetCommand({
        ...of("theirs"),
        ScalableDimension: dimension,
        MinCapacity: 1,
        MaxCapacity: 2,
      }),
    );
    const config = { ...table("theirs"), min_capacity: 1, max_capacity: 9 };
    await expect(driver.create("theirs", config)).rejects.toMatchObject({ class: "already_exists" });
    const imported = (await driver.import("table/theirs"))!;
    await driver.setOwner("theirs", imported.providerId, "line/x");
    expect(await driver.getOwner("theirs", imported.providerId)).toBe("line/x");
    expect(await driver.list()).toContainEqual(expect.objectContaining({ name: "table/theirs" }));
    await driver.update("theirs", imported.providerId, config);
    await expectQuiet(driver, "theirs", config, imported.providerId);
    await driver.delete("theirs", imported.providerId);
  });

  test("scales a service that is given by its ARN", async () => {
    const ecs = new ECSClient(cloud.sdk);
    await ecs.send(new CreateClusterCommand({ clusterName: "main" }));
    await ecs.send(
      new RegisterTaskDefinitionCommand({
        family: "web",
        containerDefinitions: [{ name: "web", image: "x", memory: 64 }],
      }),
    );
    const { service } = await ecs.send(
      new CreateServiceCommand({ cluster: "main", serviceName: "web", taskDefinition: "web", desiredCount: 1 }),
    );
    const config = { resource_id: service!.serviceArn!, min_capacity: 1, max_capacity: 3 };
    const made = await driver.create("web", config);
    expect(made.providerId).toBe("ecs|service/main/web|ecs:service:DesiredCount");
    await expectQuiet(driver, "web", config, made.providerId);
    expect((await driver.import(service!.serviceArn!))?.providerId).toBe(made.providerId);
    await driver.delete("web", made.providerId);
    // One that is given by nothing but the resource's name.
    await ecs.send(new CreateClusterCommand({ clusterName: "default" }));
    await ecs.send(new CreateServiceCommand({ serviceName: "plain", taskDefinition: "web", desiredCount: 1 }));
    const named = await driver.create("plain", { min_capacity: 1, max_capacity: 3 }, { token: "t-plain" });
    expect(named.providerId).toBe("ecs|service/default/plain|ecs:service:DesiredCount");
    await expectQuiet(driver, "plain", { min_capacity: 1, max_capacity: 3 }, named.providerId);
    await driver.delete("plain", named.providerId);
  });

  test("works in a region of its own", async () => {
    const config = { ...table("far"), region: "eu-west-1", min_capacity: 0, max_capacity: 1 };
    const made = await driver.create("far", config, { token: "t-far" });
    expect(made.providerId).toMatch(/@eu-west-1$/);
    await expectQuiet(driver, "far", config, made.providerId);
    expect((await driver.lookup("far", "t-far"))?.providerId).toBe(made.providerId);
    await driver.delete("far", made.providerId);
  });

  test("lives at a server that knows neither tags nor the newer namespaces", async () => {
    const plugin = await cloud.start({});
    const bare = drive(() => plugin, "infra.autoscaling_group");
    cloud.proxy.fail({
      operation: /^application-autoscaling\.(?:ListTags|Tag|Untag)/,
      times: 99,
      fault: { error: "InternalFailure", status: 501 },
    });
    cloud.proxy.fail({
      operation: "application-autoscaling.DescribeScalableTargets",
      body: '"neptune"',
      times: 99,
      fault: { error: "ValidationException" },
    });
    const config = { ...table("bare"), min_capacity: 0, max_capacity: 1, tags: { team: "blue" } };
    const { providerId: id } = await bare.create("bare", config, { token: "t-bare" });
    await expectQuiet(bare, "bare", config, id);
    expect(await changedPaths(bare, "bare", { ...config, max_capacity: 2 }, id)).toEqual(["max_capacity"]);
    await bare.update("bare", id, { ...config, max_capacity: 2 });
    expect(await bare.list()).toContainEqual(expect.objectContaining({ providerId: id }));
    expect(await bare.lookup("bare", "t-bare")).toBeUndefined();
    await expect(bare.create("bare", config, { token: "t-again" })).rejects.toMatchObject({ class: "already_exists" });
    await bare.delete("bare", id);
    expect(await bare.read("bare", id)).toBeUndefined();
  });

  test.each([
    [{ min_capacity: 2, max_capacity: 1 }, "above max_capacity"],
    [{ service_namespace: "dynamodb" }, "scalable_dimension"],
    [{ service_namespace: "dynamodb", resource_id: undefined, scalable_dimension: dimension }, "resource_id"],
    [{ scalable_dimension: dimension }, 'of "ecs"'],
    [{ policies: [{ policy_name: "p", policy_type: "Other" }] }, "policy_type"],
    [{ policies: [{ policy_name: "p", policy_type: "TargetTrackingScaling", target_value: 1 }] }, "customized_metric"],
    [{ policies: [{ policy_name: "p", policy_type: "StepScaling", step_adjustments: [] }] }, "adjustment_type"],
    [{ scheduled_actions: [{ name: "x", schedule: "cron(* * * * ? *)" }] }, "min_capacity"],
  ])("refuses %j", async (config, word) => {
    const base = { resource_id: "service/a/b", min_capacity: 0, max_capacity: 1 };
    await expect(driver.create("refused", { ...base, ...config } as JsonObject)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(word),
    });
  });
});
