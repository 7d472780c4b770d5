import type { ResourceRecordSet } from "@aws-sdk/client-route-53";
import { shortHash } from "../naming.ts";
import { recordKey, unescapeName } from "./records.ts";

/**
 * Which records of a zone are ours is kept in the zone itself, as TXT records beside them: records carry no tags. They
 * change in the same batch as the records that they tell of, so that they are never wrong. They hold digests only.
 */
const label = "_wfctl";
const digestLength = 8;
const digestsInString = 28;
const digestsInRecord = 380;

export function digestOf(record: Pick<ResourceRecordSet, "Name" | "Type" | "SetIdentifier">): string {
  return shortHash(recordKey(record), digestLength);
}

export function isRegistry(record: ResourceRecordSet, zone: string): boolean {
  const name = unescapeName(record.Name ?? "");
  return record.Type === "TXT" && (name === `${label}.${zone}` || /^_wfctl-\d+$/.test(name.replace(`.${zone}`, "")));
}

/** Digests of the records that are ours. */
export function readRegistry(records: readonly ResourceRecordSet[], zone: string): Set<string> {
  const texts = records
    .filter((record) => isRegistry(record, zone))
    .flatMap(({ ResourceRecords: values = [] }) => values.map(({ Value }) => Value ?? ""));
  return new Set(texts.flatMap((text) => text.match(/[0-9a-f]{8}/g) ?? []));
}

/** The records that keep these digests; none where there are none. */
export function registryRecords(digests: readonly string[], zone: string): ResourceRecordSet[] {
  const sorted = digests.toSorted();
  const records: ResourceRecordSet[] = [];
  for (let start = 0; start < sorted.length; start += digestsInRecord) {
    const own = sorted.slice(start, start + digestsInRecord);
    const strings: string[] = [];
    for (let at = 0; at < own.length; at += digestsInString)
      strings.push(`"${own.slice(at, at + digestsInString).join(",")}"`);
    const name = records.length === 0 ? label : `${label}-${records.length}`;
    records.push({ Name: `${name}.${zone}`, Type: "TXT", TTL: 300, ResourceRecords: [{ Value: strings.join(" ") }] });
  }
  return records;
}
