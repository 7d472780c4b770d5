import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

describe("infra.registry", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.registry");

  test("goes through its life", async () => {
    const config = { tier: "basic", region: "fra1" };
    const made = await driver.create("acme", config);
    expect(made).toMatchObject({
      providerId: "acme",
      created: true,
      outputs: { endpoint: "registry.digitalocean.com/acme", region: "fra1", tier: "basic" },
    });
    await expectQuiet(driver, "acme", config, "acme");
    const changed = { ...config, tier: "professional" };
    expect(await changedPaths(driver, "acme", changed, "acme")).toEqual(["tier"]);
    await driver.update("acme", "acme", changed);
    expect((await cloud.raw("GET", "registry/subscription")).body.subscription.tier.slug).toBe("professional");
    await expectQuiet(driver, "acme", changed, "acme");
    expect(await changedPaths(driver, "acme", { ...changed, name: "other", region: "nyc3" }, "acme")).toEqual([
      "name!",
      "region!",
    ]);
    await cloud.raw("POST", "registry/subscription", { tier_slug: "starter" });
    expect(await changedPaths(driver, "acme", changed, "acme")).toEqual(["tier"]);
    expect((await driver.import("acme"))?.providerId).toBe("acme");
    await driver.delete("acme", "acme");
    expect((await cloud.raw("GET", "registries/acme")).status).toBe(404);
    await driver.delete("acme", "acme");
  });

  test("deleting one never removes another", async () => {
    await driver.create("one", { tier: "professional" });
    await driver.create("two", {});
    await driver.delete("gone", "gone");
    await driver.delete("one", "one");
    expect(cloud.account.registries.all().map(({ name }) => name)).toEqual(["two"]);
    await driver.delete("one", "one");
    expect(await driver.read("one", "one")).toBeUndefined();
    expect((await driver.read("two", "two"))?.providerId).toBe("two");
    await expect(driver.create("two", {})).rejects.toMatchObject({ class: "already_exists" });
    expect(await driver.sizing("l")).toEqual({ instance_type: "", tier: "professional" });
    await driver.delete("two", "two");
  });
});
