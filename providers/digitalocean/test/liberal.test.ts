import type { JsonObject } from "@wfctl/plugin-sdk";
import { ext, unaryCall } from "@wfctl/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drive, type Driver, type Plugin } from "@wfctl/testkit/drive";
import { startPlugin } from "./testing/plugin.ts";
import { startTerseServer, type TerseServer } from "./testing/terse-server.ts";

const pem = (kind: string) => `-----BEGIN ${kind}-----\nAAAA\n-----END ${kind}-----\n`;

/** A configuration of each type, and a change of it. */
const samples: Readonly<Record<string, readonly [name: string, config: JsonObject, change: JsonObject]>> = {
  "infra.vpc": ["net", { description: "one" }, { description: "two" }],
  "infra.firewall": ["fence", { inbound_rules: [{ ports: "443" }] }, { inbound_rules: [{ ports: "80" }] }],
  "infra.dns": [
    "example.net",
    { records: [{ type: "A", name: "www", data: "203.0.113.1" }] },
    { records: [{ type: "A", name: "www", data: "203.0.113.2" }] },
  ],
  "infra.certificate": ["tls", { private_key: pem("PRIVATE KEY"), leaf_certificate: pem("CERTIFICATE") }, {}],
  "infra.load_balancer": ["front", {}, { redirect_http_to_https: true }],
  "infra.droplet": ["box", {}, {}],
  "infra.volume": ["disk", { size_gb: 10 }, {}],
  "infra.database": ["shop-db", {}, {}],
  "infra.cache": ["shop-cache", { version: "7" }, {}],
  "infra.k8s_cluster": ["cluster", { node_count: 1 }, { name: "other" }],
  "infra.container_service": ["web", { image: "docker.io/library/nginx:1" }, { instance_count: 2 }],
  "infra.registry": ["images", {}, {}],
  "infra.spaces_key": ["key", { grants: [{ permission: "fullaccess" }] }, { name: "other" }],
};

describe("another server than the emulator, which answers as little as it can", () => {
  let server: TerseServer;
  let plugin: Plugin;
  const driver = (type: string): Driver => drive(() => plugin, type);

  beforeAll(async () => {
    server = await startTerseServer();
    // Its address comes from the environment, with a path of its own and a slash at the end.
    plugin = await startPlugin({ token: "anything", limit_rates: false }, { DIGITALOCEAN_API_URL: server.url });
  });
  afterAll(async () => {
    await plugin?.kill();
    await server?.close();
  });

  test.each(Object.entries(samples))("%s is made, read, quiet, changed and deleted", async (type, sample) => {
    const [name, config, change] = sample;
    const own = driver(type);
    expect(await own.read(name, "")).toBeUndefined();
    expect(await own.list()).toEqual([]);
    const made = await own.create(name, config, { token: `t-${type}` });
    const { providerId } = made;
    expect(providerId).not.toBe("");
    const live = await own.read(name, providerId);
    expect(live).toMatchObject({ providerId });
    expect((await own.diff(name, config, live!)).changes).toEqual([]);
    expect(await own.list()).toMatchObject([{ providerId }]);
    await own.update(name, providerId, { ...config, ...change });
    const after = await own.read(name, providerId);
    expect((await own.diff(name, { ...config, ...change }, after!)).changes).toEqual([]);
    await own.delete(name, providerId);
    expect(await own.read(name, providerId)).toBeUndefined();
    await own.delete(name, providerId);
    expect(await own.list()).toEqual([]);
  });

  test("who answers is named by the address where the server knows no accounts; a version in it counts once", async () => {
    const identity = async (started: Plugin): Promise<string> =>
      (await unaryCall(started.client, ext.ProviderIdentity.method.getIdentity, {})).response.identity;
    const other = await startPlugin({ endpoint: `${server.url}v2/` }, { DIGITALOCEAN_TOKEN: "anything" });
    try {
      expect(await identity(other)).toBe(`digitalocean::${server.url.replace(/\/$/, "")}`);
      expect(await identity(plugin)).toBe(await identity(other));
    } finally {
      await other.kill();
    }
  });

  test.each([
    [
      "a page of a gateway",
      { status: 502, type: "text/html", body: "<html><title>502 Bad Gateway</title></html>" },
      "transient",
      "502 Bad Gateway",
    ],
    [
      "plain text",
      { status: 422, type: "text/plain", body: "the range is taken\n" },
      "validation",
      "the range is taken",
    ],
    [
      "another JSON",
      { status: 403, type: "application/json", body: '{"error":{"message":"not yours"}}' },
      "forbidden",
      "not yours",
    ],
    ["nothing", { status: 503, type: "text/plain", body: "" }, "transient", "503"],
    [
      "a page that says it went well",
      { status: 200, type: "text/html", body: "<html>login</html>" },
      "transient",
      "is no JSON",
    ],
  ])("an error that is %s keeps its class and its words", async (_, answer, kind, words) => {
    server.next("POST", "vpcs", answer);
    await expect(driver("infra.vpc").create("refused", {})).rejects.toMatchObject({
      class: kind,
      message: expect.stringContaining(words) as string,
    });
  });

  test("a failing page is read again, and absence is known by its status alone", async () => {
    const made = await driver("infra.vpc").create("net", {});
    server.next("GET", "vpcs/", { status: 502, type: "text/html", body: "<html></html>" });
    server.next("GET", "vpcs/", { status: 429, type: "text/plain", body: "slow down" });
    expect(await driver("infra.vpc").read("net", made.providerId)).toMatchObject({ providerId: made.providerId });
    server.next("DELETE", "vpcs/", { status: 410, type: "text/html", body: "<html>gone</html>" });
    await driver("infra.vpc").delete("net", made.providerId);
    await driver("infra.vpc").delete("net", made.providerId);
  });

  test.each(["infra.vpc", "infra.volume", "infra.container_service"])(
    "%s is there for the next read when its create ends, although it was invisible for a moment",
    async (type) => {
      const [, config] = samples[type]!;
      server.hide(3);
      const { providerId } = await driver(type).create("late", config, { token: `t-late-${type}` });
      expect(await driver(type).read("late", providerId)).toMatchObject({ providerId });
      await driver(type).delete("late", providerId);
    },
  );

  test("a server that wants preserve_path_prefix in words gets it in words", async () => {
    const refusal = {
      status: 422,
      type: "application/json",
      body: '{"message":"spec.ingress.rules[0].component.preserve_path_prefix must be string"}',
    };
    const own = driver("infra.container_service");
    const config = { image: "docker.io/library/nginx:1", routes: [{ path: "/api", preserve_path_prefix: true }] };
    server.next("POST", "apps", refusal);
    const { providerId } = await own.create("worded", config, { token: "t-worded" });
    const live = await own.read("worded", providerId);
    expect((await own.diff("worded", config, live!)).changes).toEqual([]);
    server.next("PUT", "apps/", refusal);
    await own.update("worded", providerId, { ...config, instance_count: 2 });
    await own.delete("worded", providerId);
    // Of a spec without it the refusal stands.
    server.next("POST", "apps", refusal);
    await expect(own.create("plain", { image: "docker.io/library/nginx:1" })).rejects.toMatchObject({
      class: "validation",
    });
  });

  test("an answer without what it must say is told as such", async () => {
    server.next("POST", "droplets", { status: 202, type: "application/json", body: '{"droplets":[]}' });
    await expect(driver("infra.droplet").create("odd", {})).rejects.toMatchObject({
      class: "unknown",
      message: expect.stringContaining("The API answered without what it must say") as string,
    });
  });
});
