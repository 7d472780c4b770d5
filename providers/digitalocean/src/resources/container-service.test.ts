import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

describe("infra.container_service", () => {
  const cloud = useDigitalOcean({ config: { region: "fra1" } });
  const driver = cloud.driver("infra.container_service");
  const spec = async (id: string) => (await cloud.raw("GET", `apps/${id}`)).body.app.spec;

  test("goes through its life", async () => {
    const config = {
      image: "ghcr.io/acme/shop:1.2",
      registry_credentials: "acme:secret",
      http_port: 3000,
      instance_count: 2,
      size: "m",
      env_vars: { MODE: "prod", RETRIES: 3 },
      env_vars_secret: { TOKEN: "hush" },
      routes: [{ path: "/api", preserve_path_prefix: true }, { path: "/" }],
      cors: { allow_origins: ["https://example.com", "*"], allow_methods: ["GET"], max_age: 60 },
      health_check: { path: "/healthz", period_seconds: 10 },
      liveness_check: { http_path: "/livez" },
      termination: { drain_seconds: 15 },
      alerts: [{ rule: "CPU_UTILIZATION", operator: "GREATER_THAN", value: 80, window: "FIVE_MINUTES" }],
      jobs: [
        {
          name: "migrate",
          kind: "pre_deploy",
          image: "ghcr.io/acme/shop:1.2",
          run_command: "migrate",
          env_vars_secret: { PASSWORD: "hush" },
        },
      ],
      workers: [{ name: "mailer", image: "acme/mailer", autoscaling: { min: 1, max: 3 } }],
      static_sites: [{ name: "docs", github: { repo: "acme/docs" }, routes: [{ path: "/docs" }], output_dir: "build" }],
      sidecars: [{ name: "metrics", image: "nginx", ports: [{ port: 9090 }] }],
      egress: { type: "DEDICATED_IP" },
      log_destinations: [{ name: "central", endpoint: "logs.example.com:514" }],
      provider_specific: { digitalocean: { disable_edge_cache: true, app_alerts: [{ rule: "DEPLOYMENT_FAILED" }] } },
    };
    const made = await driver.create("shop", config);
    const id = made.providerId;
    expect(made).toMatchObject({
      created: true,
      outputs: { region: "fra", expose: "public", deployment_phase: "ACTIVE" },
    });
    expect(made.outputs["live_url"]).toMatch(/^https:\/\/shop-/);
    const live = await spec(id);
    expect(live.services[0]).toMatchObject({
      name: "shop",
      instance_count: 2,
      instance_size_slug: "apps-s-2vcpu-4gb",
      http_port: 3000,
    });
    expect(JSON.stringify(live)).not.toContain("hush");
    await expectQuiet(driver, "shop", config, id);

    const { health_check: _check, cors: _cors, workers: _workers, ...rest } = config;
    const changed = {
      ...rest,
      image: "ghcr.io/acme/shop:1.3",
      instance_count: 3,
      env_vars: { MODE: "prod" },
      routes: [{ path: "/" }],
      jobs: [{ ...config.jobs[0]!, run_command: "migrate --fast" }],
    };
    expect(await changedPaths(driver, "shop", changed, id)).toEqual([
      "cors",
      "env_vars.RETRIES",
      "health_check",
      "image.tag",
      "instance_count",
      "jobs",
      "routes",
      "workers",
    ]);
    await driver.update("shop", id, changed);
    expect((await spec(id)).services[0]).toMatchObject({ instance_count: 3, image: { tag: "1.3" } });
    await expectQuiet(driver, "shop", changed, id);
    expect(await changedPaths(driver, "shop", { ...changed, region: "nyc3" }, id)).toEqual(["region!"]);
    const recorded = { ...(await driver.read("shop", id))!, inputs: changed };
    const resealed = await driver.diff("shop", { ...changed, env_vars_secret: { TOKEN: "other" } }, recorded);
    expect(resealed.changes.map(({ path }) => path)).toEqual(["env_vars_secret.TOKEN"]);

    const hand = await spec(id);
    hand.services[0].envs = hand.services[0].envs.filter(({ key }: { key: string }) => key !== "TOKEN");
    hand.services[0].instance_count = 1;
    await cloud.raw("PUT", `apps/${id}`, { spec: hand });
    expect(await changedPaths(driver, "shop", changed, id)).toEqual(["env_vars_secret", "instance_count"]);
    for (const handle of [id, "shop"]) expect((await driver.import(handle))?.providerId).toBe(id);
    expect((await driver.scale("shop", id, 4)).outputs["deployment_phase"]).toBe("ACTIVE");
    expect((await spec(id)).services[0].instance_count).toBe(4);
    expect(await driver.health("shop", id)).toMatchObject({ healthy: true });

    await driver.delete("shop", id);
    expect((await cloud.raw("GET", `apps/${id}`)).status).toBe(404);
    await driver.delete("shop", id);
  });

  test("an internal service has no route, and its port is an internal one", async () => {
    const config = { image: "nginx:1", expose: "internal", http_port: 9000, internal_ports: [9001], region: "fra1" };
    const { providerId: id } = await driver.create("inside", config);
    const live = await spec(id);
    expect(live.services[0]).toMatchObject({ internal_ports: [9000, 9001] });
    expect(live.services[0].http_port).toBeUndefined();
    expect(live.ingress).toBeUndefined();
    await expectQuiet(driver, "inside", config, id);
    expect(await changedPaths(driver, "inside", { ...config, expose: "public" }, id)).toContain("expose");
    await driver.delete("inside", id);
  });

  test("a deployment that fails fails the create, says why, and leaves the id", async () => {
    await expect(driver.create("broken", { image: "acme/web:broken" })).rejects.toMatchObject({
      class: "unknown",
      message: expect.stringContaining("exited with a non-zero code"),
      partialId: expect.any(String),
    });
    const found = await driver.read("broken", "");
    expect(await driver.health("broken", found!.providerId)).toMatchObject({
      healthy: false,
      message: "deployment is error",
    });
    await driver.update("broken", found!.providerId, { image: "acme/web:1" });
    await driver.delete("broken", found!.providerId);
  });

  test("an image that is not in the account's registry is refused before anything is made", async () => {
    await cloud.raw("POST", "registries", { name: "acme", subscription_tier_slug: "basic" });
    cloud.account.repositories.get("acme")!.set("shop", ["1"]);
    const image = (tag: string) => ({ image: `registry.digitalocean.com/acme/shop:${tag}` });
    await expect(driver.create("pull", image("2"))).rejects.toMatchObject({ class: "image_missing" });
    expect(cloud.account.apps.all()).toEqual([]);
    const { providerId } = await driver.create("pull", image("1"));
    await expectQuiet(driver, "pull", image("1"), providerId);
    await driver.delete("pull", providerId);
  });

  test("domains that are not named are left alone; a name that is taken is not taken over", async () => {
    const config = { image: "nginx" };
    const { providerId: id } = await driver.create("site", config);
    await cloud.raw("PUT", `apps/${id}`, { spec: { ...(await spec(id)), domains: [{ domain: "www.example.com" }] } });
    await expectQuiet(driver, "site", config, id);
    await driver.update("site", id, { ...config, env_vars: { A: "1" } });
    expect((await spec(id)).domains).toEqual([{ domain: "www.example.com" }]);
    await driver.update("site", id, { ...config, domains: [] });
    expect((await spec(id)).domains).toBeUndefined();
    await expect(driver.create("site", config)).rejects.toMatchObject({ class: "already_exists" });
    await driver.delete("site", id);
  });

  test("the plugin killed while the app is deployed leaves an app that the next update finishes", async () => {
    const sent = cloud.emulator.journal.next(
      ({ operation }) => operation === "apps_create",
      AbortSignal.timeout(120_000),
    );
    const first = driver.create("killed", { image: "nginx" }).catch((error: unknown) => error);
    await sent;
    await cloud.restart();
    expect(await first).toBeInstanceOf(Error);
    const found = await driver.read("killed", "");
    await expectQuiet(driver, "killed", { image: "nginx" }, found!.providerId);
    await driver.delete("killed", found!.providerId);
  });

  test("configuration that makes no sense is refused", async () => {
    await expect(driver.create("x", { image: "quay.io/a/b:1" })).rejects.toMatchObject({
      message: expect.stringContaining("image"),
    });
    await expect(driver.create("x", {})).rejects.toMatchObject({
      message: expect.stringContaining("expected one of image"),
    });
    await expect(driver.create("x", { image: "nginx", region: "mars" })).rejects.toMatchObject({
      message: expect.stringContaining("region"),
    });
    await expect(driver.create("x", { image: "nginx", expose: "maybe" })).rejects.toMatchObject({
      class: "validation",
    });
  });
});
