import type { HostedZone, ResourceRecordSet, VPC, VPCRegion } from "@aws-sdk/client-route-53";
import {
  alreadyExists,
  notFound,
  ProviderFailure,
  z,
  type FieldChange,
  type Json,
  type NotFound,
  type ResourceState,
} from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import { fromRecordSet, recordKey, sameRecord, toRecordSet } from "../dns/records.ts";
import { createSet, deleteSet, findSet, parseSetId, readSet, updateSet } from "../dns/record-set.ts";
import { isAnyRegistry, zoneLabel } from "../dns/registry.ts";
import { dnsInput, dnsOutputs, normalName, zoneName, type DnsInput, type DnsOutputs } from "../dns/schema.ts";
import { showRecord } from "../dns/show.ts";
import { recordsOf, syncRecords } from "../dns/sync-records.ts";
import {
  awaitChange,
  bareId,
  changeRecords,
  findZone,
  isApexRecord,
  isZoneId,
  listRecords,
  onlyZone,
  zones,
  zonesByName,
  zoneTags,
} from "../dns/zones.ts";
import { orAbsent, orNone } from "../errors.ts";
import { creationTags, currentTags, logicalName, ownerOf, searchTags } from "../ownership.ts";
import { markPrefix, tagChanges, toPairs, userTags, type Tags } from "../tags.ts";
import { asCreated, defineAwsResource, inputsOf } from "./define.ts";

type State = ResourceState<DnsInput, DnsOutputs>;

/** What delete must know and the zone cannot say. */
const forceDestroyTag = `${markPrefix}force-destroy`;
const shownRecords = 3;

/** A Route 53 zone with its records. Its id is the zone's, with the prefix that Route 53 gives it. */
export const dns = defineAwsResource<DnsInput, DnsOutputs>({
  type: "infra.dns",
  service: "route53",
  description: "Route 53 hosted zone with its records",
  input: dnsInput,
  outputs: dnsOutputs,
  forceNew: ["domain_name", "private", "hosted_zone_id"],
  writeOnly: ["allow_overwrite"],
  unordered: ["vpcs", "records"],
  settledBy: { domain_name: "name" },
  createFirst: true,
  convergentCreate: true,
  settleMs: 10_000,
  timeouts: { create: 600_000, update: 600_000, delete: 600_000 },
  tier: 2,

  async create({ name, input }, context) {
    const cloud = aws(context);
    if (input.hosted_zone_id !== undefined) {
      return createSet(cloud, input.hosted_zone_id, input);
    }
    const domain = domainOf(name, input);
    const same = (await zonesByName(cloud, domain)).filter(
      ({ Config }) => (Config?.PrivateZone ?? false) === input.private,
    );
    const made = same.find(({ CallerReference }) => CallerReference === context.clientToken);
    const [other] = same;
    if (made === undefined && other !== undefined) {
      const owner = ownerOf(await zoneTags(cloud, other.Id ?? ""));
      return alreadyExists(
        `Zone "${domain}" is there already (${bareId(other.Id ?? "")}) and belongs to ${owner ?? "no stack"}: adopt it`,
      );
    }
    const zone = made ?? (await makeZone(cloud, domain, input));
    const id = zone.Id ?? "";
    context.partial(id, { zone_id: id });
    await sync(cloud, id, name, input);
    return asCreated(await describeNow(cloud, id), made === undefined);
  },

  async read(ref, context) {
    return readZone(ref.id === "" ? ref.name : ref.id, context);
  },

  async update(ref, { name, input }, context) {
    const cloud = aws(context);
    const set = parseSetId(ref.id);
    if (set !== undefined) return updateSet(cloud, set.zoneId, set.label, input);
    const zone = await zoneOf(cloud, ref.id);
    if (zone?.Id === undefined) return notFound(`Zone "${ref.id}" does not exist`);
    await sync(cloud, zone.Id, name, input);
    return describeNow(cloud, zone.Id);
  },

  async delete(ref, context) {
    const cloud = aws(context);
    const set = parseSetId(ref.id);
    if (set !== undefined) return deleteSet(cloud, set.zoneId, set.label);
    const zone = await zoneOf(cloud, ref.id);
    if (zone?.Id === undefined) return notFound();
    await deleteZone(cloud, zone.Id, normalName(zone.Name ?? ""));
    return undefined;
  },

  async lookup({ token }, context) {
    const cloud = aws(context);
    for await (const { Id: id = "", CallerReference: reference } of zones(cloud)) {
      if (reference === token) return describe(cloud, id, {});
    }
    return (await findSet(cloud, token)) ?? notFound();
  },

  diff({ name, input }, known, standard) {
    // A set of records has the name of its zone from the outputs only.
    const { name: zone } = known.outputs;
    const domain = typeof zone === "string" ? zone : domainOf(name, input);
    const changes = standard.changes.flatMap((change): FieldChange[] => {
      if (change.path !== "records") return [change];
      // The outputs list what is not ours as well: they are nothing to compare with.
      const before = inputsOf(known);
      return before === undefined ? [] : recordsChange(input, before["records"], domain);
    });
    return { changes };
  },

  import: (id, context) => readZone(id.replace(/^arn:[\w-]+:route53:::/, ""), context, { all: true }),

  async *list(context) {
    const cloud = aws(context);
    for await (const { Id: id = "" } of zones(cloud)) {
      const state = await describe(cloud, id, {});
      if (!("notFound" in state)) yield state;
    }
  },

  async setMarks(ref, marks, context) {
    // Its zone may be anyone's.
    if (parseSetId(ref.id) !== undefined) {
      throw new ProviderFailure("unsupported", "Records in a zone of others carry no marks");
    }
    const answer = await orAbsent(
      aws(context).route53.changeTagsForResource({
        ResourceType: "hostedzone",
        ResourceId: bareId(ref.id),
        AddTags: toPairs(marks),
      }),
    );
    return answer === undefined ? notFound() : undefined;
  },
});

