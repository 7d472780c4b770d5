import type { JsonObject } from "@wfctl/emulator-core";
import { answerOf } from "./pointers.ts";

/** Paths that the published description in the npm package does not have yet. Written by hand from the product docs. */

const page: JsonObject = { name: "page", in: "query", schema: { type: "integer", minimum: 1, default: 1 } };
const perPage: JsonObject = {
  name: "per_page",
  in: "query",
  schema: { type: "integer", minimum: 1, maximum: 200, default: 20 },
};
const inPath = (name: string): JsonObject => ({ name, in: "path", required: true, schema: { type: "string" } });
const inQuery = (name: string): JsonObject => ({ name, in: "query", schema: { type: "string" } });
const text: JsonObject = { type: "string" };
const time: JsonObject = { type: "string", format: "date-time" };
const written = (schema: JsonObject): JsonObject => ({ ...schema, readOnly: true });
const content = (schema: JsonObject): JsonObject => ({ "application/json": { schema } });
const error: JsonObject = {
  description: "An error",
  content: content({
    type: "object",
    required: ["id", "message"],
    properties: { id: text, message: text, request_id: text },
  }),
};
const errors: JsonObject = {
  "401": error,
  "404": error,
  "409": error,
  "412": error,
  "422": error,
  "429": error,
  "500": error,
  default: error,
};
const links: JsonObject = { $ref: `${answerOf("get", "/v2/vpcs", 200)}/allOf/1/properties/links` };
const meta: JsonObject = { type: "object", required: ["total"], properties: { total: { type: "integer" } } };
const paged = (key: string, item: JsonObject): JsonObject => ({
  type: "object",
  required: [key, "meta"],
  properties: { [key]: { type: "array", items: item }, links, meta },
});

interface Described {
  readonly parameters?: readonly JsonObject[];
  readonly body?: JsonObject;
  readonly status: number;
  readonly answer?: JsonObject;
}

function operation(operationId: string, { parameters = [], body, status, answer }: Described): JsonObject {
  return {
    operationId,
    parameters: [...parameters],
    ...(body === undefined ? {} : { requestBody: { required: true, content: content(body) } }),
    responses: {
      [status]: answer === undefined ? { description: "Done" } : { description: "Done", content: content(answer) },
      ...errors,
    },
  };
}

const grant: JsonObject = {
  type: "object",
  required: ["bucket", "permission"],
  properties: { bucket: text, permission: { type: "string", enum: ["read", "readwrite", "fullaccess", ""] } },
};
const spacesKey: JsonObject = {
  type: "object",
  properties: {
    name: text,
    grants: { type: "array", items: grant },
    access_key: written(text),
    created_at: written(time),
  },
};
const newSpacesKey: JsonObject = { allOf: [spacesKey, { type: "object", properties: { secret_key: written(text) } }] };
const named = (name: string, schema: JsonObject): JsonObject => ({
  type: "object",
  required: [name],
  properties: { [name]: schema },
});

const registry: JsonObject = {
  type: "object",
  properties: {
    name: { type: "string", pattern: "^[a-z0-9-]{1,63}$", maxLength: 63 },
    region: text,
    created_at: written(time),
    storage_usage_bytes: written({ type: "integer" }),
    storage_usage_bytes_updated_at: written(time),
    subscription: { type: "object" },
  },
};
const newRegistry: JsonObject = {
  type: "object",
  required: ["name", "subscription_tier_slug"],
  properties: {
    name: { type: "string", pattern: "^[a-z0-9-]{1,63}$", maxLength: 63 },
    subscription_tier_slug: { type: "string", enum: ["starter", "basic", "professional"] },
    region: { type: "string", enum: ["nyc3", "sfo3", "sfo2", "ams3", "sgp1", "fra1", "blr1", "syd1"] },
  },
};

