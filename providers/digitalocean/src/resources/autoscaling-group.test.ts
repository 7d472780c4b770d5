import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

describe("infra.autoscaling_group", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.autoscaling_group");
  const droplets = cloud.driver("infra.droplet");

  test("goes through its life", async () => {
    await cloud.raw("POST", "account/keys", { name: "me", public_key: "ssh-ed25519 AAAA me" });
    const config = {
      min_capacity: 2,
      max_capacity: 4,
      target_cpu_utilization: 60,
      size: "s",
      ssh_keys: ["me"],
      tags: ["web"],
    };
    const made = await driver.create("pool", config, { token: "t", owner: "line/pool" });
    const id = made.providerId;
    expect(made).toMatchObject({
      created: true,
      owner: "line/pool",
      outputs: { active_resources_count: 2, size: "s-1vcpu-2gb" },
    });
    const pool = (await cloud.raw("GET", `droplets/autoscale/${id}`)).body.autoscale_pool;
    expect(pool.config).toMatchObject({ min_instances: 2, max_instances: 4, target_cpu_utilization: 0.6 });
    await expectQuiet(driver, "pool", config, id);
    expect((await driver.lookup("pool", "t"))?.providerId).toBe(id);
    expect((await droplets.list()).map(({ owner }) => owner)).toEqual([undefined, undefined]);

    const changed = { instance_count: 3, size: "m", ssh_keys: ["me"], tags: ["web", "blue"] };
    expect(await changedPaths(driver, "pool", changed, id)).toEqual([
      "instance_count",
      "max_instances",
      "min_instances",
      "size",
      "tags",
      "target_cpu_utilization",
    ]);
    const updated = await driver.update("pool", id, changed);
    expect(updated.outputs["active_resources_count"]).toBe(3);
    await expectQuiet(driver, "pool", changed, id);
    await cloud.raw("PUT", `droplets/autoscale/${id}`, {
      name: "pool",
      config: { target_number_instances: 1 },
      droplet_template: pool.droplet_template,
    });
    expect(await changedPaths(driver, "pool", changed, id)).toEqual(["instance_count", "size", "tags"]);
    for (const handle of [id, "pool"]) expect((await driver.import(handle))?.providerId).toBe(id);
    await driver.setOwner("pool", id, "other/pool");
    expect(await driver.getOwner("pool", id)).toBe("other/pool");
    await driver.delete("pool", id);
    expect([cloud.account.pools.all(), cloud.account.droplets.all()]).toEqual([[], []]);
    expect(cloud.account.tags.all().filter(({ name }) => `${name as string}`.startsWith("wfctl-pool-token"))).toEqual(
      [],
    );
    await driver.delete("pool", id);
  });

  test("a create whose reply is lost is found by its token; a foreign pool is not taken over", async () => {
    const config = { instance_count: 1, ssh_keys: ["me"] };
    cloud.emulator.faults.add({ operation: "autoscalepools_create", effect: "lose_reply" });
    await expect(driver.create("lost", config, { token: "mine" })).rejects.toMatchObject({ class: "transient" });
    const made = await driver.create("lost", config, { token: "mine" });
    expect(cloud.account.pools.all().filter(({ name }) => name === "lost")).toHaveLength(1);
    await expect(driver.create("lost", config, { token: "theirs" })).rejects.toMatchObject({ class: "already_exists" });
    await driver.delete("lost", made.providerId);
  });

  test("bounds that make no sense are refused", async () => {
    const keys = { ssh_keys: ["me"] };
    await expect(
      driver.create("x", { ...keys, min_instances: 3, max_instances: 1, target_cpu_utilization: 50 }),
    ).rejects.toMatchObject({ message: expect.stringContaining("3 is more than") });
    await expect(driver.create("x", { ...keys, min_instances: 1, max_instances: 2 })).rejects.toMatchObject({
      message: expect.stringContaining("target"),
    });
    await expect(driver.create("x", keys)).rejects.toMatchObject({ class: "validation" });
  });
});

describe("infra.iam_role", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.iam_role");

  test("is a declaration: no call, no change, nothing of the input in the outputs", async () => {
    const config = { policies: ["x"], secret: "hush" };
    const made = await driver.create("role", config);
    expect(made).toMatchObject({
      providerId: "role",
      outputs: { name: "role", note: expect.stringContaining("no roles") },
    });
    expect(JSON.stringify(made.outputs["name"]) + JSON.stringify(made.outputs["note"])).not.toContain("hush");
    await expectQuiet(driver, "role", config, "role");
    await expectQuiet(driver, "role", {}, "role");
    await driver.update("role", "role", {});
    await driver.delete("role", "role");
    expect(cloud.emulator.journal.exchanges()).toEqual([]);
  });
});
