import { z } from "@wfctl/plugin-sdk";
import { endpointInput, nativeId, regionInput } from "../ids.ts";
import { tagMap } from "../tags.ts";

const portNumber = z.number().int().min(1).max(65_535);
const groupName = z.string().regex(/^[\w.-]{1,64}$/);
const seconds = (low: number, high: number) => z.number().int().min(low).max(high);

const weighted = z.strictObject({ group: groupName, weight: z.number().int().min(0).max(999).default(1) });

const action = z
  .strictObject({
    forward: z
      .union([groupName, z.array(weighted).min(1)])
      .transform((value) => (typeof value === "string" ? [{ group: value, weight: 1 }] : value))
      .optional()
      .describe("Name of a target group, or several with weights"),
    redirect: z
      .strictObject({
        protocol: z.enum(["HTTP", "HTTPS", "#{protocol}"]).default("HTTPS"),
        port: z.union([z.string(), portNumber.transform(String)]).default("443"),
        host: z.string().default("#{host}"),
        path: z.string().default("/#{path}"),
        query: z.string().default("#{query}"),
        status: z.union([z.literal(301), z.literal(302)]).default(301),
      })
      .optional(),
    fixed_response: z
      .strictObject({
        status: z.number().int().min(200).max(599),
        content_type: z.string().default("text/plain"),
        body: z.string().max(1024).default(""),
      })
      .optional(),
  })
  .refine(
    (each) => [each.forward, each.redirect, each.fixed_response].filter((one) => one !== undefined).length === 1,
    {
      error: "expected one of forward, redirect and fixed_response",
    },
  );
export type Action = z.output<typeof action>;

const words = z.array(z.string().min(1)).min(1).optional();
const rule = z
  .strictObject({
    priority: z.number().int().min(1).max(50_000),
    hosts: words,
    paths: words,
    methods: words,
    source_ips: words,
    headers: z.record(z.string(), z.array(z.string()).min(1)).optional(),
    query: z.record(z.string(), z.string()).optional(),
    action,
  })
  .refine(
    (each) =>
      [each.hosts, each.paths, each.methods, each.source_ips, each.headers, each.query].some(
        (one) => one !== undefined,
      ),
    {
      error: "expected a condition: hosts, paths, methods, source_ips, headers or query",
    },
  );
export type ListenerRule = z.output<typeof rule>;

const listenerProtocol = z.enum(["HTTP", "HTTPS", "TCP", "UDP", "TCP_UDP", "TLS"]);
const listener = z.strictObject({
  port: portNumber,
  protocol: listenerProtocol.optional().describe("Default: HTTP or HTTPS, TCP or TLS, as there is a certificate"),
  certificate_arn: z.string().startsWith("arn:").optional(),
  additional_certificate_arns: z.array(z.string().startsWith("arn:")).default([]),
  ssl_policy: z.string().optional().describe("Default: TLS 1.2 and 1.3"),
  default_action: action,
  rules: z.array(rule).default([]),
});

const targetGroup = z.strictObject({
  port: portNumber.default(80),
  protocol: z.enum(["HTTP", "HTTPS", "TCP", "UDP", "TCP_UDP", "TLS"]).optional().describe("Default: HTTP or TCP"),
  protocol_version: z.enum(["HTTP1", "HTTP2", "GRPC"]).default("HTTP1"),
  target_type: z.enum(["ip", "instance", "alb"]).default("ip"),
  health_check: z
    .strictObject({
      protocol: z.enum(["HTTP", "HTTPS", "TCP"]).optional(),
      path: z.string().startsWith("/").optional(),
      port: z.union([z.string(), portNumber.transform(String)]).optional(),
      interval_seconds: seconds(5, 300).optional(),
      timeout_seconds: seconds(2, 120).optional(),
      healthy_threshold: z.number().int().min(2).max(10).optional(),
      unhealthy_threshold: z.number().int().min(2).max(10).optional(),
      matcher: z
        .union([z.string(), z.number().int().transform(String)])
        .optional()
        .describe("Such as 200-299"),
    })
    .default({}),
  deregistration_delay_seconds: seconds(0, 3600).default(300),
  slow_start_seconds: z.union([z.literal(0), seconds(30, 900)]).default(0),
  stickiness_seconds: seconds(0, 604_800).default(0).describe("0: none"),
  targets: z
    .array(z.strictObject({ id: z.string().min(1), port: portNumber.optional() }))
    .optional()
    .describe("Targets, and no others. Services register theirs themselves"),
});
export type TargetGroupInput = z.output<typeof targetGroup> & {
  readonly protocol: NonNullable<z.output<typeof targetGroup>["protocol"]>;
};

