import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

describe("infra.volume", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.volume");

  test("goes through its life", async () => {
    const config = { size_gb: 10, region: "fra1", filesystem_type: "ext4", description: "first", tags: ["db"] };
    const made = await driver.create("data", config, { token: "t", owner: "line/data" });
    const id = made.providerId;
    expect(made).toMatchObject({
      created: true,
      outputs: { size_gb: 10, region: "fra1", tags: ["db"] },
      owner: "line/data",
    });
    expect((await cloud.raw("GET", `volumes/${id}`)).body.volume).toMatchObject({ name: "data", size_gigabytes: 10 });
    await expectQuiet(driver, "data", config, id);

    const changed = { ...config, size_gb: 25, tags: ["db", "big"], description: "second" };
    expect(await changedPaths(driver, "data", changed, id)).toEqual(["size_gb", "tags"]);
    await driver.update("data", id, changed);
    expect((await cloud.raw("GET", `volumes/${id}`)).body.volume).toMatchObject({ size_gigabytes: 25 });
    await expectQuiet(driver, "data", changed, id);
    expect(
      await changedPaths(driver, "data", { ...changed, size_gb: 5, region: "nyc3", filesystem_type: "xfs" }, id),
    ).toEqual(["filesystem_type!", "region!", "size_gb!"]);

    await cloud.raw("POST", "tags/db/resources", { resources: [{ resource_id: id, resource_type: "volume" }] });
    await cloud.raw("POST", "tags", { name: "by-hand" });
    await cloud.raw("POST", "tags/by-hand/resources", { resources: [{ resource_id: id, resource_type: "volume" }] });
    expect(await changedPaths(driver, "data", changed, id)).toEqual(["tags"]);
    for (const handle of [id, "data"]) expect((await driver.import(handle))?.providerId).toBe(id);

    const { body } = await cloud.raw("POST", "droplets", {
      name: "d",
      region: "fra1",
      size: "s-1vcpu-1gb",
      image: "ubuntu-24-04-x64",
      volumes: [id],
    });
    await driver.delete("data", id);
    expect((await cloud.raw("GET", `volumes/${id}`)).status).toBe(404);
    expect((await cloud.raw("GET", `droplets/${body.droplet.id}`)).body.droplet.volume_ids).toEqual([]);
    expect(cloud.account.tags.all().filter(({ name }) => `${name as string}`.startsWith("wfctl-"))).toEqual([]);
    await driver.delete("data", id);
  });

  test("a tier gives a size, and a size is needed", async () => {
    await expect(driver.create("none", {})).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining("size_gb"),
    });
    const made = await driver.create("tier", { size: "s" }, { token: "t-tier" });
    expect(made.outputs["size_gb"]).toBe(50);
    await expectQuiet(driver, "tier", { size: "s" }, made.providerId);
    await driver.delete("tier", made.providerId);
  });

  test("a create is found by its token, repeated it gives the same volume, and a foreign one is not taken over", async () => {
    cloud.emulator.faults.add({ operation: "volumes_create", effect: "lose_reply" });
    await expect(driver.create("v", { size_gb: 1 }, { token: "mine" })).rejects.toMatchObject({ class: "transient" });
    const found = await driver.lookup("v", "mine");
    expect((await driver.create("v", { size_gb: 1 }, { token: "mine" })).providerId).toBe(found?.providerId);
    await expect(driver.create("v", { size_gb: 1 }, { token: "theirs" })).rejects.toMatchObject({
      class: "already_exists",
    });
    expect(cloud.account.volumes.all()).toHaveLength(1);
    await driver.delete("v", found!.providerId);
  });
});
