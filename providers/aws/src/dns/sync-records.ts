import type { Change, ResourceRecordSet } from "@aws-sdk/client-route-53";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { recordKey, sameRecord, toRecordSet, unescapeName } from "./records.ts";
import { digestOf, isRegistry, readRegistry, registryRecords } from "./registry.ts";
import type { DnsInput } from "./schema.ts";
import { changeRecords, listRecords } from "./zones.ts";

/** Where records are, and whose. */
export interface RecordPlace {
  readonly zoneId: string;
  readonly zone: string;
  /** Of the registry that says which records are the resource's. */
  readonly label: string;
}

/** Makes, changes and removes the records of a configuration, and notes which ones are ours. */
export async function syncRecords(cloud: Aws, place: RecordPlace, input: DnsInput): Promise<void> {
  const live = await listRecords(cloud, place.zoneId);
  const changes = planChanges(live, place, input);
  if (changes.length > 0) await changeRecords(cloud, place.zoneId, changes);
}

/** Records of a place, its registry included: what goes with the resource. */
export function recordsOf(live: readonly ResourceRecordSet[], { zone, label }: RecordPlace): ResourceRecordSet[] {
  const own = readRegistry(live, zone, label);
  return live.filter((record) => own.has(digestOf(record)) || isRegistry(record, zone, label));
}

/** The changes, those of the registry first: where they do not fit one batch, what is made is never unknown to it. */
function planChanges(live: readonly ResourceRecordSet[], place: RecordPlace, input: DnsInput): Change[] {
  const { zone, label } = place;
  const own = readRegistry(live, zone, label);
  const liveByKey = new Map(live.map((record) => [recordKey(record), record]));
  const wanted = input.records.map((record) => toRecordSet(record, zone));
  const wantedKeys = new Set(wanted.map(recordKey));
  const changes: Change[] = [];
  for (const record of live) {
    if (own.has(digestOf(record)) && !wantedKeys.has(recordKey(record)) && !isRegistry(record, zone, label)) {
      changes.push({ Action: "DELETE", ResourceRecordSet: record });
    }
  }
  for (const record of wanted) {
    const found = liveByKey.get(recordKey(record));
    if (found !== undefined && sameRecord(found, record)) continue;
    if (found !== undefined && !own.has(digestOf(record)) && !input.allow_overwrite && !isApexNs(record, zone)) {
      throw new ProviderFailure(
        "validation",
        `Record ${record.Name} ${record.Type} is there already and is not of this resource: remove it, or set allow_overwrite`,
      );
    }
    changes.push({ Action: "UPSERT", ResourceRecordSet: record });
  }
  return [...registryChanges(live, place, wanted), ...changes];
}

function registryChanges(
  live: readonly ResourceRecordSet[],
  { zone, label }: RecordPlace,
  wanted: readonly ResourceRecordSet[],
): Change[] {
  const before = live.filter((record) => isRegistry(record, zone, label));
  const after = registryRecords(wanted.map(digestOf), zone, label);
  const names = new Set(after.map(({ Name }) => Name));
  const liveByName = new Map(before.map((record) => [unescapeName(record.Name ?? ""), record]));
  return [
    ...after
      .filter((record) => {
        const found = liveByName.get(record.Name ?? "");
        return found === undefined || !sameRecord(found, record);
      })
      .map((record): Change => ({ Action: "UPSERT", ResourceRecordSet: record })),
    ...before
      .filter((record) => !names.has(unescapeName(record.Name ?? "")))
      .map((record): Change => ({ Action: "DELETE", ResourceRecordSet: record })),
  ];
}

/** The zone's own name servers may be given another ttl. */
function isApexNs(record: ResourceRecordSet, zone: string): boolean {
  return record.Type === "NS" && record.Name === zone;
}
