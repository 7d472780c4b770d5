import { alreadyExists, notFound, ProviderFailure, type ResourceState } from "@wfctl/plugin-sdk";
import { api, collect, type Context } from "../calls.ts";
import { planRecords, setOf } from "../dns/normal.ts";
import {
  dnsInput,
  dnsOutputs,
  type DnsInput,
  type DnsOutputs,
  type LiveRecord,
  type RecordInput,
} from "../dns/schema.ts";
import { getZone, isMark, listRecords, readMark, syncZone, writeZoneOwner, type Zone } from "../dns/zone.ts";
import { orAbsent } from "../errors.ts";
import { scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

type State = ResourceState<DnsInput, DnsOutputs>;

/** A domain and its records. Its id is the domain's name. */
export const dns = defineDoResource<DnsInput, DnsOutputs>({
  type: "infra.dns",
  description: "DNS zone with records",
  input: dnsInput,
  outputs: dnsOutputs,
  forceNew: ["domain"],
  unordered: ["records", "absent_records"],
  permissions: scopes("domain"),
  timeouts: { create: 600_000, update: 600_000, delete: 120_000 },

  async create({ name, input }, context) {
    const domain = domainOf(input, name);
    if ((await getZone(context, domain)) !== undefined) {
      const { owner } = readMark(await listRecords(context, domain));
      return alreadyExists(`Domain "${domain}" is there already and belongs to ${owner ?? "no stack"}: adopt it`);
    }
    await api(context).post("domains", { name: domain });
    context.partial(domain);
    await syncZone(context, domain, input);
    const zone = await getZone(context, domain);
    return { ...(await describe(context, zone ?? { name: domain, ttl: 1800, zone_file: null })), created: true };
  },

  async read(ref, context) {
    const zone = await getZone(context, ref.id === "" ? ref.name : ref.id);
    return zone === undefined ? notFound() : describe(context, zone);
  },

  async update(ref, { input }, context) {
    const zone = await getZone(context, ref.id === "" ? ref.name : ref.id);
    if (zone === undefined) return notFound();
    await syncZone(context, zone.name, input);
    return describe(context, (await getZone(context, zone.name)) ?? zone);
  },

  async delete(ref, context) {
    const gone = await orAbsent(
      api(context)
        .delete(`domains/${encodeURIComponent(ref.id === "" ? ref.name : ref.id)}`)
        .then(() => true),
    );
    return gone === undefined ? notFound() : undefined;
  },

  async *list(context) {
    for (const zone of await collect(api(context).list<Zone>("domains", "domains"))) yield describe(context, zone);
  },

  async setOwner(ref, owner, context) {
    const zone = await getZone(context, ref.id === "" ? ref.name : ref.id);
    if (zone === undefined) return notFound();
    await writeZoneOwner(context, zone.name, owner);
    return undefined;
  },

  diff({ input }, { id, outputs }, standard) {
    const rest = standard.changes.filter(({ path }) => !["records", "absent_records"].includes(path.split(".")[0]!));
    const live = (outputs["records"] ?? []) as unknown as readonly LiveRecord[];
    const managed = (outputs["managed"] ?? []) as readonly string[];
    // Records that hold a reference cannot be told apart yet: they count as different.
    const domain = typeof outputs["domain"] === "string" ? outputs["domain"] : id;
    // A configuration that holds references may be without what its schema fills in.
    const { records = [], absent_records: absent = [] } = input as Partial<DnsInput>;
    const { remove, edit, add } = planRecords(domain, live, records, managed, absent);
    if (remove.length + edit.length + add.length === 0) return { changes: rest };
    const shown = (records: readonly { type: string; name: string; data: string }[]) =>
      records.map(({ type, name, data }) => ({ type, name, data }));
    const old = shown([...remove, ...edit.map((each) => each.live)]);
    const wanted = shown([...edit.map((each) => each.wanted), ...add]);
    return { changes: [...rest, { path: "records", forceNew: false, old, new: wanted }] };
  },
});

function domainOf(input: DnsInput, name: string): string {
  const domain = input.domain ?? name.toLowerCase();
  if (domain.includes(".")) return domain;
  throw new ProviderFailure("validation", `domain: is required, as "${name}" is no domain name`);
}

async function describe(context: Context, zone: Zone): Promise<State> {
  const all = await listRecords(context, zone.name);
  const { owner, managed } = readMark(all);
  const records = all.filter((record) => !isMark(record));
  const hosts = records.filter(({ type, name }) => type === "NS" && name === "@").map(({ data }) => data);
  // Without a mark, as on an import, all are shown but those that every zone has.
  const isOwn = (record: LiveRecord): boolean =>
    all.some(isMark)
      ? managed.includes(setOf(record, zone.name))
      : record.type !== "SOA" && !(record.type === "NS" && record.name === "@");
  return {
    id: zone.name,
    name: zone.name,
    owner,
    outputs: {
      domain: zone.name,
      ttl: zone.ttl ?? 1800,
      zone_file: zone.zone_file ?? "",
      record_count: records.length,
      records,
      managed: [...managed],
      authoritative_nameservers: hosts,
      authority: { role: "authoritative_dns", dns_host: "DigitalOcean", name_servers: hosts },
      urn: `do:domain:${zone.name}`,
    },
    inputs: {
      domain: zone.name,
      records: records.filter(isOwn).map(({ id: _, ...record }) => record as unknown as RecordInput),
    },
  };
}
