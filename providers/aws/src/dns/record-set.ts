import type { ResourceRecordSet } from "@aws-sdk/client-route-53";
import { notFound, ProviderFailure, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { asCreated } from "../resources/define.ts";
import { fromRecordSet } from "./records.ts";
import { isRegistry, setLabel } from "./registry.ts";
import { normalName, type DnsInput, type DnsOutputs } from "./schema.ts";
import { showRecord } from "./show.ts";
import { recordsOf, syncRecords, type RecordPlace } from "./sync-records.ts";
import { bareId, changeRecords, findZone, listRecords, zones } from "./zones.ts";

type State = ResourceState<DnsInput, DnsOutputs>;

/**
 * Records in a zone that another resource, or no stack at all, looks after: what must come after something that itself
 * needs the zone, such as the alias of a load balancer whose certificate is validated there.
 */

/** The zone and the label that the id of a set holds; undefined where it is the id of a zone. */
export function parseSetId(id: string): { zoneId: string; label: string } | undefined {
  const [, zone, label] = /^\/hostedzone\/([A-Z0-9]+)\/records\/(r[0-9a-f]{8})$/.exec(id) ?? [];
  return zone === undefined || label === undefined ? undefined : { zoneId: zone, label: `_wfctl-${label}` };
}

export async function createSet(cloud: Aws, zoneId: string, input: DnsInput): Promise<State> {
  const { context } = cloud;
  const place = await placeOf(cloud, zoneId, setLabel(context.clientToken));
  if (place === undefined) throw new ProviderFailure("validation", `Zone "${zoneId}" of hosted_zone_id does not exist`);
  context.partial(idOf(place), { zone_id: `/hostedzone/${place.zoneId}` });
  const isNew = recordsOf(await listRecords(cloud, place.zoneId), place).length === 0;
  await syncRecords(cloud, place, input);
  return asCreated(await describeNow(cloud, place), isNew);
}

export async function readSet(cloud: Aws, zoneId: string, label: string): Promise<State | NotFound> {
  const place = await placeOf(cloud, zoneId, label);
  return place === undefined ? notFound() : describe(cloud, place);
}

export async function updateSet(cloud: Aws, zoneId: string, label: string, input: DnsInput): Promise<State | NotFound> {
  const place = await placeOf(cloud, zoneId, label);
  if (place === undefined) return notFound(`Zone "${zoneId}" does not exist`);
  await syncRecords(cloud, place, input);
  return describeNow(cloud, place);
}

export async function deleteSet(cloud: Aws, zoneId: string, label: string): Promise<void> {
  const place = await placeOf(cloud, zoneId, label);
  if (place === undefined) return;
  const own = recordsOf(await listRecords(cloud, zoneId), place);
  const changes = own.map((record) => ({ Action: "DELETE" as const, ResourceRecordSet: record }));
  await changeRecords(cloud, zoneId, changes);
}

/** The set that this token made, in whichever zone. */
export async function findSet(cloud: Aws, token: string): Promise<State | undefined> {
  const label = setLabel(token);
  for await (const { Id: id = "", Name: name = "" } of zones(cloud)) {
    const { ResourceRecordSets: [found] = [] } = await cloud.route53.listResourceRecordSets({
      HostedZoneId: bareId(id),
      StartRecordName: `${label}.${name}`,
      StartRecordType: "TXT",
      MaxItems: 1,
    });
    if (found === undefined || !isRegistry(found, normalName(name), label)) continue;
    const state = await readSet(cloud, bareId(id), label);
    if (!("notFound" in state)) return state;
  }
  return undefined;
}

function idOf({ zoneId, label }: RecordPlace): string {
  return `/hostedzone/${zoneId}/records/${label.slice("_wfctl-".length)}`;
}

async function placeOf(cloud: Aws, zoneId: string, label: string): Promise<RecordPlace | undefined> {
  const zone = (await findZone(cloud, zoneId))?.HostedZone;
  return zone === undefined ? undefined : { zoneId: bareId(zoneId), zone: normalName(zone.Name ?? ""), label };
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, place: RecordPlace): Promise<State> {
  const state = await describe(cloud, place);
  if ("notFound" in state)
    throw new ProviderFailure("unknown", `Records of "${place.zone}" were deleted while they were changed`);
  const { inputs: _inputs, ...rest } = state;
  return rest;
}

async function describe(cloud: Aws, place: RecordPlace): Promise<State | NotFound> {
  const { zoneId, zone, label } = place;
  const [found, all] = await Promise.all([findZone(cloud, zoneId), orAbsent(listRecords(cloud, zoneId))]);
  const own = recordsOf(all ?? [], place);
  if (found?.HostedZone === undefined || !own.some((record) => isRegistry(record, zone, label))) return notFound();
  const shown = own.filter((record: ResourceRecordSet) => !isRegistry(record, zone, label));
  const servers = found.DelegationSet?.NameServers ?? [];
  const isPrivate = found.HostedZone.Config?.PrivateZone ?? false;
  return {
    id: idOf(place),
    outputs: {
      zone_id: `/hostedzone/${zoneId}`,
      hosted_zone_id: zoneId,
      name: zone,
      domain_name: `${zone}.`,
      domain: `${zone}.`,
      private: isPrivate,
      name_servers: servers,
      record_count: shown.length,
      records: shown.map(showRecord),
      authority: { role: isPrivate ? "private" : "primary", dns_host: "Route53", name_servers: servers },
      tags_all: {},
    },
    inputs: { hosted_zone_id: zoneId, records: shown.map((record) => fromRecordSet(record, zone)) },
  };
}
