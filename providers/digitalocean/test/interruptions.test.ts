import { ext, unaryCall } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/plugin-sdk";
import { beforeAll, describe, expect, test } from "vitest";
import { expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "./testing/harness.ts";

/** A type that has no place for a mark: how it is made, and by which operation. */
interface Unmarked {
  readonly type: string;
  readonly name: string;
  readonly config: JsonObject;
  readonly operation: string;
  /** Waits until the thing has come up. */
  readonly waits?: boolean;
}

const unmarked: readonly Unmarked[] = [
  { type: "infra.vpc", name: "net", config: { description: "of the shop" }, operation: "vpcs_create" },
  {
    type: "infra.firewall",
    name: "fence",
    config: { tags: ["web"], inbound_rules: [{ ports: "443" }] },
    operation: "firewalls_create",
    waits: true,
  },
  {
    type: "infra.dns",
    name: "example.net",
    config: { records: [{ type: "A", name: "www", data: "203.0.113.1" }] },
    operation: "domains_create",
  },
  { type: "infra.load_balancer", name: "front", config: {}, operation: "loadBalancers_create", waits: true },
  {
    type: "infra.certificate",
    name: "tls",
    config: { dns_names: ["www.example.com"] },
    operation: "certificates_create",
    waits: true,
  },
  { type: "infra.registry", name: "images", config: {}, operation: "registries_create" },
  {
    type: "infra.app_domain",
    name: "www.example.com",
    config: { app: "standing", wait_for_active: true },
    operation: "apps_update",
    waits: true,
  },
  {
    type: "infra.api_gateway",
    name: "gate",
    config: {
      routes: [{ path: "/", component: "shop" }],
      components: [{ name: "shop", image: "docker.io/library/nginx:1" }],
    },
    operation: "apps_create",
    waits: true,
  },
  {
    type: "infra.container_service",
    name: "web",
    config: { image: "docker.io/library/nginx:1" },
    operation: "apps_create",
    waits: true,
  },
  {
    type: "infra.spaces_key",
    name: "key",
    config: { grants: [{ bucket: "", permission: "fullaccess" }] },
    operation: "spacesKey_create",
  },
];
const marked: readonly Unmarked[] = [
  { type: "infra.droplet", name: "box", config: {}, operation: "droplets_create", waits: true },
  { type: "infra.database", name: "shop-db", config: {}, operation: "databases_create_cluster", waits: true },
  {
    type: "infra.k8s_cluster",
    name: "cluster",
    config: { node_count: 1 },
    operation: "kubernetes_create_cluster",
    waits: true,
  },
];
const waiting = [...unmarked, ...marked].filter(({ waits }) => waits === true);

describe("what is interrupted", () => {
  const cloud = useDigitalOcean();
  const within = (): AbortSignal => AbortSignal.timeout(120_000);

  beforeAll(async () => {
    await cloud.raw("POST", "domains", { name: "example.com" });
    const apps = cloud.driver("infra.container_service");
    await apps.create("standing", { image: "docker.io/library/nginx:1" });
  });

  test.each(unmarked.filter(({ type }) => type !== "infra.spaces_key"))(
    "$type: a create whose answer is lost leaves one object, found by its name, never made twice, made whole by an update",
    async ({ type, name, config, operation }) => {
      const driver = cloud.driver(type);
      // The host reads by name just before: that nothing was there is its evidence afterwards.
      expect(await driver.read(name, "")).toBeUndefined();
      cloud.emulator.faults.add({ operation, effect: "lose_reply" });
      await expect(driver.create(name, config, { token: `lost-${type}` })).rejects.toMatchObject({
        class: "transient",
      });
      const found = await driver.read(name, "");
      expect(found?.providerId).toBeTruthy();
      await expect(driver.create(name, config, { token: `lost-${type}` })).rejects.toMatchObject({
        class: "already_exists",
      });
      expect(cloud.count(operation)).toBe(1);
      await driver.update(name, found!.providerId, config);
      await expectQuiet(driver, name, config, found!.providerId);
      await driver.delete(name, found!.providerId);
      expect(await driver.read(name, found!.providerId)).toBeUndefined();
    },
  );

  test("infra.spaces_key: a key whose answer is lost is useless, as its secret is: another takes its place at once", async () => {
    const driver = cloud.driver("infra.spaces_key");
    const config = { grants: [{ bucket: "", permission: "fullaccess" }] };
    cloud.emulator.faults.add({ operation: "spacesKey_create", effect: "lose_reply" });
    const made = await driver.create("lost-key", config);
    expect(made.outputs["secret_key"]).toBeTruthy();
    expect(cloud.account.spacesKeys.all()).toHaveLength(1);
    await driver.delete("lost-key", made.providerId);
  });

  test.each(unmarked)(
    "$type: the plugin killed in the create: another one finds one object by its name and makes it whole",
    async ({ type, name, config, operation }) => {
      const driver = cloud.driver(type);
      const sent = cloud.emulator.journal.next((exchange) => exchange.operation === operation, within());
      const first = driver.create(name, config, { token: `killed-${type}` }).then(
        () => "made",
        () => "lost",
      );
      await sent;
      await cloud.restart();
      // It may have had its answer before it was killed.
      expect(["made", "lost"]).toContain(await first);
      const found = await driver.read(name, "");
      expect(found?.providerId).toBeTruthy();
      expect(cloud.count(operation)).toBe(1);
      await driver.update(name, found!.providerId, config);
      await expectQuiet(driver, name, config, found!.providerId);
      await driver.delete(name, found!.providerId);
      expect(await driver.read(name, found!.providerId)).toBeUndefined();
    },
  );

  test.each(waiting)(
    "$type: Stop of the run ends the waiting and says what was made",
    async ({ type, name, config, operation }) => {
      const driver = cloud.driver(type);
      const rate = cloud.emulator.clock.rate();
      cloud.emulator.clock.setRate(0);
      const run = `stopped-${type}`;
      const sent = cloud.emulator.journal.next((exchange) => exchange.operation === operation, within());
      const stopped = driver.create(name, config, { token: `stopped-${type}`, run });
      const failure = stopped.catch((error: unknown) => error);
      await sent;
      await unaryCall(cloud.plugin.client, ext.RunControl.method.stop, { run });
      expect(await failure).toMatchObject({ partialId: expect.stringMatching(/./) as string });
      cloud.emulator.clock.setRate(rate);
      const { partialId } = (await failure) as { partialId: string };
      await driver.update(name, partialId, config, { run: "another" });
      await expectQuiet(driver, name, config, partialId);
      await driver.delete(name, partialId, { run: "another" });
    },
  );
});
