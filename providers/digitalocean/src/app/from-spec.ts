import { settleImage } from "./image.ts";
import type { AppInput } from "./schema.ts";
import type { AppSpec, Component, Env, IngressRule, JobSpec, Service, Site } from "./spec-types.ts";

/** The inputs that a live spec stands for. Secrets and logins cannot be read back. */
export function fromSpec(spec: AppSpec): Partial<AppInput> {
  const [main, ...others] = spec.services ?? [];
  const rules = spec.ingress?.rules ?? [];
  const made: Record<string, unknown> = {
    name: spec.name,
    ...(spec.region === undefined ? {} : { region: spec.region }),
    ...(main === undefined ? {} : mainInputs(main, rules)),
    sidecars: others.map(sidecarOf),
    workers: (spec.workers ?? []).map((worker) => ({
      ...componentInputs(worker),
      size: worker.instance_size_slug,
      ...(worker.autoscaling === undefined
        ? { instance_count: worker.instance_count ?? 1 }
        : { autoscaling: scalingOf(worker) }),
      ...(worker.termination === undefined ? {} : { termination: worker.termination }),
    })),
    jobs: (spec.jobs ?? []).map(jobOf),
    static_sites: (spec.static_sites ?? []).map((site) => siteOf(site, rules)),
    domains: (spec.domains ?? []).map((domain) => ({ type: "UNSPECIFIED", wildcard: false, ...domain })),
    ...(spec.ingress?.load_balancer === undefined ? {} : { ingress: { load_balancer: spec.ingress.load_balancer } }),
    ...(spec.egress === undefined ? {} : { egress: spec.egress }),
    ...(spec.maintenance === undefined ? {} : { maintenance: spec.maintenance }),
    ...(spec.vpc?.id === undefined ? {} : { vpc_ref: spec.vpc.id }),
    ...specific(spec),
  };
  return made as Partial<AppInput>;
}

function mainInputs(main: Service, rules: readonly IngressRule[]): Record<string, unknown> {
  const isInternal = main.http_port === undefined;
  const [first, ...rest] = main.internal_ports ?? [];
  const own = rules.filter((rule) => rule.component?.name === main.name);
  return {
    ...componentInputs(main),
    expose: isInternal ? "internal" : "public",
    http_port: main.http_port ?? first ?? 8080,
    internal_ports: isInternal ? rest : [...(main.internal_ports ?? [])],
    ...(main.protocol === undefined ? {} : { http_port_protocol: main.protocol }),
    ...(main.instance_size_slug === undefined ? {} : { size: main.instance_size_slug }),
    ...(main.autoscaling === undefined
      ? { instance_count: main.instance_count ?? 1 }
      : { autoscaling: scalingOf(main) }),
    ...(isInternal ? {} : { routes: own.map(routeOf) }),
    ...(own[0]?.cors === undefined ? {} : { cors: own[0].cors }),
    ...(main.health_check === undefined ? {} : { health_check: main.health_check }),
    ...(main.liveness_health_check === undefined ? {} : { liveness_check: main.liveness_health_check }),
    ...(main.termination === undefined ? {} : { termination: main.termination }),
    alerts: (main.alerts ?? []).map((alert) => ({ ...alert, disabled: alert.disabled ?? false })),
  };
}

function componentInputs(component: Component): Record<string, unknown> {
  const {
    image,
    github,
    gitlab,
    bitbucket,
    git,
    build_command,
    run_command,
    dockerfile_path,
    source_dir,
    environment_slug,
  } = component;
  const { registry_credentials: _, ...plain } = image ?? { registry_type: "DOCR", repository: "" };
  const parts = {
    github,
    gitlab,
    bitbucket,
    git,
    build_command,
    run_command,
    dockerfile_path,
    source_dir,
    environment_slug,
  };
  return {
    name: component.name,
    ...(image === undefined ? {} : { image: settleImage(plain) }),
    ...Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined && value !== "")),
    env_vars: Object.fromEntries(plainEnvs(component).map(({ key, value }) => [key, value ?? ""])),
  };
}

const plainEnvs = ({ envs = [] }: Component): readonly Env[] => envs.filter(({ type }) => type !== "SECRET");

/** Names of the main service's secret variables, whose values cannot be read. */
export function secretKeys({ services = [] }: AppSpec): string[] {
  const envs = services[0]?.envs ?? [];
  return envs.flatMap(({ key, type }) => (type === "SECRET" ? [key] : [])).toSorted();
}

function scalingOf({ autoscaling }: Component) {
  const { min_instance_count: min = 1, max_instance_count: max = 1, metrics } = autoscaling ?? {};
  return { min, max, cpu_percent: metrics?.cpu?.percent ?? 80 };
}

function routeOf({ match, component }: IngressRule) {
  return { path: match?.path?.prefix ?? "/", preserve_path_prefix: String(component?.preserve_path_prefix) === "true" };
}

function jobOf(job: JobSpec): Record<string, unknown> {
  const kind = (job.kind ?? "POST_DEPLOY").toLowerCase();
  return {
    ...componentInputs(job),
    kind: kind === "unspecified" ? "post_deploy" : kind,
    ...(job.schedule?.cron === undefined ? {} : { cron: job.schedule.cron }),
    size: job.instance_size_slug,
    ...(job.termination === undefined ? {} : { termination: job.termination }),
  };
}

function siteOf(site: Site, rules: readonly IngressRule[]): Record<string, unknown> {
  const own = rules.filter((rule) => rule.component?.name === site.name);
  const { output_dir, index_document, error_document, catchall_document } = site;
  const parts = { output_dir, index_document, error_document, catchall_document };
  return {
    ...componentInputs(site),
    ...Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined && value !== "")),
    routes: own.map(routeOf),
    ...(own[0]?.cors === undefined ? {} : { cors: own[0].cors }),
  };
}

function sidecarOf(service: Service): Record<string, unknown> {
  const inside = (service.internal_ports ?? []).map((port) => ({ port, public: false }));
  const outside = service.http_port === undefined ? [] : [{ port: service.http_port, public: true }];
  return { ...componentInputs(service), size: service.instance_size_slug, ports: [...outside, ...inside] };
}

function specific(spec: AppSpec): Record<string, unknown> {
  const { disable_edge_cache, disable_email_obfuscation, enhanced_threat_control_enabled, features, alerts } = spec;
  const parts = {
    disable_edge_cache,
    disable_email_obfuscation,
    enhanced_threat_control_enabled,
    features,
    app_alerts: alerts?.map((alert) => ({ ...alert, disabled: alert.disabled ?? false })),
  };
  const own = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
  return Object.keys(own).length === 0 ? {} : { provider_specific: { digitalocean: own } };
}
