import { iac, unaryCall } from "@wfctl/contract";
import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean, type DigitalOceanHarness } from "../../test/testing/harness.ts";

const image = { registry_type: "DOCKER_HUB", repository: "nginx", tag: "1" };

async function finalize(cloud: DigitalOceanHarness) {
  const { response } = await unaryCall(cloud.plugin.client, iac.IaCProviderFinalizer.method.finalizeApply, {
    planId: "plan",
  });
  return response.errors.map(({ resource, action, error }) => ({ resource, action, error }));
}

describe("infra.database", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.database");

  test("goes through its life", async () => {
    const config = {
      engine: "postgres",
      version: 15,
      size: "s",
      num_nodes: 2,
      tags: ["prod"],
      trusted_sources: [{ type: "ip_addr", value: "203.0.113.5" }],
      maintenance_window: { day: "sunday", hour: "03:00" },
      databases: ["shop"],
      users: ["app"],
      config: { work_mem: 8 },
    };
    const made = await driver.create("db", config, { token: "t-db", owner: "line/db" });
    const id = made.providerId;
    expect(made).toMatchObject({
      created: true,
      owner: "line/db",
      outputs: { engine: "pg", version: "15", size: "db-s-1vcpu-2gb", num_nodes: 2, status: "online", port: 25060 },
    });
    expect(made.sensitive).toEqual(
      expect.arrayContaining(["uri", "password", "user", "private_uri", "user_passwords"]),
    );
    expect(JSON.parse(made.outputs["user_passwords"] as string)).toMatchObject({ app: expect.any(String) });
    const { database } = (await cloud.raw("GET", `databases/${id}`)).body;
    expect(database).toMatchObject({ db_names: ["defaultdb", "shop"], maintenance_window: { day: "sunday" } });
    await expectQuiet(driver, "db", config, id);

    const changed = {
      ...config,
      version: "16",
      size: "m",
      num_nodes: 1,
      region: "fra1",
      tags: ["prod", "big"],
      trusted_sources: [{ type: "ip_addr", value: "203.0.113.6" }],
      databases: ["shop", "stock"],
      users: [],
      config: { work_mem: 16 },
    };
    expect(await changedPaths(driver, "db", changed, id)).toEqual([
      "config.work_mem",
      "databases",
      "num_nodes",
      "region",
      "size",
      "tags",
      "trusted_sources",
      "users",
      "version",
    ]);
    await driver.update("db", id, changed);
    const after = (await cloud.raw("GET", `databases/${id}`)).body.database;
    expect(after).toMatchObject({
      version: "16",
      size: "db-s-2vcpu-4gb",
      region: "fra1",
      num_nodes: 1,
      status: "online",
    });
    expect((await cloud.raw("GET", `databases/${id}/firewall`)).body.rules).toMatchObject([{ value: "203.0.113.6" }]);
    await expectQuiet(driver, "db", changed, id);
    expect(await changedPaths(driver, "db", { ...changed, version: "15", engine: "mysql" }, id)).toEqual([
      "engine!",
      "version!",
    ]);

    await cloud.raw("PUT", `databases/${id}/firewall`, { rules: [] });
    expect(await changedPaths(driver, "db", changed, id)).toEqual(["trusted_sources"]);
    for (const handle of [id, "db"]) expect((await driver.import(handle))?.providerId).toBe(id);

    await driver.delete("db", id);
    expect((await cloud.raw("GET", `databases/${id}`)).status).toBe(404);
    expect(cloud.account.tags.all().filter(({ name }) => `${name as string}`.startsWith("wfctl-"))).toEqual([]);
    await driver.delete("db", id);
  });

  const pendingMarks = (): string[] =>
    cloud.account.tags
      .all()
      .map(({ name }) => name as string)
      .filter((name) => name.startsWith("wfctl-pending"));

  test("an update that changes a tag does not resize", async () => {
    const { providerId: id } = await driver.create("calm", {}, { token: "t-calm" });
    await driver.update("calm", id, { tags: ["x"] });
    expect(cloud.count("databases_update_clusterSize")).toBe(0);
    await driver.delete("calm", id);
  });

  test("a trusted app that comes later is let in by the finalizer, also after the plugin was killed", async () => {
    const config = {
      trusted_sources: [
        { type: "app", value: "shop" },
        { type: "ip_addr", value: "203.0.113.7" },
      ],
    };
    const { providerId: id } = await driver.create("late", config, { token: "t-late" });
    expect(await changedPaths(driver, "late", config, id)).toEqual(["trusted_sources"]);
    expect(await finalize(cloud)).toEqual([
      { resource: "late", action: "trusted_sources", error: 'Cannot let in what does not exist: app "shop"' },
    ]);
    const spec = { name: "shop", services: [{ name: "web", image }] };
    const { app } = (await cloud.raw("POST", "apps", { spec })).body;
    await cloud.restart();
    expect(await finalize(cloud)).toEqual([]);
    const { rules } = (await cloud.raw("GET", `databases/${id}/firewall`)).body;
    expect(rules.map(({ type, value }: { type: string; value: string }) => [type, value])).toEqual([
      ["ip_addr", "203.0.113.7"],
      ["app", app.id],
    ]);
    await expectQuiet(driver, "late", config, id);
    await expectQuiet(
      driver,
      "late",
      { trusted_sources: [{ type: "app", value: app.id }, config.trusted_sources[1]!] },
      id,
    );
    expect(await finalize(cloud)).toEqual([]);
    await driver.delete("late", id);
    await cloud.raw("DELETE", `apps/${app.id}`);
    expect(cloud.account.tags.all().filter(({ name }) => `${name as string}`.startsWith("wfctl-"))).toEqual([]);
  });

  test("the finalizer lists every database that it could not finish", async () => {
    const trusted = (value: string) => ({ trusted_sources: [{ type: "k8s", value }] });
    const one = await driver.create("one", trusted("alpha"), { token: "t-1" });
    const two = await driver.create("two", trusted("beta"), { token: "t-2" });
    expect((await finalize(cloud)).map(({ resource }) => resource)).toEqual(["one", "two"]);
    await driver.update("one", one.providerId, { trusted_sources: [] });
    expect((await finalize(cloud)).map(({ resource }) => resource)).toEqual(["two"]);
    for (const { name, providerId } of [one, two]) await driver.delete(name, providerId);
  });

  test("what an update defers is owed too; a finalizer killed on its way is finished by the next, and each error is its own", async () => {
    const trusted = { trusted_sources: [{ type: "app", value: "late-app" }] };
    const one = await driver.create("one", {}, { token: "t-one" });
    const two = await driver.create("two", trusted, { token: "t-two" });
    await driver.update("one", one.providerId, trusted);
    const spec = { name: "late-app", services: [{ name: "web", image }] };
    const { app } = (await cloud.raw("POST", "apps", { spec })).body;
    const rulesOf = async (id: string): Promise<string[]> =>
      (await cloud.raw("GET", `databases/${id}/firewall`)).body.rules.map(({ value }: { value: string }) => value);

    // One refuses: it is listed with its reason, and the other one is done.
    cloud.emulator.faults.add({
      operation: "databases_update_firewall_rules",
      path: one.providerId,
      effect: "status",
      status: 422,
      body: { id: "unprocessable_entity", message: "no more rules" },
    });
    expect(await finalize(cloud)).toEqual([
      { resource: "one", action: "trusted_sources", error: expect.stringContaining("no more rules") as string },
    ]);
    expect([await rulesOf(one.providerId), await rulesOf(two.providerId)]).toEqual([[], [app.id]]);

    // The rules are written, and the plugin dies before it can take its mark away.
    const written = cloud.emulator.journal.next(
      ({ operation }) => operation === "databases_update_firewall_rules",
      AbortSignal.timeout(120_000),
    );
    cloud.emulator.faults.add({ operation: "databases_update_firewall_rules", effect: "hang" });
    const dying = finalize(cloud).catch(() => "killed");
    await written;
    await cloud.restart();
    expect(await dying).toBe("killed");
    expect(await finalize(cloud)).toEqual([]);
    expect(await rulesOf(one.providerId)).toEqual([app.id]);
    expect(pendingMarks()).toEqual([]);
    await expectQuiet(driver, "one", trusted, one.providerId);

    // A server that has no tags of databases: the mark stays, what it stands for is let in.
    await driver.update("one", one.providerId, { trusted_sources: [{ type: "app", value: "next-app" }] });
    const next = (await cloud.raw("POST", "apps", { spec: { ...spec, name: "next-app" } })).body.app;
    cloud.emulator.faults.add({ method: "DELETE", path: "/tags/.*/resources", effect: "status", status: 422 });
    expect(await finalize(cloud)).toEqual([]);
    expect(await rulesOf(one.providerId)).toEqual([next.id]);
    expect(await finalize(cloud)).toEqual([]);
    expect(pendingMarks()).toEqual([]);

    for (const { name, providerId } of [one, two]) await driver.delete(name, providerId);
    for (const { id } of [app, next]) await cloud.raw("DELETE", `apps/${id as string}`);
  });

  test("the plugin killed while the cluster is made: another one finishes the same cluster", async () => {
    const config = { databases: ["shop"], users: ["app"] };
    const sent = cloud.emulator.journal.next(
      ({ operation }) => operation === "databases_create_cluster",
      AbortSignal.timeout(120_000),
    );
    const first = driver.create("killed", config, { token: "t-killed" }).catch((error: unknown) => error);
    await sent;
    await cloud.restart();
    expect(await first).toBeInstanceOf(Error);
    expect((await driver.lookup("killed", "t-killed"))?.outputs["name"]).toBe("killed");
    const made = await driver.create("killed", config, { token: "t-killed" });
    expect(cloud.count("databases_create_cluster")).toBe(1);
    await expectQuiet(driver, "killed", config, made.providerId);
    await driver.delete("killed", made.providerId);
  });

  test("a name that is taken is not taken over, a missing network is refused", async () => {
    const { providerId } = await driver.create("taken", {}, { token: "t-a" });
    await expect(driver.create("taken", {}, { token: "t-b" })).rejects.toMatchObject({ class: "already_exists" });
    await expect(driver.create("other", { vpc_ref: providerId })).rejects.toMatchObject({ class: "validation" });
    await driver.delete("taken", providerId);
    expect(cloud.account.databases.all()).toEqual([]);
  });
});

