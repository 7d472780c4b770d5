import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createPluginProvider } from "@wfctl/plugin-host";
import { describe, expect, test } from "vitest";
import { docsText } from "../src/write-docs.ts";
import { manifestText } from "../src/write-manifest.ts";
import { useDigitalOcean } from "./testing/harness.ts";

const folder = join(import.meta.dirname, "..");

test("plugin.json is what the provider's definition says; the launcher is the repository's own, executable", async () => {
  expect(readFileSync(join(folder, "plugin.json"), "utf8")).toBe(await manifestText());
  expect(readFileSync(join(folder, "digitalocean"), "utf8")).toBe(
    readFileSync(join(folder, "../../tools/launcher.sh"), "utf8"),
  );
  expect(statSync(join(folder, "digitalocean")).mode & 0o111).toBe(0o111);
});

test("docs/providers/digitalocean.md is what the definitions say", () => {
  expect(readFileSync(join(folder, "../../docs/providers/digitalocean.md"), "utf8")).toBe(docsText());
});

describe("the plugin under our own host", () => {
  const cloud = useDigitalOcean();

  test("tells who it speaks for, and what its types offer", async () => {
    const provider = await createPluginProvider({
      pluginDir: join(folder, ".."),
      module: "do",
      provider: "digitalocean",
      config: { ...cloud.config, provider: "digitalocean" },
    });
    try {
      const { body } = await cloud.raw("GET", "account");
      expect(provider.identity).toBe(`digitalocean:${body.account.team.uuid}:${cloud.emulator.url}`);
      expect(provider.resourceTypes).toHaveLength(18);
      const marked = provider.resourceTypes.filter((type) => provider.traits(type)?.lookup === true);
      expect(marked).toEqual([
        "infra.autoscaling_group",
        "infra.cache",
        "infra.database",
        "infra.droplet",
        "infra.iam_role",
        "infra.k8s_cluster",
        "infra.volume",
      ]);
      for (const type of marked) expect(provider.traits(type)?.convergentCreate).toBe(true);
    } finally {
      await provider.shutdown();
    }
  });

  test("a wrong token, no token and an unknown key are refused before anything is done", async () => {
    await expect(cloud.start({ tokne: "x" })).rejects.toThrow('did you mean "token"');
    const { token: _, ...rest } = cloud.config;
    const { endpoint } = rest;
    await expect(
      createPluginProvider({
        pluginDir: join(folder, ".."),
        module: "do",
        provider: "digitalocean",
        config: { endpoint: endpoint! },
      }),
    ).rejects.toThrow("DIGITALOCEAN_TOKEN");
  });

  test("a call refused for its rate is sent again when the API says so", async () => {
    cloud.emulator.faults.add({
      operation: "vpcs_create",
      effect: "status",
      status: 429,
      body: { id: "too_many_requests", message: "API Rate limit exceeded." },
      headers: { "retry-after": "1" },
    });
    const vpcs = cloud.driver("infra.vpc");
    const { providerId } = await vpcs.create("patient", {});
    expect(cloud.count("vpcs_create")).toBe(2);
    await vpcs.delete("patient", providerId);
  });

  test("reads are repeated when the API fails, changes are not: what they did is not known", async () => {
    const vpcs = cloud.driver("infra.vpc");
    cloud.emulator.faults.add({
      operation: "vpcs_list",
      effect: "status",
      status: 503,
      body: { id: "server_error", message: "Sorry" },
    });
    cloud.emulator.faults.add({ operation: "vpcs_list", effect: "drop" });
    expect(await vpcs.read("nothing", "")).toBeUndefined();
    cloud.emulator.faults.add({
      operation: "vpcs_create",
      effect: "status",
      status: 500,
      body: { id: "server_error", message: "Sorry" },
    });
    await expect(vpcs.create("once", {})).rejects.toMatchObject({
      class: "transient",
      message: expect.stringContaining("Sorry"),
    });
    expect(cloud.count("vpcs_create")).toBe(1);
  });

  test("no secret of the configuration appears in what the plugin writes", async () => {
    await expect(cloud.driver("infra.vpc").create("x", { region: "zzz9" })).rejects.toMatchObject({
      class: "validation",
    });
    expect(cloud.plugin.stderr()).not.toContain(cloud.config["token"]);
  });

  test("all pages of a list are read", async () => {
    for (let index = 0; index < 205; index += 1)
      await cloud.raw("POST", "vpcs", { name: `net-${index}`, region: "nyc3" });
    const vpcs = cloud.driver("infra.vpc");
    expect(await vpcs.list()).toHaveLength(205);
    expect((await vpcs.import("net-204"))?.name).toBe("net-204");
  });
});
