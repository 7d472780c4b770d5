import { z } from "@wfctl/plugin-sdk";
import { renameKeys } from "../aliases.ts";
import { regionGroup } from "../regions.ts";
import { appSizes, sizeOf } from "../sizing.ts";
import { imageInput } from "./image.ts";

export const componentName = z.string().regex(/^[a-z][a-z0-9-]{0,30}[a-z0-9]$/, {
  error: "expected 2 to 32 small letters, digits or hyphens, beginning with a letter",
});
const port = z.coerce.number().int().min(1).max(65_535);
const seconds = z.coerce.number().int().min(0);
const count = z.coerce.number().int().min(1);
export const envVars = z.record(
  z.string().regex(/^[_A-Za-z][_A-Za-z0-9]*$/),
  z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]),
);

const check = z
  .strictObject({
    http_path: z.string().optional(),
    path: z.string().optional().describe("Alias of http_path"),
    port: port.optional(),
    initial_delay_seconds: seconds.optional(),
    period_seconds: seconds.optional(),
    timeout_seconds: seconds.optional(),
    success_threshold: count.optional(),
    failure_threshold: count.optional(),
  })
  .transform(renameKeys({ path: "http_path" }));

const origin = z.union([
  z.string().transform((text) => (text === "*" ? { prefix: "" } : { exact: text })),
  z.strictObject({ exact: z.string().optional(), prefix: z.string().optional(), regex: z.string().optional() }),
]);
export const cors = z.strictObject({
  allow_origins: z.array(origin).default([]),
  allow_methods: z.array(z.string()).default([]),
  allow_headers: z.array(z.string()).default([]),
  expose_headers: z.array(z.string()).default([]),
  allow_credentials: z.boolean().default(false),
  max_age: z.union([z.string(), z.number().transform((value) => `${value}s`)]).optional(),
});

const route = z.strictObject({
  path: z.string().startsWith("/").default("/"),
  preserve_path_prefix: z.boolean().default(false),
});

const autoscaling = z
  .strictObject({
    min: count,
    max: count,
    cpu_percent: z.coerce.number().int().min(1).max(100).default(80),
    memory_percent: z.number().optional().describe("App Platform scales by CPU alone"),
  })
  .transform(({ memory_percent: _, ...rest }) => rest);

const alert = z.strictObject({
  rule: z.string(),
  operator: z.enum(["GREATER_THAN", "LESS_THAN"]).optional(),
  window: z.string().optional(),
  value: z.number().optional(),
  disabled: z.boolean().default(false),
});

const repository = z.strictObject({
  repo: z.string().regex(/^[^/]+\/.+$/),
  branch: z.string().default("main"),
  deploy_on_push: z.boolean().default(true),
});
export const source = {
  image: imageInput.optional(),
  github: repository.optional(),
  gitlab: repository.optional(),
  bitbucket: repository.optional(),
  git: z.strictObject({ repo_clone_url: z.string(), branch: z.string().default("main") }).optional(),
  build_command: z.string().optional(),
  run_command: z.string().optional(),
  dockerfile_path: z.string().optional(),
  source_dir: z.string().optional(),
  environment_slug: z.string().optional(),
};
const hasSource = (value: {
  image?: unknown;
  github?: unknown;
  gitlab?: unknown;
  bitbucket?: unknown;
  git?: unknown;
}): boolean =>
  [value.image, value.github, value.gitlab, value.bitbucket, value.git].filter((each) => each !== undefined).length ===
  1;
export const oneSource = { error: "expected one of image, github, gitlab, bitbucket, git" };
const environment = { env_vars: envVars.default({}), env_vars_secret: envVars.optional() };
const componentSize = sizeOf(appSizes).default(appSizes.xs);

