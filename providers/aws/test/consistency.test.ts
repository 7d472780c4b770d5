import { describe, expect, test } from "vitest";
import { isMotoMissing, useAws } from "./testing/harness.ts";

/** What AWS does in production and moto never: it learns late of what is new, and refuses what is busy. */
describe.skipIf(isMotoMissing)("with an AWS that is consistent only in the end", () => {
  const cloud = useAws();
  const count = (operation: string) => cloud.proxy.calls.filter((call) => call.operation === operation).length;

  test("parts of a new object wait until AWS knows the object everywhere", async () => {
    const late = { error: "NoSuchEntity", status: 404, message: "The role with name late cannot be found." };
    cloud.proxy.fail({ operation: "iam.AttachRolePolicy", times: 2, fault: late });
    cloud.proxy.fail({
      operation: "ec2.CreateSubnet",
      times: 2,
      fault: {
        error: "InvalidVpcID.NotFound",
        message: (body) => `The vpc ID '${/VpcId=(vpc-\w+)/.exec(body)?.[1]}' does not exist`,
      },
    });
    cloud.proxy.fail({ operation: "ec2.AttachInternetGateway", fault: gatewayMissing });
    cloud.proxy.fail({ operation: "s3.PutBucketVersioning", times: 2, fault: { error: "NoSuchBucket", status: 404 } });
    const role = cloud.driver("infra.iam_role");
    const vpc = cloud.driver("infra.vpc");
    const bucket = cloud.driver("infra.storage");
    const policies = { policy_arns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"] };
    const subnets = { subnets: { a: { cidr: "10.0.0.0/24", public: true } } };
    const made = await Promise.all([
      role.create("late", policies, { token: "t-role" }),
      vpc.create("late", subnets, { token: "t-vpc" }),
      bucket.create("late-bucket", { versioning: true }, { token: "t-bucket" }),
    ]);
    expect(made.map(({ created }) => created)).toEqual([true, true, true]);
    await role.delete("late", made[0].providerId);
    await vpc.delete("late", made[1].providerId);
    await bucket.delete("late-bucket", made[2].providerId);
  });

  test("what is missing for good fails at once", async () => {
    const role = cloud.driver("infra.iam_role");
    const refused = { error: "NoSuchEntity", status: 404, message: "Policy none does not exist or is not attachable." };
    cloud.proxy.fail({ operation: "iam.AttachRolePolicy", fault: refused });
    const config = { policy_arns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"] };
    await expect(role.create("wrong", config, { token: "t-wrong" })).rejects.toMatchObject({
      class: "unknown",
      message: expect.stringContaining("does not exist or is not attachable"),
    });
    cloud.proxy.reset();
    await role.delete("wrong", `arn:aws:iam::${cloud.accountId}:role/wrong`);
  });

  test("a change that is in the way of another is waited for", async () => {
    const bucket = cloud.driver("infra.storage");
    const role = cloud.driver("infra.iam_role");
    const api = cloud.driver("infra.api_gateway");
    cloud.proxy.fail({
      operation: "s3.PutBucketVersioning",
      times: 3,
      fault: { error: "OperationAborted", status: 409 },
    });
    cloud.proxy.fail({
      operation: "iam.UpdateRole",
      times: 2,
      fault: { error: "ConcurrentModification", status: 409 },
    });
    cloud.proxy.fail({
      operation: "apigatewayv2.CreateRoute",
      fault: {
        error: "ConflictException",
        status: 409,
        message: "Unable to complete operation due to concurrent modification. Please try again later.",
      },
    });
    await bucket.create("busy-bucket", { versioning: true }, { token: "t-busy" });
    const made = await role.create("busy", {}, { token: "t-busy" });
    await role.update("busy", made.providerId, { description: "changed" });
    const routed = await api.create(
      "busy",
      {
        integrations: { shop: { type: "HTTP_PROXY", uri: "https://example.com" } },
        routes: [{ route_key: "GET /", integration: "shop" }],
      },
      { token: "t-busy" },
    );
    expect(count("apigatewayv2.CreateRoute")).toBe(1);
    await bucket.delete("busy-bucket", "busy-bucket");
    await role.delete("busy", made.providerId);
    await api.delete("busy", routed.providerId);
  });

  test("a database that is at something else is changed and deleted when it has ended", async () => {
    const driver = cloud.driver("infra.database");
    const config = { master_password: "long-enough" };
    const { providerId } = await driver.create("busy", config, { token: "t-db" });
    // Storage that has grown is rearranged for hours: the database is up.
    cloud.proxy.rewrite("rds.DescribeDBInstances", (body) => body.replaceAll(">available<", ">storage-optimization<"));
    const busy = { error: "InvalidDBInstanceState", status: 400 };
    cloud.proxy.fail({ operation: "rds.ModifyDBInstance", fault: busy });
    const { status } = await driver.update("busy", providerId, { ...config, backup_retention_days: 3 });
    expect(status).toBe("running");
    expect(await driver.health("busy", providerId)).toMatchObject({ healthy: true });
    cloud.proxy.fail({ operation: "rds.DeleteDBInstance", fault: busy });
    await driver.delete("busy", providerId);
    expect(await driver.read("busy", providerId)).toBeUndefined();
  });

  test("a database that is stopped is not waited for", async () => {
    const driver = cloud.driver("infra.database");
    const config = { master_password: "long-enough" };
    const { providerId } = await driver.create("stopped", config, { token: "t-stopped" });
    cloud.proxy.rewrite("rds.DescribeDBInstances", (body) => body.replaceAll(">available<", ">stopped<"));
    await expect(driver.update("stopped", providerId, { ...config, multi_az: true })).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining("is stopped: start it first"),
    });
    cloud.proxy.reset();
    await driver.delete("stopped", providerId);
  });

  test("a service waits for roles and listeners that ECS does not know yet", async () => {
    const driver = cloud.driver("infra.container_service");
    const messages = [
      "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
      "The target group with targetGroupArn arn:aws:x does not have an associated load balancer.",
    ];
    for (const [after, message] of messages.entries()) {
      cloud.proxy.fail({
        operation: "ecs.CreateService",
        after,
        fault: { error: "InvalidParameterException", message },
      });
    }
    const { providerId, created } = await driver.create("late", { image: "nginx" }, { token: "t-service" });
    expect(created).toBe(true);
    await driver.delete("late", providerId);
  });
});

const gatewayMissing = {
  error: "InvalidInternetGatewayID.NotFound",
  message: (body: string) => `The internetGateway ID '${/InternetGatewayId=(igw-\w+)/.exec(body)?.[1]}' does not exist`,
};
