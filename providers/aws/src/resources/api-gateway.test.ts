import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateRouteCommand,
  GetApiCommand,
  GetApisCommand,
  GetIntegrationsCommand,
  GetRoutesCommand,
  GetStagesCommand,
  TagResourceCommand,
} from "@aws-sdk/client-apigatewayv2";
import type { JsonObject } from "@wfctl/model";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { createInPieces, isMotoMissing, useAws } from "../../test/testing/harness.ts";

const lambda = "arn:aws:lambda:us-east-1:123456789012:function:orders";

describe.skipIf(isMotoMissing)("infra.api_gateway", () => {
  const cloud = useAws();
  const driver = cloud.driver("infra.api_gateway");
  let gateway: ApiGatewayV2Client;
  beforeAll(() => {
    gateway = new ApiGatewayV2Client(cloud.sdk);
  });
  const routes = async (ApiId: string) =>
    (await gateway.send(new GetRoutesCommand({ ApiId }))).Items!.toSorted((a, b) =>
      a.RouteKey! < b.RouteKey! ? -1 : 1,
    );
  const integrations = async (ApiId: string) => (await gateway.send(new GetIntegrationsCommand({ ApiId }))).Items!;
  const stages = async (ApiId: string) => (await gateway.send(new GetStagesCommand({ ApiId }))).Items!;
  const count = async () => (await gateway.send(new GetApisCommand({}))).Items!.length;

  test("goes through its life", async () => {
    const config: JsonObject = {
      description: "Orders",
      cors: { allow_origins: ["https://example.com"], allow_methods: ["GET", "POST"] },
      integrations: {
        orders: { uri: lambda },
        web: {
          type: "HTTP_PROXY",
          uri: "https://web.example.com/{proxy}",
          request_parameters: { "overwrite:path": "/x" },
        },
      },
      authorizers: [{ name: "users", issuer: "https://id.example.com", audience: ["app"] }],
      routes: [
        { route_key: "$default", integration: "web" },
        {
          route_key: "POST /orders",
          integration: "orders",
          authorization_type: "JWT",
          authorizer: "users",
          authorization_scopes: ["write"],
        },
      ],
      tags: { env: "test" },
    };
    const made = await driver.create("orders", config, { token: "t-orders", owner: "line/orders" });
    const id = made.providerId;
    expect(made).toMatchObject({
      created: true,
      outputs: {
        api_id: id,
        protocol: "HTTP",
        endpoint: `https://${id}.execute-api.us-east-1.amazonaws.com`,
        execution_arn: `arn:aws:execute-api:us-east-1:${cloud.accountId}:${id}`,
        stage_urls: { $default: `https://${id}.execute-api.us-east-1.amazonaws.com` },
      },
    });
    const api = await gateway.send(new GetApiCommand({ ApiId: id }));
    expect(api).toMatchObject({
      Name: "orders",
      CorsConfiguration: { AllowOrigins: ["https://example.com"] },
      Tags: { env: "test", "wfctl:owner": "line/orders", "wfctl:token": "t-orders" },
    });
    expect(await integrations(id)).toMatchObject([
      { Description: "orders", IntegrationMethod: "POST", PayloadFormatVersion: "2.0", IntegrationUri: lambda },
      { Description: "web", IntegrationMethod: "ANY", RequestParameters: { "overwrite:path": "/x" } },
    ]);
    expect(await routes(id)).toMatchObject([
      { RouteKey: "$default", AuthorizationType: "NONE" },
      { RouteKey: "POST /orders", AuthorizationType: "JWT", AuthorizationScopes: ["write"] },
    ]);
    expect(await stages(id)).toMatchObject([{ StageName: "$default", AutoDeploy: true }]);
    await expectQuiet(driver, "orders", config, id);

    const changed: JsonObject = {
      api_name: "shop",
      description: "Shop",
      integrations: {
        orders: { uri: lambda, timeout_ms: 5000 },
        other: { type: "HTTP_PROXY", uri: "https://other.example.com", method: "GET" },
      },
      routes: [
        { route_key: "GET /other", integration: "other" },
        { route_key: "POST /orders", integration: "orders" },
      ],
      stages: [{ name: "$default", throttling_burst_limit: 10, variables: { a: "1" } }, { name: "beta" }],
      tags: { env: "two" },
    };
    expect(await changedPaths(driver, "orders", changed, id)).toEqual([
      "api_name",
      "authorizers",
      "cors",
      "description",
      "integrations.orders.timeout_ms",
      "integrations.other",
      "integrations.web",
      "routes",
      "stages",
      "tags.env",
    ]);
    await driver.update("orders", id, changed);
    await expectQuiet(driver, "orders", changed, id);
    expect(await routes(id)).toMatchObject([
      { RouteKey: "GET /other" },
      { RouteKey: "POST /orders", AuthorizationType: "NONE" },
    ]);
    expect((await integrations(id)).map(({ Description }) => Description)).toEqual(["orders", "other"]);
    expect(await stages(id)).toMatchObject([
      { StageName: "$default", StageVariables: { a: "1" }, DefaultRouteSettings: { ThrottlingBurstLimit: 10 } },
      { StageName: "beta" },
    ]);
    expect((await gateway.send(new GetApiCommand({ ApiId: id }))).CorsConfiguration).toBeUndefined();
    cloud.proxy.reset();
    await driver.update("orders", id, changed);
    expect(cloud.proxy.calls.map(({ operation }) => operation).filter((name) => !name.includes(".Get"))).toEqual([]);

    await gateway.send(new CreateRouteCommand({ ApiId: id, RouteKey: "GET /by-hand" }));
    const arn = made.outputs["arn"] as string;
    await gateway.send(new TagResourceCommand({ ResourceArn: arn, Tags: { by: "hand" } }));
    expect(await changedPaths(driver, "orders", changed, id)).toEqual(["routes", "tags.by"]);
    await driver.update("orders", id, changed);
    await expectQuiet(driver, "orders", changed, id);

    for (const by of [id, arn, "orders", "shop"]) {
      expect(await driver.import(by)).toMatchObject({ providerId: id, inputs: { description: "Shop" } });
    }
    const known = (await driver.read("orders", id))!;
    const socket = { protocol: "WEBSOCKET", description: "Shop" };
    expect((await driver.diff("orders", socket, known)).needsReplace).toBe(true);
    await driver.delete("orders", id);
    expect(await count()).toBe(0);
    expect(await driver.read("orders", id)).toBeUndefined();
    await driver.delete("orders", id);
  });

  test("a WebSocket API serves its routes, and is deployed anew when they change", async () => {
    const config = {
      protocol: "WEBSOCKET",
      integrations: { chat: { type: "AWS_PROXY", uri: lambda } },
      routes: [{ route_key: "$connect", integration: "chat" }],
    };
    const made = await driver.create("chat", config);
    const id = made.providerId;
    const api = await gateway.send(new GetApiCommand({ ApiId: id }));
    expect(api.RouteSelectionExpression).toBe("$request.body.action");
    const [before] = await stages(id);
    expect(before).toMatchObject({ StageName: "live", DeploymentId: expect.any(String) });
    await expectQuiet(driver, "chat", config, id);
    const changed = { ...config, routes: [...config.routes, { route_key: "send", integration: "chat" }] };
    await driver.update("chat", id, changed);
    const [after] = await stages(id);
    expect(after?.DeploymentId).not.toBe(before?.DeploymentId);
    await expectQuiet(driver, "chat", changed, id);
    await driver.delete("chat", id);
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    const config = {
      integrations: { a: { uri: lambda }, b: { type: "HTTP_PROXY", uri: "https://b.example.com" } },
      authorizers: [{ name: "users", issuer: "https://id.example.com" }],
      routes: [
        { route_key: "GET /a", integration: "a" },
        { route_key: "GET /b", integration: "b" },
      ],
    };
    expect(await createInPieces(cloud, () => driver.create("cut", config, { token: "t-cut" }))).toBeGreaterThan(6);
    const found = await driver.lookup("cut", "t-cut");
    const id = found!.providerId;
    expect([await count(), (await integrations(id)).length, (await routes(id)).length]).toEqual([1, 2, 2]);
    await expectQuiet(driver, "cut", config, id);
    await driver.delete("cut", id);
    expect(await driver.lookup("cut", "t-cut")).toBeUndefined();
  });

  test("a killed create is found by its token, and ends when it is repeated", async () => {
    const config = { integrations: { a: { uri: lambda } }, routes: [{ route_key: "GET /a", integration: "a" }] };
    cloud.proxy.onAnswer("apigatewayv2.CreateIntegration", () => cloud.plugin.kill());
    await expect(driver.create("killed", config, { token: "t-killed" })).rejects.toMatchObject({ class: "transient" });
    cloud.proxy.reset();
    await cloud.restart();
    const found = await driver.lookup("killed", "t-killed");
    const made = await driver.create("killed", config, { token: "t-killed" });
    expect([made.providerId, await count()]).toEqual([found?.providerId, 1]);
    expect(await integrations(made.providerId)).toHaveLength(1);
    await driver.delete("killed", made.providerId);
  });

  test("leaves parts alone that the configuration does not name", async () => {
    const { ApiId: id = "" } = await gateway.send(new CreateApiCommand({ Name: "theirs", ProtocolType: "HTTP" }));
    await gateway.send(new CreateRouteCommand({ ApiId: id, RouteKey: "GET /old" }));
    const config = { protocol: "HTTP", description: "moved over" };
    expect((await driver.import("theirs"))?.inputs).toMatchObject({ routes: [{ route_key: "GET /old" }] });
    await driver.setOwner("theirs", id, "line/x");
    expect(await driver.getOwner("theirs", id)).toBe("line/x");
    expect(await driver.list()).toContainEqual(expect.objectContaining({ providerId: id, name: "theirs" }));
    await driver.update("theirs", id, config);
    await expectQuiet(driver, "theirs", config, id);
    expect(await routes(id)).toHaveLength(1);
    await driver.delete("theirs", id);
  });

  test("works in a region of its own", async () => {
    const config = { region: "eu-west-1" };
    const made = await driver.create("far", config, { token: "t-far" });
    expect(made.providerId).toMatch(/@eu-west-1$/);
    await expectQuiet(driver, "far", config, made.providerId);
    expect((await driver.lookup("far", "t-far"))?.providerId).toBe(made.providerId);
    await driver.delete("far", made.providerId);
  });

  test.each([
    [{ routes: [{ route_key: "GET /", integration: "x" }] }, 'no integration "x"'],
    [{ integrations: { x: {} } }, "uri"],
    [{ integrations: { x: { uri: "u" } }, routes: [{ route_key: "GET", integration: "x" }] }, "method and a path"],
    [{ authorizers: [{ name: "x" }] }, "issuer"],
    [{ protocol: "WEBSOCKET", cors: {} }, "cors"],
    [{ protocol: "REST" }, "protocol"],
  ])("refuses %j", async (config, word) => {
    await expect(driver.create("refused", config as JsonObject)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(word),
    });
  });
});
