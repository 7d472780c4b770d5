import { z } from "@wfctl/plugin-sdk";

const recordTypes = ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT"] as const;
const number = z.coerce.number().int().min(0);

const record = z
  .strictObject({
    type: z
      .string()
      .transform((text) => text.toUpperCase())
      .pipe(z.enum(recordTypes)),
    name: z.string().default("@").describe('Below the zone, or "@" for the zone itself'),
    data: z.string().min(1).optional(),
    value: z.string().min(1).optional().describe("Alias of data"),
    ttl: z.coerce.number().int().min(30).default(300),
    priority: number.max(65_535).optional().describe("MX and SRV"),
    port: number.max(65_535).optional().describe("SRV"),
    weight: number.max(65_535).optional().describe("SRV"),
    flags: number.max(255).optional().describe("CAA"),
    tag: z.enum(["issue", "issuewild", "iodef"]).optional().describe("CAA"),
  })
  .transform(({ value, ...rest }) => ({ ...rest, data: rest.data ?? value ?? "" }))
  .superRefine((given, { addIssue }) => {
    const fail = (path: string, message: string): void => addIssue({ code: "custom", path: [path], message });
    if (given.data === "") fail("data", "is required");
    if (given.type === "CNAME" && given.name === "@") fail("name", "a CNAME cannot stand at the zone itself");
    if (given.type === "A" && !/^(?:\d{1,3}\.){3}\d{1,3}$/.test(given.data)) fail("data", "expected an IPv4 address");
    if (given.type === "AAAA" && !given.data.includes(":")) fail("data", "expected an IPv6 address");
    if ((given.type === "MX" || given.type === "SRV") && given.priority === undefined)
      fail("priority", `is required for ${given.type}`);
    if (given.type === "SRV" && (given.port === undefined || given.weight === undefined))
      fail("port", "port and weight are required for SRV");
    if (given.type === "CAA" && (given.flags === undefined || given.tag === undefined))
      fail("tag", "flags and tag are required for CAA");
  });
export type RecordInput = z.output<typeof record>;

const absent = z.strictObject({
  type: z
    .string()
    .transform((text) => text.toUpperCase())
    .pipe(z.enum(recordTypes)),
  name: z.string(),
  data: z.string().optional(),
});
export type AbsentRecord = z.output<typeof absent>;

export const dnsInput = z.strictObject({
  domain: z
    .string()
    .regex(/^(?:[a-z0-9-]+\.)+[a-z]{2,}\.?$/i, { error: "expected a domain name" })
    .transform((text) => text.replace(/\.$/, "").toLowerCase())
    .optional()
    .describe("Default: the resource's name"),
  records: z
    .array(record)
    .default([])
    .describe("Each type and name that stands here belongs to this resource; other records of the zone are left alone"),
  absent_records: z.array(absent).default([]).describe("Deleted where they are, whoever made them"),
});
export type DnsInput = z.output<typeof dnsInput>;

const liveRecord = z.object({
  id: z.number(),
  type: z.string(),
  name: z.string(),
  data: z.string(),
  ttl: z.number(),
  priority: z.number().optional(),
  port: z.number().optional(),
  weight: z.number().optional(),
  flags: z.number().optional(),
  tag: z.string().optional(),
});
export type LiveRecord = z.output<typeof liveRecord>;

export const dnsOutputs = z.object({
  domain: z.string(),
  ttl: z.number(),
  zone_file: z.string(),
  record_count: z.number(),
  records: z.array(liveRecord),
  managed: z.array(z.string()),
  authoritative_nameservers: z.array(z.string()),
  authority: z.object({ role: z.string(), dns_host: z.string(), name_servers: z.array(z.string()) }),
  urn: z.string(),
});
export type DnsOutputs = z.output<typeof dnsOutputs>;
