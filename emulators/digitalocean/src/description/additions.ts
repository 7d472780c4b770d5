import type { JsonObject, SchemaExtension } from "@wfctl/emulator-core";
import { answerOf, bodyOf } from "./pointers.ts";

/** What the API has learnt since the published description in the npm package was written. */

const text: JsonObject = { type: "string" };
const flag: JsonObject = { type: "boolean" };
const whole: JsonObject = { type: "integer" };
const switchable: JsonObject = { type: "object", properties: { enabled: flag } };

const app = `${answerOf("get", "/v2/apps", 200)}/allOf/0/properties/apps/items`;
const appSpec = `${app}/properties/active_deployment/properties/spec`;
const cluster = `${answerOf("get", "/v2/kubernetes/clusters", 200)}/allOf/0/properties/kubernetes_clusters/items`;
const database = `${answerOf("get", "/v2/databases", 200)}/properties/databases/items`;
const loadBalancer = answerOf("get", "/v2/load_balancers/{lb_id}", 200);
const balancerCreate = `${bodyOf("post", "/v2/load_balancers")}/oneOf/0/allOf/2`;

const percent: JsonObject = { type: "object", properties: { percent: { type: "integer", minimum: 1, maximum: 100 } } };
const autoscaling: JsonObject = {
  type: "object",
  properties: {
    min_instance_count: { type: "integer", minimum: 1 },
    max_instance_count: { type: "integer", minimum: 1, maximum: 250 },
    metrics: { type: "object", properties: { cpu: percent } },
  },
};
const livenessCheck: JsonObject = {
  type: "object",
  properties: {
    http_path: text,
    port: { type: "integer", minimum: 1, maximum: 65535 },
    initial_delay_seconds: { type: "integer", minimum: 0, maximum: 3600 },
    period_seconds: { type: "integer", minimum: 1, maximum: 300 },
    timeout_seconds: { type: "integer", minimum: 1, maximum: 120 },
    success_threshold: { type: "integer", minimum: 1, maximum: 1 },
    failure_threshold: { type: "integer", minimum: 1, maximum: 50 },
  },
};
const grace: JsonObject = { type: "integer", minimum: 1, maximum: 600 };
const drained: JsonObject = {
  type: "object",
  properties: { drain_seconds: { type: "integer", minimum: 1, maximum: 110 }, grace_period_seconds: grace },
};
const graceful: JsonObject = { type: "object", properties: { grace_period_seconds: grace } };
const logDestinations: JsonObject = {
  type: "array",
  items: {
    type: "object",
    required: ["name"],
    properties: {
      name: { type: "string", minLength: 2, maxLength: 42 },
      papertrail: { type: "object", required: ["endpoint"], properties: { endpoint: text } },
      datadog: { type: "object", required: ["api_key"], properties: { endpoint: text, api_key: text } },
      logtail: { type: "object", properties: { token: text } },
      open_search: {
        type: "object",
        properties: {
          endpoint: text,
          index_name: text,
          cluster_name: text,
          basic_auth: { type: "object", properties: { user: text, password: text } },
        },
      },
    },
  },
};
const image: JsonObject = {
  registry_credentials: text,
  digest: text,
  deploy_on_push: switchable,
};
const ingress: JsonObject = {
  type: "object",
  properties: {
    load_balancer: text,
    custom_error_page_url: text,
    rules: {
      type: "array",
      items: {
        type: "object",
        properties: {
          match: {
            type: "object",
            properties: {
              path: {
                type: "object",
                required: ["prefix"],
                properties: { prefix: { type: "string", maxLength: 256 } },
              },
              authority: { type: "object", properties: { exact: { type: "string", maxLength: 256 } } },
            },
          },
          cors: {
            type: "object",
            properties: {
              allow_origins: {
                type: "array",
                items: { type: "object", properties: { exact: text, prefix: text, regex: text } },
              },
              allow_methods: { type: "array", items: text },
              allow_headers: { type: "array", items: text },
              expose_headers: { type: "array", items: text },
              max_age: text,
              allow_credentials: flag,
            },
          },
          component: {
            type: "object",
            required: ["name"],
            properties: { name: text, preserve_path_prefix: flag, rewrite: text },
          },
          redirect: {
            type: "object",
            properties: { uri: text, authority: text, port: whole, scheme: text, redirect_code: whole },
          },
        },
      },
    },
  },
};
const components = ["services", "workers", "jobs", "static_sites"] as const;

