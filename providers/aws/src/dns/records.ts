import type { ResourceRecordSet } from "@aws-sdk/client-route-53";
import { defined, isSame } from "../json.ts";
import { normalName, type RecordInput } from "./schema.ts";

const defaultTtl = 300;
/** Longest string in a TXT record; a longer text is several strings. */
const maxString = 255;
const hosts: ReadonlySet<string> = new Set(["CNAME", "MX", "NS", "PTR", "SRV"]);

/** A whole name: `www` of `example.com` is `www.example.com`. */
function fullName(name: string, zone: string): string {
  const own = normalName(name);
  if (own === "@" || own === "" || own === zone) return zone;
  return own.endsWith(`.${zone}`) ? own : `${own}.${zone}`;
}

/** What tells a record from all others of the zone. */
export function recordKey(record: Pick<ResourceRecordSet, "Name" | "Type" | "SetIdentifier">): string {
  return [unescapeName(record.Name ?? ""), record.Type, record.SetIdentifier ?? ""].join(" ");
}

/** Route 53 shows `*` and others as octal escapes. */
export function unescapeName(name: string): string {
  return normalName(
    name.replaceAll(/\\(\d{3})/g, (_all, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8))),
  );
}

/** A record as Route 53 takes it, with values in their one form. */
export function toRecordSet(record: RecordInput, zone: string): ResourceRecordSet {
  const { alias } = record;
  return defined({
    Name: fullName(record.name, zone),
    Type: record.type,
    TTL: alias === undefined ? (record.ttl ?? defaultTtl) : undefined,
    ResourceRecords: record.values?.map((value) => ({ Value: normalValue(record.type, value) })),
    AliasTarget:
      alias === undefined
        ? undefined
        : {
            DNSName: normalName(alias.name),
            HostedZoneId: alias.zone_id,
            EvaluateTargetHealth: alias.evaluate_target_health,
          },
    SetIdentifier: record.set_identifier,
    Weight: record.weight,
    Region: record.latency_region as ResourceRecordSet["Region"],
    Failover: record.failover,
    GeoLocation:
      record.country === undefined && record.continent === undefined
        ? undefined
        : defined({ CountryCode: record.country, ContinentCode: record.continent }),
    MultiValueAnswer: record.multivalue,
    HealthCheckId: record.health_check_id,
  });
}

/** A live record as the input has it. Names are relative to the zone. */
export function fromRecordSet(live: ResourceRecordSet, zone: string): RecordInput {
  const name = unescapeName(live.Name ?? "");
  const alias = live.AliasTarget;
  return defined({
    name: name === zone ? "@" : name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1) : name,
    type: live.Type as RecordInput["type"],
    ttl: live.TTL,
    values: live.ResourceRecords?.map(({ Value }) => Value ?? ""),
    alias:
      alias === undefined
        ? undefined
        : {
            name: normalName(alias.DNSName ?? ""),
            zone_id: alias.HostedZoneId ?? "",
            evaluate_target_health: alias.EvaluateTargetHealth ?? false,
          },
    set_identifier: live.SetIdentifier,
    weight: live.Weight,
    latency_region: live.Region,
    failover: live.Failover,
    country: live.GeoLocation?.CountryCode,
    continent: live.GeoLocation?.ContinentCode,
    multivalue: live.MultiValueAnswer === true ? true : undefined,
    health_check_id: live.HealthCheckId,
  }) as RecordInput;
}

/** True where two records say the same, whatever the order of their values. */
export function sameRecord(a: ResourceRecordSet, b: ResourceRecordSet): boolean {
  return isSame(comparable(a), comparable(b));
}

function comparable(record: ResourceRecordSet) {
  return {
    ...record,
    Name: unescapeName(record.Name ?? ""),
    ResourceRecords: record.ResourceRecords?.map(({ Value }) => normalValue(record.Type ?? "", Value ?? "")).toSorted(),
    AliasTarget:
      record.AliasTarget === undefined
        ? undefined
        : { ...record.AliasTarget, DNSName: normalName(record.AliasTarget.DNSName ?? "") },
    MultiValueAnswer: record.MultiValueAnswer === true ? true : undefined,
  };
}

/** Quotes what a user wrote as plain text, and brings names to one form. */
function normalValue(type: string, value: string): string {
  if (type === "TXT" || type === "SPF") return value.startsWith('"') ? value : quoteText(value);
  if (!hosts.has(type)) return value;
  const parts = value.trim().split(/\s+/);
  const host = parts.pop() ?? "";
  return [...parts, normalName(host)].join(" ");
}

function quoteText(text: string): string {
  const strings: string[] = [];
  for (let start = 0; start === 0 || start < text.length; start += maxString) {
    strings.push(`"${text.slice(start, start + maxString).replaceAll(/["\\]/g, (each) => `\\${each}`)}"`);
  }
  return strings.join(" ");
}