const job = z
  .strictObject({
    name: componentName,
    kind: z.enum(["pre_deploy", "post_deploy", "failed_deploy", "scheduled"]).default("post_deploy"),
    cron: z.string().optional(),
    ...source,
    ...environment,
    size: componentSize,
    instance_size_slug: z.string().optional().describe("Alias of size"),
    termination: z.strictObject({ grace_period_seconds: count }).optional(),
  })
  .transform(({ instance_size_slug: slug, ...rest }) => ({ ...rest, size: slug ?? rest.size }))
  .refine(hasSource, oneSource)
  .refine(({ kind, cron }) => (kind === "scheduled") === (cron !== undefined), {
    error: "is for scheduled jobs, which need it",
    path: ["cron"],
  });
export type Job = z.output<typeof job>;

const worker = z
  .strictObject({
    name: componentName,
    ...source,
    ...environment,
    size: componentSize,
    instance_size_slug: z.string().optional().describe("Alias of size"),
    instance_count: count.optional(),
    autoscaling: autoscaling.optional(),
    termination: z.strictObject({ grace_period_seconds: count }).optional(),
  })
  .transform(({ instance_size_slug: slug, ...rest }) => ({
    ...rest,
    size: slug ?? rest.size,
    instance_count: rest.autoscaling === undefined ? (rest.instance_count ?? 1) : undefined,
  }))
  .refine(hasSource, oneSource);
export type Worker = z.output<typeof worker>;

const { run_command: _run, image: _image, ...siteSource } = source;
const staticSite = z
  .strictObject({
    name: componentName,
    ...siteSource,
    output_dir: z.string().optional(),
    index_document: z.string().default("index.html"),
    error_document: z.string().default("404.html"),
    catchall_document: z.string().optional(),
    ...environment,
    routes: z
      .array(route)
      .min(1)
      .default([{ path: "/", preserve_path_prefix: false }]),
    cors: cors.optional(),
  })
  .refine(hasSource, { error: "expected one of github, gitlab, bitbucket, git" });
export type StaticSite = z.output<typeof staticSite>;

const sidecar = z
  .strictObject({
    name: componentName,
    image: imageInput,
    run_command: z.string().optional(),
    ...environment,
    size: componentSize,
    ports: z.array(z.strictObject({ port, public: z.boolean().default(false) })).default([]),
  })
  .refine(({ ports }) => ports.filter((each) => each.public).length <= 1, {
    error: "only one port can be public",
    path: ["ports"],
  });
export type Sidecar = z.output<typeof sidecar>;

const logDestination = z.strictObject({
  name: z.string().min(2).max(42),
  endpoint: z.string().optional().describe("Of a papertrail destination"),
  tls_insecure: z.boolean().optional(),
  papertrail: z.strictObject({ endpoint: z.string() }).optional(),
  datadog: z.strictObject({ api_key: z.string(), endpoint: z.string().optional() }).optional(),
  logtail: z.strictObject({ token: z.string() }).optional(),
});

const appDomain = z
  .union([
    z.string().transform((domain) => ({ domain })),
    z.strictObject({
      domain: z.string().min(4),
      zone: z.string().optional(),
      certificate: z.string().optional(),
      minimum_tls_version: z.enum(["1.2", "1.3"]).optional(),
      type: z.enum(["PRIMARY", "ALIAS", "DEFAULT", "UNSPECIFIED"]).optional(),
      wildcard: z.boolean().default(false),
    }),
  ])
  .transform((value) => ({ type: "UNSPECIFIED" as const, wildcard: false, ...value }));
export type AppDomainSpec = z.output<typeof appDomain>;

const digitalOceanKeys = z.strictObject({
  disable_edge_cache: z.boolean().optional(),
  disable_email_obfuscation: z.boolean().optional(),
  enhanced_threat_control_enabled: z.boolean().optional(),
  features: z.array(z.string()).optional(),
  app_alerts: z.array(alert).optional(),
  instance_size_slug: z.string().optional().describe("Overrides size"),
  registry_credentials: z.string().optional().describe("As registry_credentials"),
});

