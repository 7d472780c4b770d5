import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

describe("infra.vpc", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.vpc");

  test("goes through its life", async () => {
    const config = { region: "fra1", cidr: "10.20.0.0/16", description: "of the shop" };
    const made = await driver.create("net", config);
    expect(made).toMatchObject({ created: true, outputs: { name: "net", region: "fra1", ip_range: "10.20.0.0/16" } });
    const id = made.providerId;
    expect((await cloud.raw("GET", `vpcs/${id}`)).body.vpc).toMatchObject({ name: "net", description: "of the shop" });
    await expectQuiet(driver, "net", config, id);

    const changed = { ...config, description: "of the store", name: "network" };
    expect(await changedPaths(driver, "net", changed, id)).toEqual(["description", "name"]);
    await driver.update("net", id, changed);
    expect((await cloud.raw("GET", `vpcs/${id}`)).body.vpc).toMatchObject({
      name: "network",
      description: "of the store",
    });
    await expectQuiet(driver, "net", changed, id);
    expect(await changedPaths(driver, "net", { ...changed, cidr: "10.30.0.0/16", region: "nyc3" }, id)).toEqual([
      "ip_range!",
      "region!",
    ]);

    await cloud.raw("PATCH", `vpcs/${id}`, { description: "by hand" });
    expect(await changedPaths(driver, "net", changed, id)).toEqual(["description"]);
    for (const handle of [id, "network"])
      expect(await driver.import(handle)).toMatchObject({ providerId: id, name: "network" });
    expect((await driver.list()).map(({ providerId }) => providerId)).toEqual([id]);

    await driver.delete("net", id);
    expect((await cloud.raw("GET", `vpcs/${id}`)).status).toBe(404);
    expect(await driver.read("net", id)).toBeUndefined();
    await driver.delete("net", id);
  });

  test("without a range the cloud chooses one, and the plan stays quiet", async () => {
    const made = await driver.create("free", {});
    expect(made.outputs["ip_range"]).toMatch(/\/20$/);
    await expectQuiet(driver, "free", {}, made.providerId);
    await driver.delete("free", made.providerId);
  });

  test("a name that is taken is not taken over, and an overlapping range is refused", async () => {
    const first = await driver.create("one", { ip_range: "10.50.0.0/16" });
    await expect(driver.create("one", {})).rejects.toMatchObject({ class: "already_exists" });
    await expect(driver.create("two", { ip_range: "10.50.1.0/24" })).rejects.toMatchObject({ class: "validation" });
    await expect(driver.create("two", { ip_range: "10.50.1.0/8" })).rejects.toMatchObject({ class: "validation" });
    expect((await driver.read("one", ""))?.providerId).toBe(first.providerId);
    await driver.delete("one", first.providerId);
  });

  test("delete waits until the last member has left", async () => {
    const { providerId } = await driver.create("busy", {});
    const { body } = await cloud.raw("POST", "droplets", {
      name: "member",
      region: "nyc3",
      size: "s-1vcpu-1gb",
      image: "ubuntu-24-04-x64",
      vpc_uuid: providerId,
    });
    const refused = cloud.emulator.journal.next(
      ({ operation, status }) => operation === "vpcs_delete" && status === 403,
      AbortSignal.timeout(120_000),
    );
    const gone = driver.delete("busy", providerId);
    await refused;
    await cloud.raw("DELETE", `droplets/${body.droplet.id}`);
    await gone;
    expect((await cloud.raw("GET", `vpcs/${providerId}`)).status).toBe(404);
  });
});