const invocation: JsonObject = {
  type: "object",
  properties: {
    id: text,
    job_name: text,
    deployment_id: text,
    phase: { type: "string", enum: ["UNKNOWN", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"] },
    trigger: { type: "object", properties: { type: { type: "string", enum: ["MANUAL", "SCHEDULE", "UNKNOWN"] } } },
    created_at: time,
    started_at: time,
    completed_at: time,
  },
};

const template: JsonObject = {
  type: "object",
  required: ["size", "region", "image", "ssh_keys"],
  properties: {
    name: text,
    size: text,
    region: text,
    image: text,
    tags: { type: "array", items: text },
    ssh_keys: { type: "array", items: text },
    vpc_uuid: text,
    with_droplet_agent: { type: "boolean" },
    project_id: text,
    ipv6: { type: "boolean" },
    user_data: text,
    public_networking: { type: "boolean" },
  },
};
const utilisation: JsonObject = { type: "number", minimum: 0.05, maximum: 1 };
const poolConfig: JsonObject = {
  type: "object",
  properties: {
    min_instances: { type: "integer", minimum: 1, maximum: 500 },
    max_instances: { type: "integer", minimum: 1, maximum: 1000 },
    target_cpu_utilization: utilisation,
    target_memory_utilization: utilisation,
    cooldown_minutes: { type: "integer", minimum: 5, maximum: 20 },
    target_number_instances: { type: "integer", minimum: 1, maximum: 1000 },
  },
};
const pool: JsonObject = {
  type: "object",
  required: [
    "id",
    "name",
    "config",
    "droplet_template",
    "created_at",
    "updated_at",
    "status",
    "active_resources_count",
  ],
  properties: {
    id: { type: "string", format: "uuid" },
    name: text,
    config: poolConfig,
    droplet_template: template,
    created_at: time,
    updated_at: time,
    status: { type: "string", enum: ["active", "deleting", "error"] },
    current_utilization: { type: "object", properties: { memory: { type: "number" }, cpu: { type: "number" } } },
    active_resources_count: { type: "integer" },
  },
};
const newPool: JsonObject = {
  type: "object",
  required: ["name", "config", "droplet_template"],
  properties: { name: text, config: poolConfig, droplet_template: template },
};
const member: JsonObject = {
  type: "object",
  properties: {
    droplet_id: { type: "integer" },
    created_at: time,
    updated_at: time,
    health_status: text,
    status: { type: "string", enum: ["provisioning", "active", "deleting", "off"] },
    current_utilization: { type: "object", properties: { memory: { type: "number" }, cpu: { type: "number" } } },
  },
};

export const newPaths: Readonly<Record<string, JsonObject>> = {
  "/v2/spaces/keys": {
    get: operation("spacesKey_list", {
      parameters: [
        perPage,
        page,
        inQuery("name"),
        inQuery("bucket"),
        inQuery("permission"),
        inQuery("sort"),
        inQuery("sort_direction"),
      ],
      status: 200,
      answer: paged("keys", spacesKey),
    }),
    post: operation("spacesKey_create", { body: spacesKey, status: 201, answer: named("key", newSpacesKey) }),
  },
  "/v2/spaces/keys/{access_key}": {
    get: operation("spacesKey_get", {
      parameters: [inPath("access_key")],
      status: 200,
      answer: { type: "object", properties: { key: spacesKey } },
    }),
    put: operation("spacesKey_update", {
      parameters: [inPath("access_key")],
      body: spacesKey,
      status: 200,
      answer: named("key", spacesKey),
    }),
    delete: operation("spacesKey_delete", { parameters: [inPath("access_key")], status: 204 }),
  },
  "/v2/registries": {
    get: operation("registries_list", {
      status: 200,
      answer: { type: "object", properties: { registries: { type: "array", items: registry } } },
    }),
    post: operation("registries_create", { body: newRegistry, status: 201, answer: named("registry", registry) }),
  },
  "/v2/registries/{registry_name}": {
    get: operation("registries_get", {
      parameters: [inPath("registry_name")],
      status: 200,
      answer: named("registry", registry),
    }),
    delete: operation("registries_delete", { parameters: [inPath("registry_name")], status: 204 }),
  },
  "/v2/registry/{registry_name}/repositories/{repository_name}/tags": {
    get: operation("registry_list_repositoryTags", {
      parameters: [inPath("registry_name"), inPath("repository_name"), perPage, page],
      status: 200,
      answer: paged("tags", {
        type: "object",
        properties: {
          registry_name: text,
          repository: text,
          tag: text,
          manifest_digest: text,
          compressed_size_bytes: { type: "integer" },
          size_bytes: { type: "integer" },
          updated_at: time,
        },
      }),
    }),
  },
  "/v2/apps/{app_id}/job-invocations": {
    get: operation("apps_list_job_invocations", {
      parameters: [
        inPath("app_id"),
        inQuery("deployment_id"),
        { name: "job_names", in: "query", schema: { type: "array", items: text } },
        page,
        perPage,
      ],
      status: 200,
      answer: { type: "object", properties: { job_invocations: { type: "array", items: invocation }, links } },
    }),
  },
  "/v2/apps/{app_id}/job-invocations/{job_invocation_id}": {
    get: operation("apps_get_job_invocation", {
      parameters: [inPath("app_id"), inPath("job_invocation_id"), inQuery("job_name")],
      status: 200,
      answer: invocation,
    }),
  },
  "/v2/apps/{app_id}/job-invocations/{job_invocation_id}/cancel": {
    post: operation("apps_cancel_job_invocation", {
      parameters: [inPath("app_id"), inPath("job_invocation_id"), inQuery("job_name")],
      status: 200,
      answer: invocation,
    }),
  },
  "/v2/droplets/autoscale": {
    get: operation("autoscalepools_list", {
      parameters: [perPage, page, inQuery("name")],
      status: 200,
      answer: paged("autoscale_pools", pool),
    }),
    post: operation("autoscalepools_create", { body: newPool, status: 202, answer: named("autoscale_pool", pool) }),
  },
  "/v2/droplets/autoscale/{autoscale_pool_id}": {
    get: operation("autoscalepools_get", {
      parameters: [inPath("autoscale_pool_id")],
      status: 200,
      answer: named("autoscale_pool", pool),
    }),
    put: operation("autoscalepools_update", {
      parameters: [inPath("autoscale_pool_id")],
      body: newPool,
      status: 200,
      answer: named("autoscale_pool", pool),
    }),
    delete: operation("autoscalepools_delete", { parameters: [inPath("autoscale_pool_id")], status: 202 }),
  },
  "/v2/droplets/autoscale/{autoscale_pool_id}/dangerous": {
    delete: operation("autoscalepools_delete_dangerous", {
      parameters: [
        inPath("autoscale_pool_id"),
        { name: "X-Dangerous", in: "header", required: true, schema: { type: "boolean" } },
      ],
      status: 202,
    }),
  },
  "/v2/droplets/autoscale/{autoscale_pool_id}/members": {
    get: operation("autoscalepools_list_members", {
      parameters: [inPath("autoscale_pool_id"), perPage, page],
      status: 200,
      answer: paged("droplets", member),
    }),
  },
};
