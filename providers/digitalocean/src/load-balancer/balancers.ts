import { ProviderFailure, type ResourceState } from "@wfctl/plugin-sdk";
import { given } from "../aliases.ts";
import { api, collect, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { isUuid, pickByName } from "../naming.ts";
import { awaitThat } from "../waiting.ts";
import type { BalancerInput, BalancerOutputs, Rule } from "./schema.ts";

export interface Balancer {
  readonly id: string;
  readonly name: string;
  readonly ip: string;
  readonly ipv6?: string;
  readonly status: "new" | "active" | "errored";
  readonly size_unit?: number;
  readonly region?: { readonly slug: string };
  readonly vpc_uuid?: string;
  readonly project_id?: string;
  readonly tag?: string;
  readonly droplet_ids?: readonly number[] | null;
  readonly forwarding_rules: readonly Rule[];
  readonly health_check?: BalancerInput["health_check"];
  readonly sticky_sessions?: BalancerInput["sticky_sessions"];
  readonly redirect_http_to_https?: boolean;
  readonly enable_proxy_protocol?: boolean;
  readonly enable_backend_keepalive?: boolean;
  readonly disable_lets_encrypt_dns_records?: boolean;
  readonly http_idle_timeout_seconds?: number;
  readonly firewall?: BalancerInput["firewall"];
  readonly type?: BalancerInput["type"];
  readonly network?: BalancerInput["network"];
  readonly network_stack?: BalancerInput["network_stack"];
  readonly tls_cipher_policy?: BalancerInput["tls_cipher_policy"];
  readonly domains?: readonly {
    readonly name: string;
    readonly is_managed?: boolean;
    readonly certificate_id?: string;
  }[];
  readonly glb_settings?: BalancerInput["glb_settings"];
  readonly target_load_balancer_ids?: readonly string[] | null;
}

export async function locateBalancer(
  { id, name }: { id: string; name: string },
  context: Context,
): Promise<Balancer | undefined> {
  if (isUuid(id))
    return (await orAbsent(api(context).get<{ load_balancer: Balancer }>(`load_balancers/${id}`)))?.load_balancer;
  const wanted = id === "" ? name : id;
  const all = await collect(api(context).list<Balancer>("load_balancers", "load_balancers"));
  return pickByName(
    context,
    { kind: "load balancer", name: wanted },
    all.filter((each) => each.name === wanted),
    { id: (each) => each.id },
  );
}

export async function awaitBalancer(context: Context, id: string): Promise<Balancer> {
  let status = "new";
  return awaitThat(
    context,
    () => `load balancer ${id} to be active (${status})`,
    async () => {
      const found = await locateBalancer({ id, name: "" }, context);
      status = found?.status ?? "not visible yet";
      if (status === "errored")
        throw new ProviderFailure("unknown", `DigitalOcean could not set up load balancer ${id}`);
      const hasAddress = found?.ip !== "" || found.type === "GLOBAL" || found.network === "INTERNAL";
      return found?.status === "active" && hasAddress ? found : undefined;
    },
  );
}

/** The whole object as the API wants it. What the configuration leaves alone stays as it is live. */
export async function bodyOf(context: Context, name: string, input: BalancerInput, live?: Balancer): Promise<object> {
  const { config } = context.client;
  const isGlobal = input.type === "GLOBAL";
  const byTag = input.droplet_tag ?? (input.droplet_ids === undefined ? live?.tag : undefined);
  const ids = byTag === undefined ? (input.droplet_ids ?? live?.droplet_ids ?? []) : undefined;
  return given({
    name,
    region: isGlobal ? undefined : (input.region ?? live?.region?.slug ?? config.region),
    size_unit: input.size_unit ?? live?.size_unit,
    forwarding_rules: await resolveRules(context, input.forwarding_rules),
    droplet_ids: ids,
    tag: byTag,
    health_check: merge(live?.health_check, input.health_check),
    sticky_sessions: merge(live?.sticky_sessions, input.sticky_sessions),
    redirect_http_to_https: input.redirect_http_to_https,
    enable_proxy_protocol: input.enable_proxy_protocol,
    enable_backend_keepalive: input.enable_backend_keepalive,
    disable_lets_encrypt_dns_records: input.disable_lets_encrypt_dns_records,
    http_idle_timeout_seconds: input.http_idle_timeout_seconds,
    vpc_uuid: isGlobal ? undefined : (input.vpc_uuid ?? live?.vpc_uuid),
    project_id: input.project_id ?? live?.project_id ?? config.project_id,
    firewall: input.firewall ?? live?.firewall,
    type: input.type,
    network: input.network,
    network_stack: input.network_stack,
    tls_cipher_policy: input.tls_cipher_policy,
    domains: input.domains.length > 0 ? input.domains.map((each) => given(each)) : undefined,
    glb_settings: input.glb_settings && given(input.glb_settings),
    target_load_balancer_ids: input.target_load_balancer_ids.length > 0 ? input.target_load_balancer_ids : undefined,
  });
}

function merge<Value extends object>(live: Value | undefined, wanted: Value | undefined): Value | undefined {
  return live === undefined && wanted === undefined
    ? undefined
    : (given({ ...live, ...(wanted === undefined ? {} : given(wanted)) }) as Value);
}

async function resolveRules(context: Context, rules: readonly Rule[]): Promise<object[]> {
  const isNamed = rules.some((rule) => rule.certificate_name !== undefined);
  const certificates = isNamed ? await listCertificates(context) : {};
  return rules.map(({ certificate_name: name, ...rule }) => {
    if (name === undefined) return given(rule);
    const id = Object.entries(certificates).find(([, each]) => each === name)?.[0];
    if (id === undefined) throw new ProviderFailure("validation", `Certificate "${name}" does not exist`);
    return given({ ...rule, certificate_id: id });
  });
}

/** Names of the account's certificates by their id. */
async function listCertificates(context: Context): Promise<Record<string, string>> {
  const all = await collect(api(context).list<{ id: string; name: string }>("certificates", "certificates"));
  return Object.fromEntries(all.map(({ id, name }) => [id, name]));
}

/** Rules in one order, certificates by their id: what two lists of rules are compared by. */
export function settleRules(rules: readonly Rule[], certificates: Readonly<Record<string, string>>): string {
  const settled = rules.map(({ certificate_name: name, certificate_id: id, ...rule }) => {
    const known =
      name === undefined
        ? (id ?? "")
        : (Object.entries(certificates).find(([, each]) => each === name)?.[0] ?? `name ${name}`);
    return JSON.stringify([
      rule.entry_protocol,
      Number(rule.entry_port),
      rule.target_protocol,
      Number(rule.target_port),
      rule.tls_passthrough,
      known,
    ]);
  });
  return settled.toSorted().join();
}

export async function describeBalancer(
  context: Context,
  live: Balancer,
): Promise<ResourceState<BalancerInput, BalancerOutputs>> {
  const { id, name } = live;
  const rules = live.forwarding_rules.map(({ certificate_id: certificate, ...rule }): Rule => ({
    ...rule,
    tls_passthrough: rule.tls_passthrough ?? false,
    ...(certificate === undefined || certificate === "" ? {} : { certificate_id: certificate }),
  }));
  const used = rules.flatMap(({ certificate_id: certificate }) => (certificate === undefined ? [] : [certificate]));
  const known = used.length > 0 ? await listCertificates(context) : {};
  const certificates = Object.fromEntries(
    used.flatMap((each) => (known[each] === undefined ? [] : [[each, known[each]]])),
  );
  const ids = [...(live.droplet_ids ?? [])];
  const isTagged = live.tag !== undefined && live.tag !== "";
  return {
    id,
    name,
    status: live.status === "active" ? "running" : live.status === "errored" ? "degraded" : "unknown",
    outputs: {
      id,
      name,
      urn: `do:loadbalancer:${id}`,
      ip: live.ip,
      ipv6: live.ipv6 ?? "",
      status: live.status,
      region: live.region?.slug ?? "",
      vpc_uuid: live.vpc_uuid ?? "",
      droplet_ids: ids,
      forwarding_rules: rules,
      certificates,
    },
    inputs: given({
      name,
      region: live.region?.slug,
      size_unit: live.size_unit,
      forwarding_rules: rules,
      droplet_ids: isTagged ? undefined : ids,
      droplet_tag: isTagged ? live.tag : undefined,
      health_check: live.health_check,
      sticky_sessions: live.sticky_sessions,
      redirect_http_to_https: live.redirect_http_to_https ?? false,
      enable_proxy_protocol: live.enable_proxy_protocol ?? false,
      enable_backend_keepalive: live.enable_backend_keepalive ?? false,
      disable_lets_encrypt_dns_records: live.disable_lets_encrypt_dns_records ?? false,
      http_idle_timeout_seconds: live.http_idle_timeout_seconds ?? 60,
      vpc_uuid: live.vpc_uuid,
      firewall: live.firewall,
      type: live.type ?? "REGIONAL",
      network: live.network ?? "EXTERNAL",
      network_stack: live.network_stack ?? "IPV4",
      tls_cipher_policy: live.tls_cipher_policy ?? "DEFAULT",
      domains: (live.domains ?? []).map(
        ({ name: domain, is_managed: isManaged = false, certificate_id: certificate }) => ({
          name: domain,
          is_managed: isManaged,
          ...(certificate === undefined || certificate === "" || isManaged ? {} : { certificate_id: certificate }),
        }),
      ),
      glb_settings: live.glb_settings,
      target_load_balancer_ids: [...(live.target_load_balancer_ids ?? [])],
    }) as Partial<BalancerInput>,
  };
}
