import { z } from "@wfctl/plugin-sdk";
import { containsCidr, overlapCidrs, parseCidr } from "../cidr.ts";
import { endpointInput, nativeId, regionInput } from "../ids.ts";
import { tagMap } from "../tags.ts";

/** A range of the sizes that a VPC and its subnets can have. */
const cidr = z.string().refine(
  (text) => {
    const bits = parseCidr(text)?.bits;
    return bits !== undefined && bits >= 16 && bits <= 28;
  },
  { error: 'expected an IPv4 range from /16 to /28 such as "10.0.0.0/16"' },
);

const subnet = z.strictObject({
  cidr,
  zone: z
    .string()
    .regex(/^(?:[a-z]|[a-z]{2}(?:-[a-z]+)+-\d[a-z])$/, { error: 'expected a zone such as "a" or "eu-central-1a"' })
    .optional()
    .describe("Default: the zone with the fewest subnets of the kind"),
  public: z.boolean().default(false).describe("Routes to the internet gateway"),
  map_public_ip: z.boolean().optional().describe("Default: as public"),
  tags: tagMap.default({}),
});

const route = z.strictObject({
  table: z.enum(["public", "private"]).default("private"),
  destination: z.string().describe("IPv4 range, or id of a prefix list"),
  target: nativeId("tgw-0123 or pcx-0123").refine((id) => /^(?:tgw|pcx|vgw|igw|nat|eni|vpce|lgw|cagw)-/.test(id), {
    error: "expected the id of a gateway, a peering connection, an interface or an endpoint",
  }),
});
export type Route = z.output<typeof route>;

const flowLog = z
  .strictObject({
    destination: z
      .string()
      .regex(/^arn:[\w-]+:(?:s3:::[a-z0-9.-]{3,63}(?:\/.*)?|logs:[\w-]+:\d{12}:log-group:[^:*]+)$/, {
        error: "expected the ARN of a bucket or of a log group",
      })
      .describe("ARN of a bucket, with or without a prefix, or of a log group"),
    traffic: z.enum(["ALL", "ACCEPT", "REJECT"]).default("ALL"),
    role_arn: z.string().startsWith("arn:").optional().describe("Role that may write to the log group"),
    interval_seconds: z.union([z.literal(60), z.literal(600)]).default(600),
  })
  .refine((log) => log.destination.includes(":s3:::") === (log.role_arn === undefined), {
    error: "role_arn belongs to a log group",
    path: ["role_arn"],
  });
export type FlowLogInput = z.output<typeof flowLog>;

const interfaceEndpoint = z.strictObject({
  subnets: z.array(z.string()).min(1).describe("Names of subnets of this VPC, at most one in a zone"),
  security_group_ids: z.array(nativeId("sg-0123")).min(1).optional().describe("Default: the VPC's default group"),
  private_dns: z.boolean().default(true).describe("The service's own name leads to the endpoint"),
});
export type InterfaceEndpointInput = z.output<typeof interfaceEndpoint>;

export const vpcInput = z
  .strictObject({
    cidr: cidr.default("10.0.0.0/16"),
    region: regionInput,
    endpoint: endpointInput,
    secondary_cidrs: z.array(cidr).default([]),
    enable_dns_support: z.boolean().optional(),
    enable_dns_hostnames: z.boolean().optional(),
    instance_tenancy: z.enum(["default", "dedicated"]).default("default"),
    subnets: z.record(z.string().regex(/^[\w.-]{1,100}$/), subnet).default({}),
    internet_gateway: z.boolean().optional().describe("Default: true where a subnet is public"),
    nat_gateways: z
      .enum(["none", "single", "per_zone"])
      .default("none")
      .describe("Way out for private subnets: none, one for all, or one in each zone"),
    routes: z.array(route).optional().describe("Further routes of the public and the private tables, and no others"),
    flow_log: flowLog.optional().describe("Where the traffic of the VPC is written down"),
    gateway_endpoints: z.array(z.enum(["s3", "dynamodb"])).default([]),
    interface_endpoints: z
      .record(z.string().regex(/^[\w.-]{1,100}$/), interfaceEndpoint)
      .default({})
      .describe("Private ways to services, by service such as ecr.api, or by a service's full name"),
    tags: tagMap.default({}),
  })
  .superRefine((input, context) => {
    const report = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: "custom", path, message });
    };
    const ranges = [input.cidr, ...input.secondary_cidrs].map((text) => parseCidr(text));
    const placed: { name: string; text: string }[] = [];
    for (const [name, { cidr: text }] of Object.entries(input.subnets)) {
      const own = parseCidr(text);
      if (own === undefined) continue;
      if (!ranges.some((range) => range !== undefined && containsCidr(range, own))) {
        report(
          ["subnets", name, "cidr"],
          `${text} is not within the VPC's ${[input.cidr, ...input.secondary_cidrs].join(", ")}`,
        );
      }
      const other = placed.find((each) => overlapCidrs(parseCidr(each.text) ?? own, own));
      if (other !== undefined)
        report(["subnets", name, "cidr"], `${text} overlaps ${other.text} of subnet "${other.name}"`);
      placed.push({ name, text });
    }
    const hasPublic = Object.values(input.subnets).some((each) => each.public);
    if (input.nat_gateways !== "none" && !hasPublic) report(["nat_gateways"], "a NAT gateway needs a public subnet");
    if (input.internet_gateway === false && hasPublic) {
      report(["internet_gateway"], "a public subnet needs the internet gateway");
    }
    for (const [service, endpoint] of Object.entries(input.interface_endpoints)) {
      for (const [index, name] of endpoint.subnets.entries()) {
        if (!(name in input.subnets)) {
          report(["interface_endpoints", service, "subnets", index], `there is no subnet "${name}"`);
        }
      }
      if (endpoint.private_dns && (input.enable_dns_hostnames !== true || input.enable_dns_support === false)) {
        report(
          ["interface_endpoints", service, "private_dns"],
          "needs enable_dns_hostnames: true, or set private_dns: false",
        );
      }
    }
    if (input.enable_dns_hostnames === true && input.enable_dns_support === false) {
      report(["enable_dns_hostnames"], "host names need enable_dns_support");
    }
  });
export type VpcInput = z.output<typeof vpcInput>;
export type SubnetInput = VpcInput["subnets"][string];

const ids = z.array(z.string());
export const vpcOutputs = z.object({
  vpc_id: z.string(),
  arn: z.string(),
  state: z.string(),
  cidr: z.string(),
  region: z.string(),
  subnet_ids: z.record(z.string(), z.string()).describe("By name"),
  public_subnet_ids: ids,
  private_subnet_ids: ids,
  availability_zones: ids.describe("Zones of the subnets"),
  internet_gateway_id: z.string().optional(),
  nat_gateway_ids: ids,
  nat_public_ips: ids,
  route_table_ids: z.record(z.string(), z.string()).describe("By role: public, private, or private/zone"),
  endpoint_ids: z.record(z.string(), z.string()).describe("Of gateway and interface endpoints, by service"),
  default_security_group_id: z.string(),
  tags_all: z.record(z.string(), z.string()),
});
export type VpcOutputs = z.output<typeof vpcOutputs>;