const apps: readonly SchemaExtension[] = [
  {
    schemas: [appSpec],
    at: "",
    add: {
      disable_edge_cache: flag,
      disable_email_obfuscation: flag,
      enhanced_threat_control_enabled: flag,
      features: { type: "array", items: text },
      egress: { type: "object", properties: { type: { type: "string", enum: ["AUTOASSIGN", "DEDICATED_IP"] } } },
      maintenance: { type: "object", properties: { enabled: flag, archive: flag, offline_page_url: text } },
      vpc: {
        type: "object",
        properties: { id: text, egress_ips: { type: "array", items: { type: "object", properties: { ip: text } } } },
      },
      ingress,
      alerts: {
        type: "array",
        items: {
          type: "object",
          properties: { rule: text, disabled: flag, operator: text, value: { type: "number" }, window: text },
        },
      },
      envs: { type: "array", items: { type: "object" } },
    },
  },
  { schemas: [appSpec], at: "region", words: ["atl", "syd", "tlv"] },
  { schemas: [appSpec], at: "domains[]", add: { certificate: text } },
  { schemas: [appSpec], at: "databases[].engine", words: ["MONGODB", "KAFKA", "OPENSEARCH", "VALKEY"] },
  ...components.flatMap((component): SchemaExtension[] => [
    { schemas: [appSpec], at: `${component}[].image`, add: image },
    { schemas: [appSpec], at: `${component}[].image.registry_type`, words: ["GHCR"] },
    { schemas: [appSpec], at: `${component}[].log_destinations`, replace: logDestinations },
  ]),
  ...(["services", "workers", "jobs"] as const).map((component): SchemaExtension => ({
    schemas: [appSpec],
    at: `${component}[].instance_size_slug`,
    replace: text,
  })),
  {
    schemas: [appSpec],
    at: "services[]",
    add: {
      autoscaling,
      liveness_health_check: livenessCheck,
      protocol: { type: "string", enum: ["HTTP", "HTTP2"] },
      termination: drained,
      alerts: { type: "array", items: { type: "object" } },
    },
  },
  {
    schemas: [appSpec],
    at: "workers[]",
    add: {
      autoscaling,
      liveness_health_check: livenessCheck,
      termination: graceful,
      alerts: { type: "array", items: { type: "object" } },
    },
  },
  {
    schemas: [appSpec],
    at: "jobs[]",
    add: {
      termination: graceful,
      schedule: { type: "object", properties: { cron: text, time_zone: text } },
      alerts: { type: "array", items: { type: "object" } },
    },
  },
  { schemas: [appSpec], at: "jobs[].kind", words: ["SCHEDULED"] },
];

const clusterAdditions: JsonObject = {
  control_plane_firewall: {
    type: "object",
    nullable: true,
    properties: { enabled: flag, allowed_addresses: { type: "array", items: text } },
  },
  cluster_autoscaler_configuration: {
    type: "object",
    nullable: true,
    properties: {
      scale_down_utilization_threshold: { type: "number" },
      scale_down_unneeded_time: text,
      expanders: { type: "array", items: text },
    },
  },
  routing_agent: { ...switchable, nullable: true },
};
const balancerAdditions: JsonObject = {
  type: { type: "string", enum: ["REGIONAL", "REGIONAL_NETWORK", "GLOBAL"] },
  network: { type: "string", enum: ["EXTERNAL", "INTERNAL"] },
  network_stack: { type: "string", enum: ["IPV4", "DUALSTACK"] },
  tls_cipher_policy: { type: "string", enum: ["DEFAULT", "STRONG"] },
  ipv6: { ...text, readOnly: true },
  domains: {
    type: "array",
    items: {
      type: "object",
      properties: { name: text, is_managed: flag, certificate_id: text, status: text },
    },
  },
  glb_settings: {
    type: "object",
    properties: {
      target_protocol: text,
      target_port: whole,
      cdn: { type: "object", properties: { is_enabled: flag } },
      region_priorities: { type: "object", additionalProperties: whole },
      failover_threshold: whole,
    },
  },
  target_load_balancer_ids: { type: "array", items: text },
};

const backupPolicy: JsonObject = {
  type: "object",
  properties: {
    plan: { type: "string", enum: ["daily", "weekly"] },
    weekday: { type: "string", enum: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] },
    hour: { type: "integer", enum: [0, 4, 8, 12, 16, 20] },
  },
};

export const additions: readonly SchemaExtension[] = [
  ...apps,
  { schemas: [cluster], at: "", add: clusterAdditions },
  {
    schemas: [cluster],
    at: "",
    add: { cluster_subnet: { type: "string", format: "cidr" }, service_subnet: { type: "string", format: "cidr" } },
  },
  {
    schemas: [bodyOf("put", "/v2/kubernetes/clusters/{cluster_id}")],
    at: "",
    add: clusterAdditions,
  },
  { schemas: [database], at: "engine", words: ["valkey", "kafka", "opensearch"] },
  { schemas: [database], at: "", add: { storage_size_mib: whole } },
  {
    schemas: [bodyOf("put", "/v2/databases/{database_cluster_uuid}/resize")],
    at: "",
    add: { storage_size_mib: whole },
  },
  {
    schemas: [balancerCreate],
    at: "",
    add: balancerAdditions,
  },
  // Both alternatives demand a target, which a global balancer and one that is filled later do not have.
  {
    schemas: [bodyOf("post", "/v2/load_balancers"), bodyOf("put", "/v2/load_balancers/{lb_id}")],
    at: "",
    optional: ["droplet_ids", "tag", "region"],
  },
  { schemas: [loadBalancer], at: "load_balancer.region", optional: ["name", "slug", "features", "available", "sizes"] },
  {
    schemas: [bodyOf("post", "/v2/droplets")],
    at: "",
    add: { backup_policy: backupPolicy, public_networking: flag },
  },
  {
    schemas: [bodyOf("post", "/v2/droplets/{droplet_id}/actions")],
    at: "",
    add: { backup_policy: backupPolicy },
  },
  {
    schemas: [bodyOf("post", "/v2/droplets/{droplet_id}/actions")],
    at: "type",
    words: ["change_backup_policy"],
  },
  { schemas: [bodyOf("post", "/v2/tags/{tag_id}/resources")], at: "resources[].resource_type", words: ["database"] },
  { schemas: [bodyOf("post", "/v2/registry")], at: "region", words: ["blr1", "syd1", "sfo2"] },
  {
    schemas: [
      `${answerOf("get", "/v2/droplets", 200)}/allOf/0/properties/droplets/items/properties/image/properties/regions/items`,
    ],
    at: "",
    replace: { type: "string" },
  },
];

export const answers: Readonly<Record<string, JsonObject>> = {
  "#/paths/~1v2~1databases~1{database_cluster_uuid}~1config/patch/responses": {
    "200": { description: "Changed; there is no body" },
  },
};