function domainOf(name: string, input: DnsInput): string {
  const domain = zoneName.safeParse(input.domain_name ?? name);
  if (domain.success) return domain.data;
  throw new ProviderFailure("validation", `"${input.domain_name ?? name}" is no domain name: set domain_name`);
}

/** The change of the records, with those that differ only. Names are whole, values in their one form. */
function recordsChange(input: DnsInput, recorded: Json | undefined, domain: string): FieldChange[] {
  const before = z.array(dnsInputRecord).safeParse(recorded ?? []);
  if (!before.success) return [{ path: "records", forceNew: false, new: input.records as unknown as Json }];
  const old = new Map(
    before.data.map((record) => toRecordSet(record, domain)).map((record) => [recordKey(record), record]),
  );
  const wanted = new Map(
    input.records.map((record) => toRecordSet(record, domain)).map((record) => [recordKey(record), record]),
  );
  const differs = (
    [key, record]: readonly [string, ResourceRecordSet],
    others: ReadonlyMap<string, ResourceRecordSet>,
  ): boolean => {
    const other = others.get(key);
    return other === undefined || !sameRecord(record, other);
  };
  const show = (records: [string, ResourceRecordSet][]): Json =>
    records.map(([, record]) => fromRecordSet(record, domain)) as unknown as Json;
  const gone = [...old].filter((entry) => differs(entry, wanted));
  const come = [...wanted].filter((entry) => differs(entry, old));
  return gone.length + come.length === 0
    ? []
    : [{ path: "records", forceNew: false, old: show(gone), new: show(come) }];
}

/** A record of recorded or live inputs; loose, since it only is compared. */
const dnsInputRecord = z.custom<DnsInput["records"][number]>(
  (value) => typeof value === "object" && value !== null && "type" in value,
);

async function makeZone({ route53, context, client }: Aws, domain: string, input: DnsInput): Promise<HostedZone> {
  const [first] = input.vpcs;
  const made = await route53.createHostedZone({
    Name: domain,
    // The mark of the create call: tags come by a call of their own.
    CallerReference: context.clientToken,
    // Some stand-ins for Route 53 need both or none.
    ...(input.private || input.comment !== ""
      ? { HostedZoneConfig: { PrivateZone: input.private, Comment: input.comment } }
      : {}),
    ...(first === undefined ? {} : { VPC: toVpc(first, client.region) }),
  });
  return made.HostedZone ?? ({} as HostedZone);
}

function toVpc({ vpc_id: id, region }: DnsInput["vpcs"][number], home: string): VPC {
  return { VPCId: id, VPCRegion: (region ?? home) as VPCRegion };
}

async function sync(cloud: Aws, id: string, name: string, input: DnsInput): Promise<void> {
  const { route53, context } = cloud;
  const found = await findZone(cloud, id);
  const live = await zoneTags(cloud, id);
  const fresh = found?.HostedZone?.CallerReference === context.clientToken;
  const tags = fresh ? creationTags(context, name, input.tags) : currentTags(context, name, input.tags, live);
  const { set, remove } = tagChanges(live, { ...tags, ...(input.force_destroy ? { [forceDestroyTag]: "true" } : {}) });
  const gone = [...remove, ...(!input.force_destroy && forceDestroyTag in live ? [forceDestroyTag] : [])];
  if (Object.keys(set).length + gone.length > 0) {
    await route53.changeTagsForResource({
      ResourceType: "hostedzone",
      ResourceId: bareId(id),
      ...(Object.keys(set).length === 0 ? {} : { AddTags: toPairs(set) }),
      ...(gone.length === 0 ? {} : { RemoveTagKeys: gone }),
    });
  }
  if ((found?.HostedZone?.Config?.Comment ?? "") !== input.comment) {
    await route53.updateHostedZoneComment({ Id: bareId(id), Comment: input.comment });
  }
  await syncVpcs(cloud, id, found?.VPCs ?? [], input);
  const place = { zoneId: bareId(id), zone: normalName(found?.HostedZone?.Name ?? ""), label: zoneLabel };
  await syncRecords(cloud, place, input);
}