describe("infra.cache", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.cache");

  test("goes through its life", async () => {
    const config = { size: "xs", eviction_policy: "allkeys_lru", trusted_sources: [{ type: "tag", value: "web" }] };
    const made = await driver.create("cache", config, { token: "t" });
    const id = made.providerId;
    expect(made).toMatchObject({ created: true, outputs: { engine: "valkey", port: 25061 } });
    expect(made.sensitive).toContain("uri");
    expect((await cloud.raw("GET", `databases/${id}/eviction_policy`)).body.eviction_policy).toBe("allkeys_lru");
    await expectQuiet(driver, "cache", config, id);
    const changed = { ...config, size: "s", eviction_policy: "noeviction" };
    expect(await changedPaths(driver, "cache", changed, id)).toEqual(["eviction_policy", "size"]);
    await driver.update("cache", id, changed);
    await expectQuiet(driver, "cache", changed, id);
    await cloud.raw("PUT", `databases/${id}/eviction_policy`, { eviction_policy: "volatile_ttl" });
    expect(await changedPaths(driver, "cache", changed, id)).toEqual(["eviction_policy"]);
    const scaled = await driver.scale("cache", id, 2);
    expect(scaled.outputs["num_nodes"]).toBe(2);
    expect((await driver.import("cache"))?.providerId).toBe(id);
    await driver.delete("cache", id);
    expect((await cloud.raw("GET", `databases/${id}`)).status).toBe(404);
    await driver.delete("cache", id);
  });

  test("redis is refused with a word about Valkey", async () => {
    await expect(driver.create("old", { engine: "redis" })).rejects.toMatchObject({
      class: "validation",
      message: expect.stringMatching(/managed Redis has ended.*valkey/),
    });
    expect(cloud.account.databases.all()).toEqual([]);
  });
});
