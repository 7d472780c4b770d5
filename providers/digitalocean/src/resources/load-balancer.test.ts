import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

const pem = (kind: string) => `-----BEGIN ${kind}-----\nAAAA\n-----END ${kind}-----\n`;

describe("infra.load_balancer", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.load_balancer");

  test("goes through its life", async () => {
    await cloud.raw("POST", "certificates", {
      name: "tls",
      type: "custom",
      private_key: pem("PRIVATE KEY"),
      leaf_certificate: pem("CERTIFICATE"),
    });
    const { droplet } = (
      await cloud.raw("POST", "droplets", { name: "d", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64" })
    ).body;
    const config = {
      size: "m",
      droplet_ids: [String(droplet.id)],
      forwarding_rules: [
        {
          entry_protocol: "https",
          entry_port: 443,
          target_protocol: "http",
          target_port: 8080,
          certificate_name: "tls",
        },
        { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 8080 },
      ],
      health_check: { protocol: "http", port: 8080, path: "/healthz" },
      sticky_sessions: { type: "cookies", cookie_name: "LB", cookie_ttl_seconds: 60 },
      redirect_http_to_https: true,
      firewall: { allow: ["cidr:10.0.0.0/8"] },
    };
    const made = await driver.create("lb", config);
    const id = made.providerId;
    expect(made).toMatchObject({ created: true, outputs: { status: "active", region: "nyc3" } });
    expect(made.outputs["ip"]).toMatch(/^198\./);
    const live = (await cloud.raw("GET", `load_balancers/${id}`)).body.load_balancer;
    expect(live).toMatchObject({ size_unit: 3, droplet_ids: [droplet.id], redirect_http_to_https: true });
    await expectQuiet(driver, "lb", config, id);
    await expectQuiet(driver, "lb", { ...config, forwarding_rules: config.forwarding_rules.toReversed() }, id);

    const { droplet_ids: _ids, ...rest } = config;
    const changed = {
      ...rest,
      name: "front",
      droplet_tag: "web",
      size_unit: 4,
      forwarding_rules: config.forwarding_rules.slice(1),
      redirect_http_to_https: false,
    };
    expect(await changedPaths(driver, "lb", changed, id)).toEqual([
      "droplet_tag",
      "forwarding_rules",
      "name",
      "redirect_http_to_https",
      "size_unit",
    ]);
    await driver.update("lb", id, changed);
    const after = (await cloud.raw("GET", `load_balancers/${id}`)).body.load_balancer;
    expect(after).toMatchObject({
      name: "front",
      tag: "web",
      size_unit: 4,
      vpc_uuid: live.vpc_uuid,
      health_check: { path: "/healthz" },
    });
    await expectQuiet(driver, "lb", changed, id);
    expect(await changedPaths(driver, "lb", { ...changed, region: "fra1", network: "INTERNAL" }, id)).toEqual([
      "network!",
      "region!",
    ]);

    const { status } = await cloud.raw("PUT", `load_balancers/${id}`, {
      name: "front",
      region: "nyc3",
      tag: "web",
      size_unit: 4,
      forwarding_rules: after.forwarding_rules,
      health_check: after.health_check,
      sticky_sessions: after.sticky_sessions,
      firewall: after.firewall,
      enable_proxy_protocol: true,
    });
    expect(status).toBe(200);
    expect(await changedPaths(driver, "lb", changed, id)).toEqual(["enable_proxy_protocol"]);
    for (const handle of [id, "front"]) expect((await driver.import(handle))?.providerId).toBe(id);

    await driver.delete("lb", id);
    expect((await cloud.raw("GET", `load_balancers/${id}`)).status).toBe(404);
    await driver.delete("lb", id);
  });

  test("upstream's two keys are enough, and an update leaves targets alone that were set elsewhere", async () => {
    const config = { region: "fra1", algorithm: "round_robin" };
    const { providerId: id } = await driver.create("plain", config);
    await expectQuiet(driver, "plain", config, id);
    const { droplet } = (
      await cloud.raw("POST", "droplets", { name: "d", region: "fra1", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64" })
    ).body;
    const live = (await cloud.raw("GET", `load_balancers/${id}`)).body.load_balancer;
    await cloud.raw("PUT", `load_balancers/${id}`, {
      name: "plain",
      region: "fra1",
      forwarding_rules: live.forwarding_rules,
      droplet_ids: [droplet.id],
    });
    await driver.update("plain", id, { ...config, http_idle_timeout_seconds: 90 });
    expect((await cloud.raw("GET", `load_balancers/${id}`)).body.load_balancer).toMatchObject({
      droplet_ids: [droplet.id],
      http_idle_timeout_seconds: 90,
    });
    await driver.delete("plain", id);
  });

  test("a global one needs no region; two kinds of targets and a missing certificate are refused", async () => {
    const config = {
      type: "GLOBAL",
      glb_settings: { target_protocol: "http", target_port: 80 },
      domains: [{ name: "example.com" }],
    };
    const { providerId: id } = await driver.create("world", config);
    expect((await cloud.raw("GET", `load_balancers/${id}`)).body.load_balancer.region).toBeUndefined();
    await expectQuiet(driver, "world", config, id);
    await driver.delete("world", id);
    await expect(driver.create("x", { droplet_ids: [1], droplet_tag: "web" })).rejects.toMatchObject({
      class: "validation",
    });
    const rule = {
      entry_protocol: "https",
      entry_port: 443,
      target_protocol: "http",
      target_port: 80,
      certificate_name: "nothing",
    };
    await expect(driver.create("x", { forwarding_rules: [rule] })).rejects.toMatchObject({
      message: expect.stringContaining('"nothing"'),
    });
    expect(cloud.account.loadBalancers.all()).toEqual([]);
  });
});
