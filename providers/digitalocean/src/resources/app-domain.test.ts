import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

describe("infra.app_domain", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.app_domain");
  const apps = cloud.driver("infra.container_service");
  const domains = async (id: string) =>
    ((await cloud.raw("GET", `apps/${id}`)).body.app.spec.domains ?? []) as { domain: string }[];

  test("goes through its life", async () => {
    const { providerId: app } = await apps.create("shop", { image: "nginx" });
    const config = { app: "shop", domain: "www.example.com", type: "PRIMARY", wait_for_active: true };
    const made = await driver.create("www", config);
    const id = `${app}/www.example.com`;
    expect(made).toMatchObject({
      providerId: id,
      created: true,
      outputs: { phase: "ACTIVE", app: "shop", app_id: app },
    });
    expect(await domains(app)).toMatchObject([{ domain: "www.example.com", type: "PRIMARY" }]);
    await expectQuiet(driver, "www", config, id);
    await expectQuiet(driver, "www", { ...config, app }, id);

    const changed = { app: "shop", domain: "www.example.com", wildcard: true, minimum_tls_version: "1.3" };
    expect(await changedPaths(driver, "www", changed, id)).toEqual(["minimum_tls_version", "type", "wildcard"]);
    const { outputs } = await driver.update("www", id, changed);
    expect(outputs["minimum_tls_version"]).toBe("1.3");
    await expectQuiet(driver, "www", changed, id);
    expect(await changedPaths(driver, "www", { ...changed, domain: "example.com", app: "other" }, id)).toEqual([
      "app!",
      "domain!",
    ]);

    const { spec } = (await cloud.raw("GET", `apps/${app}`)).body.app;
    await cloud.raw("PUT", `apps/${app}`, {
      spec: { ...spec, domains: [{ domain: "www.example.com", type: "ALIAS" }] },
    });
    expect(await changedPaths(driver, "www", changed, id)).toEqual(["minimum_tls_version", "type", "wildcard"]);
    for (const handle of [id, "shop/www.example.com"]) expect((await driver.import(handle))?.providerId).toBe(id);
    await driver.delete("www", id);
    expect(await domains(app)).toEqual([]);
    await driver.delete("www", id);
    await apps.delete("shop", app);
    expect(await driver.read("www", id)).toBeUndefined();
    await driver.delete("www", id);
  });

  test("domains and the app changed at the same time keep each other's work", async () => {
    const { providerId: app } = await apps.create("busy", { image: "nginx" });
    const names = ["a.example.com", "b.example.com", "c.example.com"];
    await Promise.all([
      ...names.map((domain) => driver.create(domain, { app: "busy", domain })),
      apps.update("busy", app, { image: "nginx", instance_count: 2 }),
    ]);
    expect((await domains(app)).map(({ domain }) => domain).toSorted()).toEqual(names);
    expect((await cloud.raw("GET", `apps/${app}`)).body.app.spec.services[0].instance_count).toBe(2);
    await apps.delete("busy", app);
  });

  test("a domain that is there is not taken over, and an app that is not there is refused", async () => {
    const { providerId: app } = await apps.create("solo", { image: "nginx", domains: ["taken.example.com"] });
    await expect(driver.create("t", { app: "solo", domain: "taken.example.com" })).rejects.toMatchObject({
      class: "already_exists",
    });
    await expect(driver.create("t", { app: "none", domain: "x.example.com" })).rejects.toMatchObject({
      message: expect.stringContaining('App "none"'),
    });
    await expect(driver.create("t", { domain: "x.example.com" })).rejects.toMatchObject({
      message: expect.stringContaining("app"),
    });
    await apps.delete("solo", app);
  });
});
