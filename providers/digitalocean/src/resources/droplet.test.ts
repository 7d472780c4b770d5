import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

describe("infra.droplet", () => {
  const cloud = useDigitalOcean({ config: { default_tags: ["team-a"] } });
  const driver = cloud.driver("infra.droplet");
  const volumes = cloud.driver("infra.volume");

  test("goes through its life", async () => {
    const { providerId: volume } = await volumes.create("data", { size_gb: 10 }, { token: "t-data" });
    await cloud.raw("POST", "account/keys", { name: "me", public_key: "ssh-ed25519 AAAA me" });
    const config = {
      size: "m",
      tags: ["web", "blue"],
      volumes: ["data"],
      ssh_keys: ["me"],
      user_data: "#cloud-config",
      monitoring: true,
      enable_backups: true,
      backup_policy: { plan: "weekly", weekday: "SUN", hour: 4 },
    };
    const made = await driver.create("web", config, { token: "t-web", owner: "line/web" });
    const id = made.providerId;
    expect(made).toMatchObject({
      created: true,
      owner: "line/web",
      outputs: { id, size: "s-2vcpu-4gb", tags: ["blue", "web"] },
    });
    expect(made.outputs["public_ip"]).toMatch(/^203\./);
    const { droplet } = (await cloud.raw("GET", `droplets/${id}`)).body;
    expect(droplet).toMatchObject({ name: "web", status: "active", volume_ids: [volume] });
    expect(droplet.tags).toEqual(
      expect.arrayContaining(["team-a", "web", "blue", expect.stringMatching(/^wfctl-token:/)]),
    );
    await expectQuiet(driver, "web", config, id);
    await expectQuiet(driver, "web", { ...config, volumes: [volume] }, id);

    const changed = {
      ...config,
      size: "l",
      tags: ["web", "green"],
      volumes: [],
      ipv6: true,
      enable_backups: false,
      name: "www",
    };
    expect(await changedPaths(driver, "web", changed, id)).toEqual([
      "enable_backups",
      "ipv6",
      "name",
      "size",
      "tags",
      "volumes",
    ]);
    await driver.update("web", id, changed);
    const after = (await cloud.raw("GET", `droplets/${id}`)).body.droplet;
    expect(after).toMatchObject({ name: "www", size_slug: "s-4vcpu-8gb", disk: 160, status: "active", volume_ids: [] });
    expect(after.features).not.toContain("backups");
    expect(after.tags).toEqual(
      expect.arrayContaining(["team-a", "web", "green", expect.stringMatching(/^wfctl-owner:/)]),
    );
    await expectQuiet(driver, "web", changed, id);

    await cloud.raw("DELETE", "tags/green/resources", { resources: [{ resource_id: id, resource_type: "droplet" }] });
    expect(await changedPaths(driver, "web", changed, id)).toEqual(["tags"]);
    for (const handle of [id, "www"]) expect((await driver.import(handle))?.providerId).toBe(id);
    expect(await driver.getOwner("web", id)).toBe("line/web");
    await driver.setOwner("web", id, "other stack/ü");
    expect(await driver.getOwner("web", id)).toBe("other stack/ü");

    await driver.delete("web", id);
    expect((await cloud.raw("GET", `droplets/${id}`)).status).toBe(404);
    await driver.delete("web", id);
    await volumes.delete("data", volume);
    expect(cloud.account.volumes.all()).toEqual([]);
    expect(cloud.account.tags.all().filter(({ name }) => `${name as string}`.startsWith("wfctl-"))).toEqual([]);
  });

  test("what cannot be changed replaces it; what the provider's default tags give is no change", async () => {
    const config = { tags: ["web"], ipv6: true, user_data: "one" };
    const { providerId: id, ...made } = await driver.create("still", config, { token: "t-still" });
    await expectQuiet(driver, "still", config, id);
    const other = { ...config, ipv6: false, region: "fra1", image: "debian-12-x64", monitoring: true };
    expect(await changedPaths(driver, "still", other, id)).toEqual(["image!", "ipv6!", "monitoring!", "region!"]);
    const recorded = { ...made, providerId: id, inputs: config };
    const rewritten = await driver.diff("still", { ...config, user_data: "two" }, recorded);
    expect(rewritten.changes).toMatchObject([{ path: "user_data", forceNew: true }]);
    await driver.delete("still", id);
  });

  test("a create whose reply is lost is found by its token, and sent again makes no second one", async () => {
    cloud.emulator.faults.add({ operation: "droplets_create", effect: "lose_reply" });
    const config = { tags: ["web"] };
    await expect(driver.create("lost", config, { token: "t-lost" })).rejects.toMatchObject({ class: "transient" });
    const found = await driver.lookup("lost", "t-lost");
    expect(found).toMatchObject({ outputs: { name: "lost" } });
    expect(await driver.lookup("lost", "t-other")).toBeUndefined();
    const again = await driver.create("lost", config, { token: "t-lost" });
    expect(again.providerId).toBe(found?.providerId);
    expect(cloud.account.droplets.all()).toHaveLength(1);
    await driver.delete("lost", again.providerId);
  });

  test("the plugin killed while the droplet starts: another one finishes the same droplet", async () => {
    const config = { tags: ["web"], monitoring: true };
    const sent = cloud.emulator.journal.next(
      ({ operation }) => operation === "droplets_create",
      AbortSignal.timeout(120_000),
    );
    const first = driver.create("killed", config, { token: "t-killed" }).catch((error: unknown) => error);
    await sent;
    await cloud.restart();
    expect(await first).toBeInstanceOf(Error);
    const made = await driver.create("killed", config, { token: "t-killed" });
    expect(cloud.count("droplets_create")).toBe(1);
    expect(made.outputs["status"]).toBe("active");
    await expectQuiet(driver, "killed", config, made.providerId);
    await driver.delete("killed", made.providerId);
  });

  test("a volume that does not exist and a size that the cloud does not know change nothing", async () => {
    await expect(driver.create("bad", { volumes: ["nothing"] })).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining('"nothing"'),
    });
    await expect(driver.create("bad", { size: "huge" })).rejects.toMatchObject({ class: "validation" });
    await expect(driver.create("bad", { sise: "m" })).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining('did you mean "size"'),
    });
    expect(cloud.account.droplets.all()).toEqual([]);
    expect(await driver.sizing("xl")).toEqual({ instance_type: "s-8vcpu-16gb" });
  });
});
