import type { ResourceRecordSet } from "@aws-sdk/client-route-53";
import { shortHash } from "../naming.ts";
import { recordKey, unescapeName } from "./records.ts";

/**
 * Which records of a zone are ours is kept in the zone itself, as TXT records beside them: records carry no tags. They
 * change in the same batch as the records that they tell of, so that they are never wrong. They hold digests only.
 * Each resource has its own, by label: the zone's, and one for each set of records in a zone.
 */
export const zoneLabel = "_wfctl";
/** Label of a set of records, which the token of its create gives. */
export const setLabel = (token: string): string => `${zoneLabel}-r${shortHash(token)}`;

const digestLength = 8;
const digestsInString = 28;
const digestsInRecord = 380;

export function digestOf(record: Pick<ResourceRecordSet, "Name" | "Type" | "SetIdentifier">): string {
  return shortHash(recordKey(record), digestLength);
}

/** True for the records of a label: `_wfctl`, and `_wfctl-1` and so on where one has not enough room. */
export function isRegistry(record: ResourceRecordSet, zone: string, label: string): boolean {
  if (record.Type !== "TXT") return false;
  const name = unescapeName(record.Name ?? "");
  if (!name.endsWith(`.${zone}`)) return false;
  const own = name.slice(0, -zone.length - 1);
  return own === label || (own.startsWith(`${label}-`) && /^\d{1,3}$/.test(own.slice(label.length + 1)));
}

/** True for the registry of any resource. */
export function isAnyRegistry(record: ResourceRecordSet, zone: string): boolean {
  return record.Type === "TXT" && /^_wfctl(?:-|\.)/.test(unescapeName(record.Name ?? "").replace(`.${zone}`, "."));
}

/** Digests of the records that are of a label's resource. */
export function readRegistry(records: readonly ResourceRecordSet[], zone: string, label: string): Set<string> {
  const texts = records
    .filter((record) => isRegistry(record, zone, label))
    .flatMap(({ ResourceRecords: values = [] }) => values.map(({ Value }) => Value ?? ""));
  return new Set(texts.flatMap((text) => text.match(/[0-9a-f]{8}/g) ?? []));
}

/** The records that keep these digests; none where there are none. */
export function registryRecords(digests: readonly string[], zone: string, label: string): ResourceRecordSet[] {
  const sorted = digests.toSorted();
  const records: ResourceRecordSet[] = [];
  for (let start = 0; start < sorted.length; start += digestsInRecord) {
    const own = sorted.slice(start, start + digestsInRecord);
    const strings: string[] = [];
    for (let at = 0; at < own.length; at += digestsInString) {
      strings.push(`"${own.slice(at, at + digestsInString).join(",")}"`);
    }
    const name = records.length === 0 ? label : `${label}-${records.length}`;
    records.push({ Name: `${name}.${zone}`, Type: "TXT", TTL: 300, ResourceRecords: [{ Value: strings.join(" ") }] });
  }
  return records;
}