async function syncVpcs(cloud: Aws, id: string, live: readonly VPC[], input: DnsInput): Promise<void> {
  if (!input.private) return;
  const { route53, client } = cloud;
  const wanted = input.vpcs.map((vpc) => toVpc(vpc, client.region));
  for (const vpc of wanted.filter(({ VPCId }) => !live.some((each) => each.VPCId === VPCId))) {
    const answer = await orNone(
      route53.associateVPCWithHostedZone({ HostedZoneId: bareId(id), VPC: vpc }),
      "ConflictingDomainExists",
    );
    await awaitChange(cloud, (answer?.ChangeInfo?.Id ?? "").replace(/^\/?change\//, ""));
  }
  for (const vpc of live.filter(({ VPCId }) => !wanted.some((each) => each.VPCId === VPCId))) {
    await orAbsent(route53.disassociateVPCFromHostedZone({ HostedZoneId: bareId(id), VPC: vpc }));
  }
}

/** Deletes the zone with the records that are ours, or with all where that was asked for. */
async function deleteZone(cloud: Aws, id: string, zone: string): Promise<void> {
  const records = (await listRecords(cloud, id)).filter((record) => !isApexRecord(record, zone));
  const own = new Set(recordsOf(records, { zoneId: bareId(id), zone, label: zoneLabel }));
  const all = (await zoneTags(cloud, id))[forceDestroyTag] === "true";
  const others = all ? [] : records.filter((record) => !own.has(record));
  if (others.length > 0) {
    const names = others.slice(0, shownRecords).map(({ Name, Type }) => `${Name} ${Type}`);
    const more = others.length > shownRecords ? ` and ${others.length - shownRecords} more` : "";
    throw new ProviderFailure(
      "validation",
      `Cannot delete zone "${zone}": it holds records of others (${names.join(", ")}${more}); remove them, or apply force_destroy: true first`,
    );
  }
  await changeRecords(
    cloud,
    id,
    records.map((record) => ({ Action: "DELETE" as const, ResourceRecordSet: record })),
  );
  await orAbsent(cloud.route53.deleteHostedZone({ Id: bareId(id) }));
}

async function zoneOf(cloud: Aws, id: string): Promise<HostedZone | undefined> {
  return isZoneId(id) ? (await findZone(cloud, id))?.HostedZone : onlyZone(cloud, normalName(id));
}

async function readZone(id: string, context: Context, options: { all?: boolean } = {}): Promise<State | NotFound> {
  const cloud = aws(context);
  const set = parseSetId(id);
  if (set !== undefined) return readSet(cloud, set.zoneId, set.label);
  if (isZoneId(id)) return describe(cloud, id, options);
  const zone = await onlyZone(cloud, normalName(id));
  return zone?.Id === undefined ? notFound() : describe(cloud, zone.Id, options);
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, id: string): Promise<State> {
  const state = await describe(cloud, id, {});
  if ("notFound" in state) throw new ProviderFailure("unknown", `Zone "${id}" was deleted while it was changed`);
  const { inputs: _inputs, ...rest } = state;
  return rest;
}

async function describe(cloud: Aws, id: string, { all = false }: { all?: boolean }): Promise<State | NotFound> {
  const found = await findZone(cloud, id);
  if (found?.HostedZone === undefined) return notFound();
  const { HostedZone: zone, VPCs: vpcs = [], DelegationSet: delegation } = found;
  const [tags, records] = await Promise.all([zoneTags(cloud, id), orAbsent(listRecords(cloud, id))]);
  const { Name: domain = "", Id: zoneId = "" } = zone;
  const name = normalName(domain);
  const own = new Set(recordsOf(records ?? [], { zoneId: bareId(id), zone: name, label: zoneLabel }));
  const shown = (records ?? []).filter((record) => !isAnyRegistry(record, name));
  const isPrivate = zone.Config?.PrivateZone ?? false;
  const servers = delegation?.NameServers ?? [];
  const managed = shown.filter((record) => own.has(record) || (all && !isApexRecord(record, name)));
  return {
    id: zoneId,
    name: logicalName(tags, name),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    outputs: {
      zone_id: zoneId,
      hosted_zone_id: bareId(zoneId),
      name,
      domain_name: domain,
      domain,
      private: isPrivate,
      name_servers: servers,
      record_count: zone.ResourceRecordSetCount ?? shown.length,
      records: shown.map(showRecord),
      authority: { role: isPrivate ? "private" : "primary", dns_host: "Route53", name_servers: servers },
      tags_all: tags,
    },
    inputs: liveInputs(cloud, { zone, name, vpcs, managed, tags }),
  };
}

function liveInputs(
  { client }: Aws,
  live: { zone: HostedZone; name: string; vpcs: readonly VPC[]; managed: readonly ResourceRecordSet[]; tags: Tags },
): Partial<DnsInput> {
  const { zone, name, vpcs, managed, tags } = live;
  return {
    domain_name: name,
    comment: zone.Config?.Comment ?? "",
    private: zone.Config?.PrivateZone ?? false,
    vpcs: vpcs.map(({ VPCId, VPCRegion: region }) => ({ vpc_id: VPCId ?? "", region: region ?? client.region })),
    records: managed.map((record) => fromRecordSet(record, name)),
    force_destroy: tags[forceDestroyTag] === "true",
    tags: userTags(tags, { defaults: client.config.default_tags }),
  };
}
