import type { Change, HostedZone, ResourceRecordSet } from "@aws-sdk/client-route-53";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { chunk, collect, each } from "../paging.ts";
import { fromPairs, type Tags } from "../tags.ts";
import { awaitThat } from "../waiting.ts";
import { normalName } from "./schema.ts";

/** Changes of one batch: an UPSERT counts as two, and Route 53 takes a thousand. */
const batchSize = 400;

export const bareId = (id: string): string => id.replace(/^\/?hostedzone\//, "");
export const isZoneId = (text: string): boolean => /^(?:\/?hostedzone\/[A-Z0-9]+|[A-Z0-9]{10,32})$/.test(text);

export async function findZone({ route53 }: Aws, id: string) {
  return orAbsent(route53.getHostedZone({ Id: bareId(id) }));
}

export function zones({ route53 }: Aws): AsyncGenerator<HostedZone> {
  return each(async (marker) => {
    const page = await route53.listHostedZones(marker === undefined ? {} : { Marker: marker });
    return [page.HostedZones, page.IsTruncated === true ? page.NextMarker : undefined] as const;
  });
}

/** Zones of exactly this name. */
export async function zonesByName({ route53 }: Aws, name: string): Promise<HostedZone[]> {
  const found: HostedZone[] = [];
  let from: { DNSName: string; HostedZoneId?: string } | undefined = { DNSName: name };
  while (from !== undefined) {
    const page = await route53.listHostedZonesByName(from);
    const own = (page.HostedZones ?? []).filter((zone) => normalName(zone.Name ?? "") === name);
    found.push(...own);
    const next = page.NextDNSName ?? "";
    const goesOn = page.IsTruncated === true && normalName(next) === name;
    from = goesOn
      ? { DNSName: next, ...(page.NextHostedZoneId === undefined ? {} : { HostedZoneId: page.NextHostedZoneId }) }
      : undefined;
  }
  return found;
}

export async function zoneTags({ route53 }: Aws, id: string): Promise<Tags> {
  const answer = await orAbsent(route53.listTagsForResource({ ResourceType: "hostedzone", ResourceId: bareId(id) }));
  return fromPairs(answer?.ResourceTagSet?.Tags);
}

export async function listRecords({ route53 }: Aws, id: string): Promise<ResourceRecordSet[]> {
  return collect(async (token) => {
    const from = token === undefined ? {} : (JSON.parse(token) as object);
    const page = await route53.listResourceRecordSets({ HostedZoneId: bareId(id), ...from });
    const next = {
      StartRecordName: page.NextRecordName,
      StartRecordType: page.NextRecordType,
      StartRecordIdentifier: page.NextRecordIdentifier,
    };
    return [page.ResourceRecordSets, page.IsTruncated === true ? JSON.stringify(next) : undefined] as const;
  });
}

/** Records that come and go with the zone itself. */
export function isApexRecord({ Name: name = "", Type: type }: ResourceRecordSet, zone: string): boolean {
  return normalName(name) === zone && (type === "NS" || type === "SOA");
}

/** Makes the changes and waits until all name servers know them. */
export async function changeRecords(cloud: Aws, id: string, changes: readonly Change[]): Promise<void> {
  const { route53, context } = cloud;
  for (const some of chunk(changes, batchSize)) {
    const answer = await route53.changeResourceRecordSets({
      HostedZoneId: bareId(id),
      ChangeBatch: { Changes: some },
    });
    const changeId = (answer.ChangeInfo?.Id ?? "").replace(/^\/?change\//, "");
    await awaitChange(cloud, changeId);
  }
  context.signal.throwIfAborted();
}

export async function awaitChange({ route53, context }: Aws, changeId: string): Promise<void> {
  if (changeId === "") return;
  await awaitThat(context, "the name servers to be in sync", async () => {
    const { ChangeInfo: info } = await route53.getChange({ Id: changeId });
    return info?.Status === "INSYNC" ? true : undefined;
  });
}

/** The one zone of a name; of public and private ones of the same name the public one. */
export async function onlyZone(cloud: Aws, name: string): Promise<HostedZone | undefined> {
  const all = await zonesByName(cloud, name);
  const open = all.filter(({ Config }) => Config?.PrivateZone !== true);
  const candidates = open.length > 0 ? open : all;
  if (candidates.length > 1) {
    const ids = candidates.map(({ Id }) => bareId(Id ?? "")).join(", ");
    throw new ProviderFailure(
      "validation",
      `${candidates.length} zones are called "${name}" (${ids}): give the id of the one that is meant`,
    );
  }
  return candidates[0];
}
