import {
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  AddRoleToInstanceProfileCommand,
  CreateRoleCommand,
  DetachRolePolicyCommand,
  GetInstanceProfileCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  PutRolePolicyCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { isMotoMissing, useAws } from "../../test/testing/harness.ts";

const trust = (service: string) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: ["sts:AssumeRole"] }],
});
const allow = (action: string) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: action, Resource: "*" }],
});
const managed = (name: string) => `arn:aws:iam::aws:policy/${name}`;

describe.skipIf(isMotoMissing)("infra.iam_role", () => {
  const cloud = useAws();
  const driver = cloud.driver("infra.iam_role");
  let iam: IAMClient;
  beforeAll(() => {
    iam = new IAMClient(cloud.sdk);
  });

  test("goes through its life", async () => {
    const config = {
      assume_role_policy: JSON.stringify(trust("ecs-tasks.amazonaws.com")),
      description: "of tasks",
      path: "/app/",
      policy_arns: [managed("ReadOnlyAccess"), managed("AmazonS3FullAccess")],
      inline_policies: { queue: allow("sqs:SendMessage") },
      permissions_boundary: managed("PowerUserAccess"),
      max_session_duration: 7200,
      instance_profile: true,
      tags: { env: "test" },
    };
    const made = await driver.create("tasks", config, { token: "t-tasks", owner: "line/tasks" });
    const arn = `arn:aws:iam::${cloud.accountId}:role/app/tasks`;
    expect(made).toMatchObject({ providerId: arn, created: true, outputs: { arn, description: "of tasks" } });
    const { Role: role } = await iam.send(new GetRoleCommand({ RoleName: "tasks" }));
    expect(role).toMatchObject({
      MaxSessionDuration: 7200,
      PermissionsBoundary: { PermissionsBoundaryArn: managed("PowerUserAccess") },
    });
    expect(role?.Tags).toContainEqual({ Key: "wfctl:owner", Value: "line/tasks" });
    await iam.send(new GetRolePolicyCommand({ RoleName: "tasks", PolicyName: "queue" }));
    const { InstanceProfile: profile } = await iam.send(
      new GetInstanceProfileCommand({ InstanceProfileName: "tasks" }),
    );
    expect(profile?.Roles?.map(({ RoleName }) => RoleName)).toEqual(["tasks"]);
    await expectQuiet(driver, "tasks", config, arn);
    await expectQuiet(
      driver,
      "tasks",
      { ...config, role_name: "tasks", policy_arns: config.policy_arns.toReversed() },
      arn,
    );

    const { permissions_boundary: _boundary, inline_policies: _inline, ...rest } = config;
    const changed = {
      ...rest,
      assume_role_policy: trust("ec2.amazonaws.com"),
      policy_arns: [managed("AmazonS3FullAccess"), managed("CloudWatchFullAccess")],
      instance_profile: false,
      tags: {},
    };
    expect(await changedPaths(driver, "tasks", changed, arn)).toEqual([
      "assume_role_policy",
      "inline_policies",
      "instance_profile",
      "permissions_boundary",
      "policy_arns",
      "tags.env",
    ]);
    await driver.update("tasks", arn, changed);
    const { AttachedPolicies: attached } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: "tasks" }));
    expect(attached?.map(({ PolicyName }) => PolicyName).toSorted()).toEqual([
      "AmazonS3FullAccess",
      "CloudWatchFullAccess",
    ]);
    await expect(iam.send(new GetRolePolicyCommand({ RoleName: "tasks", PolicyName: "queue" }))).rejects.toMatchObject({
      name: "NoSuchEntityException",
    });
    await expect(iam.send(new GetInstanceProfileCommand({ InstanceProfileName: "tasks" }))).rejects.toMatchObject({
      name: "NoSuchEntityException",
    });
    await expectQuiet(driver, "tasks", changed, arn);
    const moved = await driver.diff("tasks", { ...changed, path: "/" }, (await driver.read("tasks", arn))!);
    expect(moved.needsReplace).toBe(true);

    await driver.delete("tasks", arn);
    await expect(iam.send(new GetRoleCommand({ RoleName: "tasks" }))).rejects.toMatchObject({
      name: "NoSuchEntityException",
    });
    expect(await driver.read("tasks", arn)).toBeUndefined();
    await driver.delete("tasks", arn);
  });

  test("shows drift of what it manages, and leaves alone what it does not", async () => {
    const config = { policy_arns: [managed("ReadOnlyAccess")] };
    const { providerId: arn } = await driver.create("drift", config);
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: "drift",
        PolicyName: "by-hand",
        PolicyDocument: JSON.stringify(allow("s3:*")),
      }),
    );
    await expectQuiet(driver, "drift", config, arn);
    await iam.send(new DetachRolePolicyCommand({ RoleName: "drift", PolicyArn: managed("ReadOnlyAccess") }));
    await iam.send(new AttachRolePolicyCommand({ RoleName: "drift", PolicyArn: managed("AdministratorAccess") }));
    await iam.send(new UpdateRoleCommand({ RoleName: "drift", Description: "changed", MaxSessionDuration: 3600 }));
    expect(await changedPaths(driver, "drift", config, arn)).toEqual(["description", "policy_arns"]);
    await driver.update("drift", arn, config);
    await expectQuiet(driver, "drift", config, arn);
    await iam.send(new GetRolePolicyCommand({ RoleName: "drift", PolicyName: "by-hand" }));
    await driver.delete("drift", arn);
  });

  test("is imported by name and by ARN", async () => {
    const { Role: role } = await iam.send(
      new CreateRoleCommand({
        RoleName: "by-hand",
        Path: "/x/",
        AssumeRolePolicyDocument: JSON.stringify(trust("ec2.amazonaws.com")),
      }),
    );
    await iam.send(new AttachRolePolicyCommand({ RoleName: "by-hand", PolicyArn: managed("ReadOnlyAccess") }));
    for (const id of ["by-hand", role!.Arn!]) {
      expect(await driver.import(id)).toMatchObject({
        name: "by-hand",
        providerId: role!.Arn,
        inputs: { path: "/x/", policy_arns: [managed("ReadOnlyAccess")] },
      });
    }
    expect(await driver.import("nobody")).toBeUndefined();
    // A profile of someone else's keeps its life, without the role.
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: "theirs" }));
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: "theirs", RoleName: "by-hand" }));
    await driver.delete("by-hand", role!.Arn!);
    const { InstanceProfile: left } = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName: "theirs" }));
    expect(left?.Roles ?? []).toEqual([]);
  });

  test.each(["iam.CreateRole", "iam.AttachRolePolicy", "iam.PutRolePolicy", "iam.AddRoleToInstanceProfile"])(
    "a create whose answer to %s is lost is finished by the same token",
    async (operation) => {
      const config = {
        policy_arns: [managed("ReadOnlyAccess")],
        inline_policies: { a: allow("s3:*") },
        instance_profile: true,
      };
      cloud.proxy.fail({ operation, fault: "lose-reply" });
      await expect(driver.create("lost", config, { token: "t-lost" })).rejects.toMatchObject({ class: "transient" });
      const found = await driver.lookup("lost", "t-lost");
      expect(found?.providerId).toMatch(/role\/lost$/);
      const made = await driver.create("lost", config, { token: "t-lost" });
      expect([made.providerId, made.created]).toEqual([found?.providerId, undefined]);
      await expectQuiet(driver, "lost", config, made.providerId);
      await driver.delete("lost", made.providerId);
      expect(await driver.lookup("lost", "t-lost")).toBeUndefined();
    },
  );

  test("a replacement stands beside the old role under a name of its own", async () => {
    const old = await driver.create("swap", { path: "/old/" }, { token: "t-1", owner: "line/swap" });
    const config = { path: "/new/" };
    const made = await driver.create("swap", config, { token: "t-2", owner: "line/swap" });
    expect(made.outputs["role_name"]).toMatch(/^swap-[0-9a-f]{8}$/);
    expect(await driver.create("swap", config, { token: "t-2", owner: "line/swap" })).toMatchObject({
      providerId: made.providerId,
    });
    await driver.delete("swap", old.providerId);
    expect(await driver.create("swap", config, { token: "t-2", owner: "line/swap" })).toMatchObject({
      providerId: made.providerId,
    });
    await expectQuiet(driver, "swap", config, made.providerId);
    const chosen = { role_name: made.outputs["role_name"] as string };
    await expect(driver.create("swap", chosen, { token: "t-3", owner: "line/swap" })).rejects.toMatchObject({
      class: "already_exists",
      message: expect.stringContaining("delete-first"),
    });
    await expect(driver.create("swap", chosen, { owner: "line/other" })).rejects.toMatchObject({
      class: "already_exists",
    });
    await driver.delete("swap", made.providerId);
  });

  test("is listed, but for roles of AWS itself", async () => {
    await driver.create("listed", { role_name: "real-name" }, { owner: "line/listed" });
    const listed = await driver.list();
    expect(listed).toContainEqual(expect.objectContaining({ name: "listed" }));
    expect(listed.some(({ providerId }) => providerId.includes("aws-service-role"))).toBe(false);
    const { providerId } = listed.find(({ name }) => name === "listed")!;
    await driver.setOwner("listed", providerId, "line/else");
    expect(await driver.getOwner("listed", providerId)).toBe("line/else");
    await driver.delete("listed", providerId);
  });

  test("waits for principals that are not known yet, and not for other mistakes", async () => {
    const message = "Invalid principal in policy";
    cloud.proxy.fail({ operation: "iam.CreateRole", times: 2, fault: { error: "MalformedPolicyDocument", message } });
    const { providerId } = await driver.create("patient", {});
    await driver.delete("patient", providerId);
    cloud.proxy.fail({
      operation: "iam.CreateRole",
      fault: { error: "MalformedPolicyDocument", message: "Syntax error" },
    });
    await expect(driver.create("patient", {})).rejects.toMatchObject({ class: "validation" });
    await expect(driver.create("patient", { assume_role_policy: "no json" })).rejects.toMatchObject({
      class: "validation",
    });
  });
});
