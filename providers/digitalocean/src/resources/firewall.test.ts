import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

describe("infra.firewall", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.firewall");

  test("goes through its life", async () => {
    const config = {
      tags: ["web"],
      inbound_rules: [
        { protocol: "tcp", ports: "443", sources: ["0.0.0.0/0", "::/0"] },
        { protocol: "tcp", ports: "8000-9000", sources: { tags: ["lb"], addresses: ["10.0.0.0/8"] } },
        { protocol: "icmp" },
      ],
      outbound_rules: [{ protocol: "tcp", ports: "all" }, { protocol: "udp" }],
    };
    const made = await driver.create("edge", config);
    const id = made.providerId;
    expect(made).toMatchObject({ created: true, outputs: { status: "succeeded", name: "edge" } });
    const { firewall } = (await cloud.raw("GET", `firewalls/${id}`)).body;
    expect(firewall.inbound_rules[2]).toMatchObject({ protocol: "icmp", ports: "0" });
    await expectQuiet(driver, "edge", config, id);
    await expectQuiet(driver, "edge", { ...config, inbound_rules: config.inbound_rules.toReversed() }, id);

    const { body } = await cloud.raw("POST", "droplets", {
      name: "d",
      region: "fra1",
      size: "s-1vcpu-1gb",
      image: "ubuntu-24-04-x64",
    });
    const changed = {
      ...config,
      droplet_ids: [String(body.droplet.id)],
      tags: [],
      inbound_rules: [{ ports: 22, sources: ["10.1.0.0/16"] }],
    };
    expect(await changedPaths(driver, "edge", changed, id)).toEqual(["droplet_ids", "inbound_rules", "tags"]);
    await driver.update("edge", id, changed);
    expect((await cloud.raw("GET", `firewalls/${id}`)).body.firewall).toMatchObject({
      droplet_ids: [body.droplet.id],
      tags: [],
    });
    await expectQuiet(driver, "edge", changed, id);

    await cloud.raw("PUT", `firewalls/${id}`, {
      name: "edge",
      inbound_rules: [{ protocol: "tcp", ports: "22", sources: { addresses: ["0.0.0.0/0"] } }],
      outbound_rules: [],
    });
    expect(await changedPaths(driver, "edge", changed, id)).toEqual(["droplet_ids", "inbound_rules", "outbound_rules"]);
    for (const handle of [id, "edge"]) expect((await driver.import(handle))?.providerId).toBe(id);

    await driver.delete("edge", id);
    expect((await cloud.raw("GET", `firewalls/${id}`)).status).toBe(404);
    await driver.delete("edge", id);
  });

  test("a name that is taken is not taken over, and a rule that makes no sense is refused with its path", async () => {
    const { providerId } = await driver.create("one", {});
    await expect(driver.create("one", {})).rejects.toMatchObject({ class: "already_exists" });
    await expect(driver.create("two", { inbound_rules: [{ ports: "http" }] })).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining("inbound_rules.0.ports"),
    });
    await driver.delete("one", providerId);
  });
});
