import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

describe("infra.api_gateway", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.api_gateway");

  test("goes through its life", async () => {
    const config = {
      region: "fra1",
      size: "s",
      components: [
        { name: "users", image: "acme/users:1", env_vars: { MODE: "prod" } },
        { name: "orders", image: "ghcr.io/acme/orders:2", http_port: 3000, instance_count: 2 },
      ],
      routes: [
        { path: "/users", component: "users" },
        { path: "/orders", component: "orders", preserve_path_prefix: true },
      ],
    };
    const made = await driver.create("api", config);
    const id = made.providerId;
    expect(made).toMatchObject({ created: true, outputs: { region: "fra", deployment_phase: "ACTIVE" } });
    const { spec } = (await cloud.raw("GET", `apps/${id}`)).body.app;
    expect(spec.ingress.rules.map(({ component }: { component: { name: string } }) => component.name)).toEqual([
      "users",
      "orders",
    ]);
    await expectQuiet(driver, "api", config, id);
    const changed = { ...config, routes: [{ path: "/", component: "users" }], size: "m" };
    expect(await changedPaths(driver, "api", changed, id)).toEqual(["routes", "size"]);
    await driver.update("api", id, changed);
    await expectQuiet(driver, "api", changed, id);
    const hand = (await cloud.raw("GET", `apps/${id}`)).body.app.spec;
    hand.services[0].instance_count = 5;
    await cloud.raw("PUT", `apps/${id}`, { spec: hand });
    expect(await changedPaths(driver, "api", changed, id)).toEqual(["components"]);
    expect(await changedPaths(driver, "api", { ...changed, region: "nyc" }, id)).toEqual(["components", "region!"]);
    for (const handle of [id, "api"]) expect((await driver.import(handle))?.providerId).toBe(id);
    await expect(driver.create("api", config)).rejects.toMatchObject({ class: "already_exists" });
    await driver.delete("api", id);
    expect((await cloud.raw("GET", `apps/${id}`)).status).toBe(404);
    await driver.delete("api", id);
  });

  test("a route to nothing and a component without a source are refused with their paths", async () => {
    const components = [{ name: "web", image: "nginx" }];
    await expect(driver.create("x", { components, routes: [{ component: "wep" }] })).rejects.toMatchObject({
      message: expect.stringContaining("routes.0.component"),
    });
    await expect(
      driver.create("x", { components: [{ name: "web" }], routes: [{ component: "web" }] }),
    ).rejects.toMatchObject({
      message: expect.stringContaining("components.0"),
    });
  });
});
