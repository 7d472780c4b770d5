import type { JsonObject } from "@wfctl/plugin-sdk";
import { describe, expect, test } from "vitest";
import { expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "./testing/harness.ts";

/** Every key that upstream's plugin reads, in a configuration that it takes, and every output that it writes. */
interface UpstreamType {
  readonly name?: string;
  readonly config: JsonObject;
  readonly outputs: readonly string[];
  readonly secret?: readonly string[];
}

const check = {
  http_path: "/healthz",
  port: 8080,
  initial_delay_seconds: 5,
  period_seconds: 10,
  timeout_seconds: 3,
  success_threshold: 1,
  failure_threshold: 3,
};

const types: Readonly<Record<string, UpstreamType>> = {
  "infra.container_service": {
    config: {
      image: "registry.digitalocean.com/shop/web:1.4",
      region: "nyc",
      http_port: 9000,
      instance_count: 2,
      size: "m",
      env_vars: { LEVEL: "info" },
      env_vars_secret: { TOKEN: "secret" },
      run_command: "serve",
      http_port_protocol: "grpc",
      internal_ports: [9100],
      expose: "public",
      routes: [{ path: "/shop", preserve_path_prefix: true }],
      health_check: check,
      liveness_check: check,
      cors: {
        allow_origins: ["*", "https://a.example.com", { regex: "^https://.*$" }],
        allow_methods: ["GET"],
        allow_headers: ["x-a"],
        expose_headers: ["x-b"],
        allow_credentials: true,
        max_age: "1h",
      },
      termination: { drain_seconds: 10, grace_period_seconds: 20 },
      alerts: [
        { rule: "CPU_UTILIZATION", operator: "GREATER_THAN", window: "FIVE_MINUTES", value: 80, disabled: false },
      ],
      log_destinations: [{ name: "logs", papertrail: { endpoint: "logs.example.com:514" } }],
      domains: [{ domain: "www.example.com", zone: "example.com", minimum_tls_version: "1.3", type: "PRIMARY" }],
      egress: { type: "AUTOASSIGN" },
      maintenance: { enabled: false, archive: false },
      jobs: [
        {
          name: "migrate",
          kind: "pre_deploy",
          image: "registry.digitalocean.com/shop/web:1.4",
          run_command: "migrate",
          instance_size_slug: "apps-s-1vcpu-1gb",
          env_vars: { A: "1" },
          env_vars_secret: { B: "2" },
        },
      ],
      workers: [
        {
          name: "mailer",
          image: "registry.digitalocean.com/shop/web:1.4",
          run_command: "mail",
          instance_count: 1,
          size: "s",
          env_vars: { A: "1" },
        },
      ],
      sidecars: [
        {
          name: "proxy",
          image: "registry.digitalocean.com/shop/web:1.4",
          run_command: "proxy",
          env_vars: { A: "1" },
          ports: [{ port: 8081, public: false }],
        },
      ],
      provider_specific: {
        digitalocean: {
          disable_edge_cache: true,
          disable_email_obfuscation: true,
          enhanced_threat_control_enabled: false,
          features: ["buildpack-stack=ubuntu-22"],
          app_alerts: [{ rule: "DEPLOYMENT_FAILED" }],
        },
      },
    },
    outputs: [
      "live_url",
      "expose",
      "image",
      "region",
      "routes",
      "vpc_uuid",
      "env_vars_hash",
      "jobs_hash",
      "workers_hash",
    ],
  },
  "infra.k8s_cluster": {
    config: { version: "latest", node_size: "s-2vcpu-4gb", node_count: 3, region: "nyc3" },
    outputs: ["endpoint", "region", "version"],
  },
  "infra.database": {
    config: {
      engine: "pg",
      version: "16",
      size: "db-s-1vcpu-1gb",
      region: "nyc3",
      num_nodes: 1,
      trusted_sources: [
        { type: "ip_addr", value: "203.0.113.0/24" },
        { type: "tag", value: "web" },
      ],
      adopt_existing: false,
    },
    outputs: ["engine", "version", "size", "region", "num_nodes", "tags", "host", "port", "database", "user", "uri"],
    secret: ["user", "uri", "password"],
  },
  "infra.cache": {
    config: { size: "db-s-1vcpu-1gb", region: "nyc3", num_nodes: 1 },
    outputs: ["engine", "region", "size", "tags", "version", "host", "port", "uri"],
    secret: ["uri"],
  },
  "infra.load_balancer": {
    config: { region: "nyc3", algorithm: "round_robin", size: "m" },
    outputs: ["ip", "status"],
  },
  "infra.vpc": {
    config: { region: "nyc3", ip_range: "10.44.0.0/16" },
    outputs: ["id", "ip_range", "region", "urn"],
  },
  "infra.firewall": {
    config: {
      tags: ["web"],
      inbound_rules: [
        { protocol: "tcp", ports: "443", sources: ["0.0.0.0/0", "::/0"] },
        { protocol: "icmp", sources: { addresses: ["0.0.0.0/0"] } },
        { sources: ["10.0.0.0/8"] },
      ],
      outbound_rules: [{ protocol: "tcp", ports: "all", destinations: ["0.0.0.0/0"] }],
    },
    outputs: ["status", "droplet_ids", "tags", "inbound_rules", "outbound_rules"],
  },
  "infra.dns": {
    config: {
      domain: "shop.example.net",
      records: [
        { type: "A", name: "www", data: "203.0.113.1", ttl: 300 },
        { type: "MX", name: "@", data: "mail.example.net.", priority: 10 },
        { type: "SRV", name: "_sip._tcp", data: "sip.example.net.", priority: 1, port: 5060, weight: 2 },
        { type: "CAA", name: "@", data: "letsencrypt.org.", flags: 0, tag: "issue" },
      ],
      absent_records: [{ type: "TXT", name: "old" }],
    },
    outputs: ["domain", "ttl", "zone_file", "record_count", "records", "authoritative_nameservers", "authority"],
  },
  "infra.storage": { config: { region: "nyc3" }, outputs: ["name", "region", "endpoint"] },
  "infra.spaces_key": {
    config: { name: "uploads", grants: [{ bucket: "uploads", permission: "readwrite" }] },
    outputs: ["name", "created_at", "grants", "access_key", "secret_key"],
    secret: ["access_key", "secret_key"],
  },
  "infra.registry": {
    config: { tier: "professional", region: "nyc3" },
    outputs: ["name", "endpoint", "region"],
  },
  "infra.certificate": {
    config: { type: "lets_encrypt", dns_names: ["www.example.com"] },
    outputs: ["state", "not_after", "sha1_finger"],
  },
  "infra.volume": {
    config: { size_gb: 10, region: "nyc3", filesystem_type: "ext4", description: "data", tags: ["web"] },
    outputs: ["id", "name", "region", "size_gb", "filesystem_type", "description", "tags"],
  },
  "infra.droplet": {
    config: {
      size: "s-1vcpu-2gb",
      image: "ubuntu-24-04-x64",
      region: "nyc3",
      user_data: "#cloud-config",
      tags: ["web"],
      enable_backups: true,
      monitoring: true,
      ipv6: true,
      volumes: ["standing"],
    },
    outputs: [
      "id",
      "public_ip",
      "private_ip",
      "size",
      "region",
      "status",
      "vpc_uuid",
      "enable_backups",
      "tags",
      "monitoring",
      "ipv6",
      "volumes",
      "volumes_resolution",
    ],
  },
  "infra.iam_role": { config: { assume_role: "anything", policies: ["a"] }, outputs: ["note"] },
};

describe("what upstream's plugin takes", () => {
  const cloud = useDigitalOcean({ spaces: true });

  let fingerprint = "";

  test("is prepared", async () => {
    const key = await cloud.raw("POST", "account/keys", { name: "me", public_key: "ssh-ed25519 AAAA me" });
    fingerprint = key.body.ssh_key.fingerprint as string;
    await cloud.raw("POST", "domains", { name: "example.com" });
    await cloud.raw("POST", "volumes", { name: "standing", size_gigabytes: 10, region: "nyc3" });
    const body = { name: "shop", subscription_tier_slug: "professional", region: "nyc3" };
    expect((await cloud.raw("POST", "registries", body)).status).toBe(201);
    cloud.account.repositories.set("shop", new Map([["web", ["1.4"]]]));
  });

  test.each(Object.entries(types))("%s is made, has upstream's outputs, is quiet, and goes", async (type, upstream) => {
    const driver = cloud.driver(type);
    const name = upstream.name ?? `up-${type.replace("infra.", "").replaceAll("_", "-")}`;
    const config = type === "infra.droplet" ? { ...upstream.config, ssh_keys: [fingerprint] } : upstream.config;
    const made = await driver.create(name, config, { token: `t-${type}` });
    expect(Object.keys(made.outputs)).toEqual(expect.arrayContaining([...upstream.outputs]));
    for (const key of upstream.secret ?? []) expect(made.sensitive).toContain(key);
    if (type !== "infra.iam_role") await expectQuiet(driver, name, config, made.providerId);
    await driver.delete(name, made.providerId);
  });

  test("infra.app_domain and the routes of infra.api_gateway stand on an app", async () => {
    const apps = cloud.driver("infra.container_service");
    const app = await apps.create("base", { image: "docker.io/library/nginx:1" });
    const domains = cloud.driver("infra.app_domain");
    const config = {
      app: "base",
      domain: "shop.example.com",
      type: "ALIAS",
      zone: "example.com",
      wildcard: false,
      minimum_tls_version: "1.2",
    };
    const made = await domains.create("shop-domain", config);
    expect(made.providerId).toBe(`${app.providerId}/shop.example.com`);
    const upstreams =
      "app_id app domain type zone certificate minimum_tls_version wildcard phase domain_id certificate_expires_at validations progress validation_txt_name validation_txt_value";
    expect(Object.keys(made.outputs)).toEqual(expect.arrayContaining(upstreams.split(" ")));
    await expectQuiet(domains, "shop-domain", config, made.providerId);
    await domains.delete("shop-domain", made.providerId);
    await apps.delete("base", app.providerId);
    // As upstream sends it, without a source: it is DigitalOcean that refuses.
    const gateways = cloud.driver("infra.api_gateway");
    const routes = { routes: [{ path: "/", component: "web", preserve_path_prefix: false }], region: "nyc" };
    await expect(gateways.create("gate", routes)).rejects.toMatchObject({ class: "validation" });
    expect(cloud.count("apps_create")).toBe(2);
  });

  test("hosts are told upstream's words for tiers; the API gets those that DigitalOcean has", async () => {
    const told = async (type: string): Promise<unknown[]> =>
      Promise.all(
        ["xs", "s", "m", "l", "xl"].map(async (size) => (await cloud.driver(type).sizing(size))["instance_type"]),
      );
    const apps = "apps-s-1vcpu-0.5gb apps-s-1vcpu-1gb apps-s-2vcpu-4gb apps-s-4vcpu-8gb apps-s-8vcpu-16gb".split(" ");
    for (const type of ["infra.container_service", "infra.api_gateway"]) expect(await told(type)).toEqual(apps);
    const machines = "s-1vcpu-512mb s-1vcpu-2gb s-2vcpu-4gb s-4vcpu-8gb s-8vcpu-16gb".split(" ");
    for (const type of ["infra.k8s_cluster", "infra.droplet"]) expect(await told(type)).toEqual(machines);
    const databases = "db-s-1vcpu-1gb db-s-1vcpu-2gb db-s-2vcpu-4gb db-s-4vcpu-8gb db-s-8vcpu-16gb".split(" ");
    for (const type of ["infra.database", "infra.cache"]) expect(await told(type)).toEqual(databases);
    expect(await told("infra.load_balancer")).toEqual("lb-small lb-small lb-medium lb-large lb-large".split(" "));
    const driver = cloud.driver("infra.container_service");
    const { providerId } = await driver.create("large", { image: "docker.io/library/nginx:1", size: "l" });
    const { body } = await cloud.raw("GET", `apps/${providerId}`);
    expect(body.app.spec.services[0].instance_size_slug).toBe("apps-d-4vcpu-8gb");
    await expectQuiet(driver, "large", { image: "docker.io/library/nginx:1", size: "l" }, providerId);
    await driver.delete("large", providerId);
  });
});
