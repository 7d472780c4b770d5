import { given } from "../aliases.ts";
import type { AppDomainSpec, AppInput, Job, Sidecar, StaticSite, Worker } from "./schema.ts";
import type { AppSpec, Component, DomainSpec, Env, IngressRule, Service, Site } from "./spec-types.ts";

const scope = "RUN_AND_BUILD_TIME";

/** Renders the whole spec of an app. `live` gives what the configuration leaves alone. */
export function toSpec(
  input: AppInput,
  settled: { name: string; region: string; live?: AppSpec | undefined },
): AppSpec {
  const { name, region, live } = settled;
  const main = mainService(input, live?.services?.[0]?.name ?? name);
  const login = input.registry_credentials;
  const rules = [
    ...(input.expose === "public" ? rulesFor(main.name, input.routes, input.cors) : []),
    ...input.static_sites.flatMap((site) => rulesFor(site.name, site.routes, site.cors)),
    ...input.sidecars.flatMap((sidecar) =>
      publicPort(sidecar) === undefined
        ? []
        : rulesFor(sidecar.name, [{ path: `/${sidecar.name}`, preserve_path_prefix: false }], undefined),
    ),
  ];
  const own = input.provider_specific?.digitalocean ?? {};
  return given({
    name,
    region: input.region ?? live?.region ?? region,
    services: [main, ...input.sidecars.map((sidecar) => sidecarService(sidecar, login))],
    workers: nonEmpty(input.workers.map((worker) => workerSpec(worker, login))),
    jobs: nonEmpty(input.jobs.map((job) => jobSpec(job, login))),
    static_sites: nonEmpty(input.static_sites.map(siteSpec)),
    domains: input.domains === undefined ? nonEmpty(live?.domains ?? []) : nonEmpty(input.domains.map(toDomain)),
    ingress:
      rules.length === 0 && input.ingress === undefined
        ? undefined
        : given({ ...input.ingress, rules: nonEmpty(rules) }),
    egress: input.egress ?? live?.egress,
    maintenance: input.maintenance === undefined ? live?.maintenance : given(input.maintenance),
    vpc: input.vpc_ref === undefined ? live?.vpc && given({ id: live.vpc.id }) : { id: input.vpc_ref },
    features: own.features ?? nonEmpty(live?.features ?? []),
    alerts:
      own.app_alerts === undefined ? nonEmpty(live?.alerts ?? []) : nonEmpty(own.app_alerts.map((each) => given(each))),
    disable_edge_cache: own.disable_edge_cache ?? live?.disable_edge_cache,
    disable_email_obfuscation: own.disable_email_obfuscation ?? live?.disable_email_obfuscation,
    enhanced_threat_control_enabled: own.enhanced_threat_control_enabled ?? live?.enhanced_threat_control_enabled,
  }) as AppSpec;
}

function mainService(input: AppInput, name: string): Service {
  const isInternal = input.expose === "internal";
  const ports = isInternal
    ? [input.http_port, ...input.internal_ports.filter((port) => port !== input.http_port)]
    : input.internal_ports;
  return given({
    ...component(name, input, input.registry_credentials),
    http_port: isInternal ? undefined : input.http_port,
    internal_ports: nonEmpty(ports),
    protocol: input.http_port_protocol,
    instance_count: input.instance_count,
    instance_size_slug: input.size,
    autoscaling: scaling(input.autoscaling),
    health_check: input.health_check && given(input.health_check),
    liveness_health_check: input.liveness_check && given(input.liveness_check),
    termination: input.termination && given(input.termination),
    alerts: nonEmpty(input.alerts.map((each) => given(each))),
    log_destinations: nonEmpty(
      (input.log_destinations ?? []).map(({ endpoint, tls_insecure: _, ...destination }) =>
        given({
          ...destination,
          papertrail: destination.papertrail ?? (endpoint === undefined ? undefined : { endpoint }),
        }),
      ),
    ),
  }) as Service;
}

type Sourced = Pick<
  AppInput,
  | "image"
  | "github"
  | "gitlab"
  | "bitbucket"
  | "git"
  | "build_command"
  | "run_command"
  | "dockerfile_path"
  | "source_dir"
  | "environment_slug"
  | "env_vars"
  | "env_vars_secret"
>;

function component(
  name: string,
  input: Partial<Sourced> & Pick<Sourced, "env_vars">,
  login: string | undefined,
): Component {
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
  } = input;
  return given({
    name,
    image: image && given({ ...image, registry_credentials: image.registry_type === "DOCR" ? undefined : login }),
    github,
    gitlab,
    bitbucket,
    git,
    build_command,
    run_command,
    dockerfile_path,
    source_dir,
    environment_slug,
    envs: nonEmpty(envsOf(input.env_vars, input.env_vars_secret)),
  }) as Component;
}

function envsOf(plain: Readonly<Record<string, string>>, secret: Readonly<Record<string, string>> = {}): Env[] {
  return [
    ...Object.entries(plain).map(([key, value]): Env => ({ key, value, scope, type: "GENERAL" })),
    ...Object.entries(secret).map(([key, value]): Env => ({ key, value, scope, type: "SECRET" })),
  ];
}

function workerSpec(worker: Worker, login: string | undefined): Component {
  return given({
    ...component(worker.name, worker, login),
    instance_count: worker.instance_count,
    instance_size_slug: worker.size,
    autoscaling: scaling(worker.autoscaling),
    termination: worker.termination,
  }) as Component;
}

function jobSpec(job: Job, login: string | undefined): Component {
  return given({
    ...component(job.name, job, login),
    kind: job.kind.toUpperCase(),
    schedule: job.cron === undefined ? undefined : { cron: job.cron },
    instance_count: 1,
    instance_size_slug: job.size,
    termination: job.termination,
  }) as Component;
}

function siteSpec(site: StaticSite): Site {
  const { output_dir, index_document, error_document, catchall_document } = site;
  return given({
    ...component(site.name, site, undefined),
    output_dir,
    index_document,
    error_document,
    catchall_document,
  }) as Site;
}

const publicPort = ({ ports }: Sidecar): number | undefined => ports.find((each) => each.public)?.port;

function sidecarService(sidecar: Sidecar, login: string | undefined): Service {
  const inside = sidecar.ports.filter((each) => !each.public).map(({ port }) => port);
  return given({
    ...component(sidecar.name, sidecar, login),
    http_port: publicPort(sidecar),
    internal_ports: nonEmpty(inside),
    instance_count: 1,
    instance_size_slug: sidecar.size,
  }) as Service;
}

export function rulesFor(name: string, routes: AppInput["routes"], cors: AppInput["cors"]): IngressRule[] {
  return routes.map(
    ({ path, preserve_path_prefix: keeps }) =>
      given({
        match: { path: { prefix: path } },
        component: keeps ? { name, preserve_path_prefix: true } : { name },
        cors: cors && given({ ...cors, allow_origins: cors.allow_origins.map((each) => given(each)) }),
      }) as IngressRule,
  );
}

function scaling(wanted: AppInput["autoscaling"]): Component["autoscaling"] {
  if (wanted === undefined) return undefined;
  return {
    min_instance_count: wanted.min,
    max_instance_count: wanted.max,
    metrics: { cpu: { percent: wanted.cpu_percent } },
  };
}

function toDomain(domain: AppDomainSpec): DomainSpec {
  return given({ ...domain, wildcard: domain.wildcard || undefined }) as DomainSpec;
}

function nonEmpty<Item>(list: readonly Item[]): readonly Item[] | undefined {
  return list.length === 0 ? undefined : list;
}
