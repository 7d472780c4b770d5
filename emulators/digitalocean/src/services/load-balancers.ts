import { randomUUID } from "node:crypto";
import type { Account, Thing } from "../account.ts";
import { asText, listOf, noContent, notFound, paged, textOf, unprocessable, type Handlers } from "./answers.ts";
import { regionOf } from "./catalogue.ts";
import { defaultVpc } from "./vpcs.ts";

const startMs = 60_000;

export const loadBalancers: Handlers = {
  loadBalancers_list: (request) => paged(request, "load_balancers", request.account.loadBalancers.list()),
  loadBalancers_create({ account, body }) {
    const problem = check(account, body);
    if (problem !== undefined) return unprocessable(problem);
    const id = randomUUID();
    const balancer = account.loadBalancers.add(id, {
      id,
      ip: "",
      ipv6: "",
      status: "new",
      created_at: account.clock.iso(),
      ...shape(account, body),
    });
    account.clock.after(startMs, () => {
      balancer["status"] = "active";
      balancer["ip"] = `198.51.100.${(account.loadBalancers.all().length % 250) + 1}`;
    });
    return { status: 202, body: { load_balancer: balancer } };
  },
  loadBalancers_get({ account, params }) {
    const balancer = account.loadBalancers.get(params["lb_id"] ?? "");
    return balancer === undefined ? notFound() : { status: 200, body: { load_balancer: balancer } };
  },
  loadBalancers_update({ account, params, body }) {
    const balancer = account.loadBalancers.own(params["lb_id"] ?? "");
    if (balancer === undefined) return notFound();
    const problem = check(account, body);
    if (problem !== undefined) return unprocessable(problem);
    const { vpc_uuid: _, ...changed } = shape(account, body);
    for (const key of ["tag", "domains", "glb_settings"]) delete balancer[key];
    Object.assign(balancer, changed);
    return { status: 200, body: { load_balancer: balancer } };
  },
  loadBalancers_delete: ({ account, params }) =>
    account.loadBalancers.remove(params["lb_id"] ?? "") ? noContent : notFound(),
};

function check(account: Account, body: Thing): string | undefined {
  const region = textOf(body, "region");
  const isGlobal = body["type"] === "GLOBAL";
  if (!isGlobal && region === undefined) return "region is required";
  if (region !== undefined && regionOf(region)?.["available"] !== true) return "invalid region";
  if (textOf(body, "name") === undefined) return "name is required";
  if (textOf(body, "tag") !== undefined && listOf(body, "droplet_ids").length > 0)
    return "droplet_ids and tag are mutually exclusive";
  if (!isGlobal && listOf(body, "forwarding_rules").length === 0) return "at least one forwarding rule is required";
  const missing = listOf<number>(body, "droplet_ids").find((id) => account.droplets.own(asText(id)) === undefined);
  if (missing !== undefined) return `droplet ${missing} does not exist`;
  const unsecured = listOf<Thing>(body, "forwarding_rules").find((rule) => {
    const protocol = textOf(rule, "entry_protocol");
    if (protocol !== "https" && protocol !== "http2" && protocol !== "http3") return false;
    const certificate = textOf(rule, "certificate_id") ?? "";
    return rule["tls_passthrough"] !== true && account.certificates.own(certificate) === undefined;
  });
  if (unsecured !== undefined) return "forwarding rule needs a certificate that exists, or TLS passthrough";
  const vpc = textOf(body, "vpc_uuid");
  return vpc !== undefined && account.vpcs.own(vpc) === undefined ? "invalid VPC" : undefined;
}

function shape(account: Account, body: Thing): Thing {
  const region = textOf(body, "region");
  const tag = textOf(body, "tag");
  return {
    name: body["name"]!,
    project_id: textOf(body, "project_id") ?? asText(account.projects.all()[0]!["id"]),
    size_unit: body["size_unit"] ?? 1,
    size: body["size"] ?? "lb-small",
    algorithm: "round_robin",
    forwarding_rules: listOf<Thing>(body, "forwarding_rules").map((rule) => ({
      certificate_id: "",
      tls_passthrough: false,
      ...rule,
    })),
    health_check: {
      protocol: "http",
      port: 80,
      path: "/",
      check_interval_seconds: 10,
      response_timeout_seconds: 5,
      healthy_threshold: 5,
      unhealthy_threshold: 3,
      ...(body["health_check"] as Thing | undefined),
    },
    sticky_sessions: { type: "none", ...(body["sticky_sessions"] as Thing | undefined) },
    redirect_http_to_https: body["redirect_http_to_https"] === true,
    enable_proxy_protocol: body["enable_proxy_protocol"] === true,
    enable_backend_keepalive: body["enable_backend_keepalive"] === true,
    http_idle_timeout_seconds: body["http_idle_timeout_seconds"] ?? 60,
    disable_lets_encrypt_dns_records: body["disable_lets_encrypt_dns_records"] === true,
    firewall: { allow: [], deny: [], ...(body["firewall"] as Thing | undefined) },
    type: body["type"] ?? "REGIONAL",
    network: body["network"] ?? "EXTERNAL",
    network_stack: body["network_stack"] ?? "IPV4",
    tls_cipher_policy: body["tls_cipher_policy"] ?? "DEFAULT",
    target_load_balancer_ids: listOf<string>(body, "target_load_balancer_ids"),
    ...(body["domains"] === undefined ? {} : { domains: body["domains"] }),
    ...(body["glb_settings"] === undefined ? {} : { glb_settings: body["glb_settings"] }),
    ...(region === undefined
      ? {}
      : { region: regionOf(region)!, vpc_uuid: textOf(body, "vpc_uuid") ?? defaultVpc(account, region) }),
    ...(tag === undefined ? {} : { tag }),
    droplet_ids:
      tag === undefined
        ? listOf<number>(body, "droplet_ids")
        : account.droplets
            .all()
            .filter((droplet) => listOf<string>(droplet, "tags").includes(tag))
            .map((droplet) => droplet["id"]!),
  };
}