const base = z.strictObject({
  load_balancer_name: z
    .string()
    .regex(/^(?!internal-)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$/, {
      error: "expected at most 32 letters, digits and hyphens",
    })
    .optional()
    .describe("Default: the resource's name"),
  region: regionInput,
  endpoint: endpointInput,
  scheme: z.enum(["internet-facing", "internal"]).default("internet-facing"),
  type: z.enum(["application", "network"]).default("application"),
  subnet_ids: z.array(nativeId("subnet-0123")).min(1),
  security_group_ids: z.array(nativeId("sg-0123")).optional(),
  ip_address_type: z.enum(["ipv4", "dualstack"]).default("ipv4"),
  idle_timeout: z
    .union([seconds(1, 4000), z.string().regex(/^\d+$/).transform(Number)])
    .optional()
    .describe("Seconds. Of application load balancers"),
  deletion_protection: z.boolean().default(false),
  drop_invalid_headers: z.boolean().optional().describe("Of application load balancers"),
  http2: z.boolean().optional().describe("Of application load balancers"),
  cross_zone: z.boolean().optional().describe("Of network load balancers"),
  access_logs: z.strictObject({ bucket: z.string().min(3), prefix: z.string().default("") }).optional(),
  target_groups: z.record(groupName, targetGroup).default({}),
  listeners: z.array(listener).default([]),
  tags: tagMap.default({}),
});

export const balancerInput = base
  .superRefine((input, context) => {
    const report = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: "custom", path, message });
    };
    const ports = new Set<number>();
    const checkAction = (each: Action, path: (string | number)[]): void => {
      for (const { group } of each.forward ?? []) {
        if (!(group in input.target_groups)) report([...path, "forward"], `there is no target group "${group}"`);
      }
      if (input.type === "network" && each.forward === undefined) report(path, "a network load balancer only forwards");
    };
    for (const [index, each] of input.listeners.entries()) {
      const path = ["listeners", index];
      if (ports.has(each.port)) report([...path, "port"], `port ${each.port} has two listeners`);
      ports.add(each.port);
      checkAction(each.default_action, [...path, "default_action"]);
      const isSecure = each.protocol === "HTTPS" || each.protocol === "TLS";
      if (isSecure && each.certificate_arn === undefined)
        report([...path, "certificate_arn"], `${each.protocol} needs a certificate`);
      const priorities = new Set<number>();
      for (const [at, one] of each.rules.entries()) {
        if (priorities.has(one.priority))
          report([...path, "rules", at, "priority"], `priority ${one.priority} is used twice`);
        priorities.add(one.priority);
        checkAction(one.action, [...path, "rules", at, "action"]);
      }
    }
    if (input.type === "application" && input.subnet_ids.length < 2) {
      report(["subnet_ids"], "an application load balancer needs subnets in two zones");
    }
    for (const key of ["idle_timeout", "drop_invalid_headers", "http2"] as const) {
      if (input.type === "network" && input[key] !== undefined) report([key], "is for application load balancers");
    }
    if (input.type === "application" && input.cross_zone !== undefined)
      report(["cross_zone"], "is for network load balancers");
  })
  .transform((input) => ({
    ...input,
    target_groups: Object.fromEntries(
      Object.entries(input.target_groups).map(([name, group]) => [
        name,
        { ...group, protocol: group.protocol ?? (input.type === "network" ? ("TCP" as const) : ("HTTP" as const)) },
      ]),
    ),
    listeners: input.listeners.map((each) => ({
      ...each,
      rules: each.rules.toSorted((a, b) => a.priority - b.priority),
      protocol: each.protocol ?? protocolOf(input.type, each.certificate_arn !== undefined),
    })),
  }));
export type BalancerInput = z.output<typeof balancerInput>;
export type ListenerInput = BalancerInput["listeners"][number];

function protocolOf(type: "application" | "network", isSecure: boolean): z.output<typeof listenerProtocol> {
  if (type === "network") return isSecure ? "TLS" : "TCP";
  return isSecure ? "HTTPS" : "HTTP";
}

export const balancerOutputs = z.object({
  arn: z.string(),
  name: z.string(),
  scheme: z.string(),
  type: z.string(),
  dns_name: z.string(),
  endpoint: z.string().describe("As dns_name"),
  zone_id: z.string().describe("Hosted zone of the name, for alias records"),
  vpc_id: z.string(),
  region: z.string(),
  security_group_ids: z.array(z.string()),
  target_group_arns: z.record(z.string(), z.string()),
  listener_arns: z.record(z.string(), z.string()).describe("By port"),
  tags_all: z.record(z.string(), z.string()),
});
export type BalancerOutputs = z.output<typeof balancerOutputs>;

/** Settings that are left alone while the configuration does not name them. */
export const optionalBalancerKeys = ["access_logs"] as const;