export const appInput = z
  .strictObject({
    name: componentName.optional().describe("Default: the resource's name"),
    region: regionGroup,
    ...source,
    http_port: port.default(8080),
    internal_ports: z.array(port).default([]),
    expose: z.enum(["public", "internal"]).default("public"),
    protocol: z.string().optional().describe("Alias of http_port_protocol"),
    http_port_protocol: z
      .string()
      .transform((text) => (text.toUpperCase() === "GRPC" ? "HTTP2" : text.toUpperCase()))
      .pipe(z.enum(["HTTP", "HTTP2"]))
      .optional(),
    instance_count: count.optional().describe("Default 1; not with autoscaling"),
    size: sizeOf(appSizes).optional(),
    env_vars: envVars.default({}),
    env_vars_secret: envVars.optional().describe("Cannot be read back"),
    secret_env_vars: envVars.optional().describe("Alias of env_vars_secret"),
    routes: z.array(route).default([{ path: "/", preserve_path_prefix: false }]),
    ingress: z.strictObject({ load_balancer: z.string().optional() }).optional(),
    health_check: check.optional(),
    liveness_check: check.optional(),
    cors: cors.optional(),
    autoscaling: autoscaling.optional(),
    termination: z.strictObject({ drain_seconds: count.optional(), grace_period_seconds: count.optional() }).optional(),
    alerts: z.array(alert).default([]),
    log_destinations: z.array(logDestination).optional(),
    domains: z
      .array(appDomain)
      .optional()
      .describe("All domains of the app. Default: left as they are, for infra.app_domain"),
    egress: z.strictObject({ type: z.enum(["AUTOASSIGN", "DEDICATED_IP"]).default("AUTOASSIGN") }).optional(),
    maintenance: z
      .strictObject({
        enabled: z.boolean().default(false),
        archive: z.boolean().default(false),
        offline_page_url: z.string().optional(),
      })
      .optional(),
    vpc_ref: z.string().optional().describe("Id of a VPC"),
    vpc_uuid: z.string().optional().describe("Alias of vpc_ref"),
    jobs: z.array(job).default([]),
    workers: z.array(worker).default([]),
    static_sites: z.array(staticSite).default([]),
    sidecars: z.array(sidecar).default([]),
    registry_credentials: z.string().optional().describe("Login of a private registry"),
    project_id: z.string().optional(),
    wait_for_deployment: z.boolean().default(true).describe("Wait until the deployment is active"),
    provider_specific: z.looseObject({ digitalocean: digitalOceanKeys.optional() }).optional(),
  })
  .transform(({ protocol, ...value }) => ({
    ...value,
    http_port_protocol:
      value.http_port_protocol ??
      (protocol === undefined
        ? undefined
        : /^(?:http2|grpc)$/i.test(protocol)
          ? ("HTTP2" as const)
          : ("HTTP" as const)),
  }))
  .transform(renameKeys({ secret_env_vars: "env_vars_secret", vpc_uuid: "vpc_ref" }))
  .transform(({ provider_specific: specific, ...value }) => {
    const own = specific?.digitalocean ?? {};
    const { instance_size_slug: slug, registry_credentials: login, ...rest } = own;
    return {
      ...value,
      size: slug ?? value.size,
      registry_credentials: value.registry_credentials ?? login,
      instance_count: value.autoscaling === undefined ? (value.instance_count ?? 1) : undefined,
      ...(Object.keys(rest).length === 0 ? {} : { provider_specific: { digitalocean: rest } }),
    };
  })
  .refine(hasSource, oneSource);
export type AppInput = z.output<typeof appInput>;

export const appOutputs = z.object({
  id: z.string(),
  name: z.string(),
  urn: z.string(),
  live_url: z.string(),
  default_ingress: z.string(),
  live_domain: z.string(),
  region: z.string(),
  expose: z.string(),
  image: z.string(),
  routes: z.array(z.string()),
  vpc_uuid: z.string(),
  deployment_id: z.string(),
  deployment_phase: z.string(),
  secret_keys: z.array(z.string()),
  env_vars_hash: z.string(),
  jobs_hash: z.string(),
  workers_hash: z.string(),
});
export type AppOutputs = z.output<typeof appOutputs>;
