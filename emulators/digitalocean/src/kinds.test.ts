import { describe, expect, test } from "vitest";
import { begin, type Client } from "./testdata/client.ts";

interface Kind {
  readonly path: string;
  /** Key of one object in answers. */
  readonly one: string;
  readonly create: Record<string, unknown>;
  readonly status: number;
  /** Made before. */
  readonly before?: (client: Client) => Promise<void>;
  readonly idOf?: (object: Record<string, unknown>) => string;
  /** What the object is when it is new, and later. */
  readonly fresh?: (object: Record<string, never>) => unknown;
  readonly phases?: readonly [unknown, unknown];
  readonly deleteStatus?: number;
}

const hours = 3_600_000;
const withDomain = async ({ call }: Client): Promise<void> =>
  void (await call("POST", "domains", { name: "example.com" }));
const status = (object: Record<string, never>): unknown => object["status"];

const kinds: Readonly<Record<string, Kind>> = {
  vpc: { path: "vpcs", one: "vpc", create: { name: "net", region: "nyc3" }, status: 201 },
  droplet: {
    path: "droplets",
    one: "droplet",
    create: {
      name: "web-1",
      region: "nyc3",
      size: "s-1vcpu-1gb",
      image: "ubuntu-24-04-x64",
      tags: ["web"],
      backup_policy: { plan: "weekly", weekday: "MON", hour: 4 },
    },
    status: 202,
    fresh: status,
    phases: ["new", "active"],
  },
  volume: { path: "volumes", one: "volume", create: { name: "data", region: "nyc3", size_gigabytes: 10 }, status: 201 },
  firewall: {
    path: "firewalls",
    one: "firewall",
    create: {
      name: "fw",
      inbound_rules: [{ protocol: "tcp", ports: "80", sources: { addresses: ["0.0.0.0/0"] } }],
      outbound_rules: [],
    },
    status: 202,
    fresh: status,
    phases: ["waiting", "succeeded"],
  },
  database: {
    path: "databases",
    one: "database",
    create: { name: "db", engine: "pg", region: "nyc3", size: "db-s-1vcpu-1gb", num_nodes: 1 },
    status: 201,
    fresh: status,
    phases: ["creating", "online"],
  },
  valkey: {
    path: "databases",
    one: "database",
    create: { name: "cache", engine: "valkey", region: "nyc3", size: "db-s-1vcpu-1gb", num_nodes: 1 },
    status: 201,
  },
  "kubernetes cluster": {
    path: "kubernetes/clusters",
    one: "kubernetes_cluster",
    create: {
      name: "k",
      region: "nyc3",
      version: "latest",
      node_pools: [{ name: "p", size: "s-2vcpu-4gb", count: 2 }],
    },
    status: 201,
    fresh: (object) => (object["status"] as unknown as { state: string }).state,
    phases: ["provisioning", "running"],
  },
  "load balancer": {
    path: "load_balancers",
    one: "load_balancer",
    create: {
      name: "lb",
      region: "nyc3",
      forwarding_rules: [{ entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 80 }],
    },
    status: 202,
    fresh: status,
    phases: ["new", "active"],
  },
  domain: {
    path: "domains",
    one: "domain",
    create: { name: "example.org" },
    status: 201,
    idOf: (object) => String(object["name"]),
  },
  certificate: {
    path: "certificates",
    one: "certificate",
    create: { name: "cert", type: "lets_encrypt", dns_names: ["www.example.com"] },
    status: 201,
    before: withDomain,
    fresh: (object) => object["state"],
    phases: ["pending", "verified"],
  },
  app: {
    path: "apps",
    one: "app",
    create: {
      spec: {
        name: "shop",
        services: [
          {
            name: "web",
            image: { registry_type: "DOCKER_HUB", registry: "library", repository: "nginx", tag: "1" },
            envs: [{ key: "A", value: "b", type: "SECRET" }],
          },
        ],
        jobs: [{ name: "migrate", kind: "PRE_DEPLOY", image: { registry_type: "DOCKER_HUB", repository: "x" } }],
      },
    },
    status: 200,
    fresh: (object) => (object["live_url"] === undefined ? "pending" : "live"),
    phases: ["pending", "live"],
    deleteStatus: 200,
  },
  registry: {
    path: "registries",
    one: "registry",
    create: { name: "reg", subscription_tier_slug: "basic" },
    status: 201,
    idOf: (object) => String(object["name"]),
  },
  "Spaces key": {
    path: "spaces/keys",
    one: "key",
    create: { name: "k", grants: [] },
    status: 201,
    idOf: (object) => String(object["access_key"]),
  },
  "autoscale pool": {
    path: "droplets/autoscale",
    one: "autoscale_pool",
    create: {
      name: "pool",
      config: { min_instances: 1, max_instances: 3, target_cpu_utilization: 0.5 },
      droplet_template: { size: "s-1vcpu-1gb", region: "nyc3", image: "ubuntu-24-04-x64", ssh_keys: [] },
    },
    status: 202,
    deleteStatus: 202,
  },
  "SSH key": {
    path: "account/keys",
    one: "ssh_key",
    create: { name: "k", public_key: "ssh-ed25519 AAAA me" },
    status: 201,
  },
  "CDN endpoint": {
    path: "cdn/endpoints",
    one: "endpoint",
    create: { origin: "b.nyc3.digitaloceanspaces.com" },
    status: 201,
  },
};

describe.each(Object.entries(kinds))("%s", (_title, kind) => {
  const { path, one, create, idOf = (object) => String(object["id"]) } = kind;

  test("is made, read, listed and deleted, each answer as described", async () => {
    const client = await begin();
    const { call, emulator } = client;
    await kind.before?.(client);
    const made = await call("POST", path, create);
    expect([made.status, made.body]).toEqual([kind.status, expect.anything()]);
    const id = idOf(made.body[one]);
    const read = await call("GET", `${path}/${id}`);
    expect([read.status, idOf(read.body[one])]).toEqual([200, id]);
    if (kind.fresh !== undefined) expect(kind.fresh(read.body[one])).toBe(kind.phases![0]);
    emulator.clock.advance(hours);
    const later = await call("GET", `${path}/${id}`);
    expect(later.status).toBe(200);
    if (kind.fresh !== undefined) expect(kind.fresh(later.body[one])).toBe(kind.phases![1]);
    const list = await call("GET", path);
    expect(JSON.stringify(list.body)).toContain(id);
    const gone = await call("DELETE", `${path}/${id}`);
    expect(gone.status).toBe(kind.deleteStatus ?? 204);
    expect((await call("GET", `${path}/${id}`)).status).toBe(404);
    expect((await call("DELETE", `${path}/${id}`)).status).toBe(404);
    expect(emulator.defects()).toEqual([]);
  });

  test("a body that the description forbids is a 422 or 400 with the API's error body, and changes nothing", async () => {
    const client = await begin();
    await kind.before?.(client);
    const before = JSON.stringify((await client.call("GET", path)).body);
    const answer = await client.call("POST", path, {});
    expect([400, 422]).toContain(answer.status);
    expect(answer.body).toMatchObject({ id: expect.any(String), message: expect.any(String) });
    expect(JSON.stringify((await client.call("GET", path)).body)).toBe(before);
  });
});
