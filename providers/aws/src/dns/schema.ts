import { z } from "@wfctl/plugin-sdk";
import { endpointInput, nativeId } from "../ids.ts";
import { tagMap } from "../tags.ts";

/** Lower case, without the dot at the end. */
export const normalName = (name: string): string => name.toLowerCase().replace(/\.$/, "");

export const zoneName = z
  .string()
  .overwrite(normalName)
  .regex(/^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9-]{2,63}$/, {
    error: 'expected a domain name such as "example.com"',
  });

const recordTypes = [
  "A",
  "AAAA",
  "CAA",
  "CNAME",
  "DS",
  "HTTPS",
  "MX",
  "NAPTR",
  "NS",
  "PTR",
  "SPF",
  "SRV",
  "SSHFP",
  "SVCB",
  "TLSA",
  "TXT",
] as const;

const record = z
  .strictObject({
    name: z.string().default("@").describe("Relative to the zone, or whole; @ is the zone itself"),
    type: z.enum(recordTypes),
    ttl: z.number().int().min(0).max(2_147_483_647).optional().describe("Seconds. Default: 300"),
    values: z.array(z.string().min(1)).min(1).optional(),
    alias: z
      .strictObject({
        name: z.string().min(1).describe("Such as dns_name of a load balancer"),
        zone_id: z.string().overwrite((id) => id.replace(/^\/?hostedzone\//, "")),
        evaluate_target_health: z.boolean().default(false),
      })
      .optional(),
    set_identifier: z.string().min(1).max(128).optional().describe("Tells records of one name and type apart"),
    weight: z.number().int().min(0).max(255).optional(),
    latency_region: z.string().optional(),
    failover: z.enum(["PRIMARY", "SECONDARY"]).optional(),
    country: z.string().optional().describe("Two letters, or * for all others"),
    continent: z.string().length(2).optional(),
    multivalue: z.literal(true).optional(),
    health_check_id: z.string().optional(),
  })
  .superRefine((each, context) => {
    const report = (message: string, path: string[] = []) => context.addIssue({ code: "custom", path, message });
    if ((each.values === undefined) === (each.alias === undefined)) report("expected either values or alias");
    if (each.alias !== undefined && each.ttl !== undefined) report("an alias has no ttl of its own", ["ttl"]);
    const policies = [each.weight, each.latency_region, each.failover, each.country ?? each.continent, each.multivalue];
    const used = policies.filter((one) => one !== undefined).length;
    if (used > 1) report("expected one of weight, latency_region, failover, country or continent, and multivalue");
    if (used === 1 && each.set_identifier === undefined) report("needs set_identifier", ["set_identifier"]);
    if (used === 0 && each.set_identifier !== undefined) report("needs a policy, such as weight", ["set_identifier"]);
    if (each.type === "CNAME" && (each.values?.length ?? 1) > 1) report("a CNAME has one value", ["values"]);
  });
export type RecordInput = z.output<typeof record>;

export const dnsInput = z
  .strictObject({
    domain_name: zoneName.optional().describe("Default: the resource's name"),
    domain: zoneName.optional().describe("As domain_name"),
    hosted_zone_id: z
      .string()
      .overwrite((id) => id.replace(/^\/?hostedzone\//, ""))
      .optional()
      .describe("A zone that is there already: the resource is records in it, and no zone of its own"),
    endpoint: endpointInput,
    comment: z.string().max(256).default(""),
    private: z.boolean().default(false),
    vpcs: z
      .array(z.strictObject({ vpc_id: nativeId("vpc-0123"), region: z.string().optional() }))
      .default([])
      .describe("VPCs in which a private zone is seen"),
    records: z.array(record).default([]).describe("Records that are made, changed and removed; others are left alone"),
    allow_overwrite: z.boolean().default(false).describe("Take over records that are there already with other values"),
    force_destroy: z.boolean().default(false).describe("Delete records of others with the zone"),
    tags: tagMap.refine((tags) => Object.keys(tags).length <= 5, { error: "expected at most 5 tags" }).default({}),
  })
  .superRefine((input, context) => {
    if (input.private && input.vpcs.length === 0) {
      context.addIssue({ code: "custom", path: ["vpcs"], message: "a private zone needs a VPC" });
    }
    if (!input.private && input.vpcs.length > 0) {
      context.addIssue({ code: "custom", path: ["vpcs"], message: "only private zones have VPCs" });
    }
    if (input.hosted_zone_id !== undefined) {
      const isZone = input.private || input.comment !== "" || Object.keys(input.tags).length > 0 || input.force_destroy;
      const message = "is for records: comment, private, tags and force_destroy are of the zone";
      if (isZone) context.addIssue({ code: "custom", path: ["hosted_zone_id"], message });
      if (input.records.length === 0) {
        context.addIssue({ code: "custom", path: ["records"], message: "expected a record" });
      }
    }
    const keys = new Set<string>();
    for (const [index, each] of input.records.entries()) {
      const isApex = ["@", "", input.domain_name ?? input.domain].includes(normalName(each.name));
      if (isApex && each.type === "CNAME") {
        const message = "the zone itself cannot be a CNAME: use an alias";
        context.addIssue({ code: "custom", path: ["records", index, "type"], message });
      }
      const key = [normalName(each.name), each.type, each.set_identifier].join(" ");
      if (keys.has(key)) {
        context.addIssue({
          code: "custom",
          path: ["records", index],
          message: `${each.name} ${each.type} is there twice`,
        });
      }
      keys.add(key);
    }
  })
  .transform(({ domain, ...input }) => ({
    ...input,
    ...(input.domain_name === undefined && domain !== undefined ? { domain_name: domain } : {}),
  }));
export type DnsInput = z.output<typeof dnsInput>;

const liveRecord = z.object({
  name: z.string(),
  type: z.string(),
  ttl: z.number().optional(),
  values: z.array(z.string()),
  alias_target: z.string().optional(),
});

export const dnsOutputs = z.object({
  zone_id: z.string().describe("With the prefix /hostedzone/"),
  hosted_zone_id: z.string(),
  name: z.string(),
  domain_name: z.string().describe("With a dot at the end"),
  domain: z.string().describe("As domain_name"),
  private: z.boolean(),
  name_servers: z.array(z.string()),
  record_count: z.number(),
  records: z.array(liveRecord),
  authority: z.object({ role: z.string(), dns_host: z.string(), name_servers: z.array(z.string()) }),
  tags_all: z.record(z.string(), z.string()),
});
export type DnsOutputs = z.output<typeof dnsOutputs>;
