import type { ResourceRecordSet } from "@aws-sdk/client-route-53";
import type { DnsOutputs } from "./schema.ts";

/** A record as the outputs list it. */
export function showRecord(record: ResourceRecordSet): DnsOutputs["records"][number] {
  return {
    name: record.Name ?? "",
    type: record.Type ?? "",
    ...(record.TTL === undefined ? {} : { ttl: record.TTL }),
    values: (record.ResourceRecords ?? []).map(({ Value }) => Value ?? ""),
    ...(record.AliasTarget?.DNSName === undefined ? {} : { alias_target: record.AliasTarget.DNSName }),
  };
}
