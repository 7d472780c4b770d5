import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

interface Pool {
  readonly id: string;
  readonly name: string;
  readonly size: string;
  readonly count: number;
}

describe("infra.k8s_cluster", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.k8s_cluster");
  const live = async (id: string) => (await cloud.raw("GET", `kubernetes/clusters/${id}`)).body.kubernetes_cluster;

  test("goes through its life", async () => {
    const config = {
      version: "1.32",
      size: "m",
      node_count: 2,
      node_labels: { role: "web" },
      node_pools: [
        {
          name: "jobs",
          size: "l",
          auto_scale: true,
          min_nodes: 1,
          max_nodes: 3,
          taints: [{ key: "jobs", value: "yes", effect: "NoSchedule" }],
        },
      ],
      tags: ["prod"],
      maintenance_policy: { day: "sunday", start_time: "03:00" },
      control_plane_firewall: { allowed_addresses: ["203.0.113.0/24"] },
    };
    const made = await driver.create("k", config, { token: "t-k", owner: "line/k" });
    const id = made.providerId;
    expect(made).toMatchObject({
      created: true,
      owner: "line/k",
      outputs: { status: "running", version: "1.32.5-do.1" },
    });
    expect(made.sensitive).toEqual(expect.arrayContaining(["kubeconfig", "token"]));
    expect(made.outputs["kubeconfig"]).toContain("kind: Config");
    expect(made.outputs["endpoint"]).toMatch(/^https:/);
    expect((await live(id)).node_pools.map(({ size, count }: Pool) => [size, count])).toEqual([
      ["s-2vcpu-4gb", 2],
      ["s-4vcpu-8gb", 1],
    ]);
    await expectQuiet(driver, "k", config, id);
    await expectQuiet(driver, "k", { ...config, version: "latest" }, id);

    const changed = {
      ...config,
      version: "1.33",
      size: "l",
      node_count: 3,
      node_pools: [{ name: "cron", size: "s", count: 1 }],
      tags: ["prod", "blue"],
      ha: true,
      registry_integration: true,
      destroy_all_associated_resources: true,
    };
    expect(await changedPaths(driver, "k", changed, id)).toEqual([
      "destroy_all_associated_resources",
      "ha",
      "node_count",
      "node_pools",
      "node_size",
      "registry_integration",
      "tags",
      "version",
    ]);
    await driver.update("k", id, changed);
    const after = await live(id);
    expect(after).toMatchObject({ version: "1.33.1-do.0", ha: true, registry_enabled: true });
    expect(after.node_pools.map(({ size, count }: Pool) => [size, count]).toSorted()).toEqual([
      ["s-1vcpu-2gb", 1],
      ["s-4vcpu-8gb", 3],
    ]);
    await expectQuiet(driver, "k", changed, id);
    expect(
      await changedPaths(driver, "k", { ...changed, version: "1.31", ha: false, cluster_subnet: "10.1.0.0/16" }, id),
    ).toEqual(["cluster_subnet!", "ha!", "version!"]);

    const [pool] = after.node_pools.filter(({ size }: Pool) => size === "s-4vcpu-8gb");
    await cloud.raw("PUT", `kubernetes/clusters/${id}/node_pools/${pool.id}`, { name: pool.name, count: 1 });
    expect(await changedPaths(driver, "k", changed, id)).toEqual(["node_count"]);
    expect((await driver.scale("k", id, 3)).outputs["status"]).toBe("running");
    await expectQuiet(driver, "k", changed, id);
    for (const handle of [id, "k"]) expect((await driver.import(handle))?.providerId).toBe(id);
    await driver.setOwner("k", id, "other/k");
    expect(await driver.getOwner("k", id)).toBe("other/k");

    await driver.delete("k", id);
    expect(cloud.count("kubernetes_destroy_associatedResourcesDangerous")).toBe(1);
    expect((await cloud.raw("GET", `kubernetes/clusters/${id}`)).status).toBe(404);
    await driver.delete("k", id);
  });

  test("the plugin killed while the cluster is made: another one finishes the same cluster", async () => {
    const sent = cloud.emulator.journal.next(
      ({ operation }) => operation === "kubernetes_create_cluster",
      AbortSignal.timeout(120_000),
    );
    const first = driver.create("killed", { node_count: 1 }, { token: "t-killed" }).catch((error: unknown) => error);
    await sent;
    await cloud.restart();
    expect(await first).toBeInstanceOf(Error);
    expect((await driver.lookup("killed", "t-killed"))?.outputs["name"]).toBe("killed");
    const made = await driver.create("killed", { node_count: 1 }, { token: "t-killed" });
    expect(cloud.count("kubernetes_create_cluster")).toBe(1);
    await expect(driver.create("killed", {}, { token: "other" })).rejects.toMatchObject({ class: "already_exists" });
    await driver.delete("killed", made.providerId);
  });

  test("configuration that makes no sense is refused", async () => {
    await expect(driver.create("x", { auto_scale: true })).rejects.toMatchObject({
      message: expect.stringContaining("min_nodes"),
    });
    await expect(driver.create("x", { version: "9.9" })).rejects.toMatchObject({ class: "validation" });
    expect(cloud.account.clusters.all()).toEqual([]);
  });
});
