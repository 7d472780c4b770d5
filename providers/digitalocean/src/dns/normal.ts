import type { AbsentRecord, LiveRecord, RecordInput } from "./schema.ts";

/** Types whose data is the name of a host. */
const hostTypes: ReadonlySet<string> = new Set(["CNAME", "MX", "NS", "SRV", "CAA"]);

/** A name below the zone, or `@`, in lower case. */
export function normalName(name: string, domain: string): string {
  const plain = name.replace(/\.$/, "").toLowerCase();
  if (plain === "" || plain === "@" || plain === domain) return "@";
  return plain.endsWith(`.${domain}`) ? plain.slice(0, -domain.length - 1) : plain;
}

/** Data as it is compared: names of hosts whole, without the last dot; texts without quotes around them. */
function normalData(type: string, data: string, domain: string): string {
  if (type === "TXT") return data.replace(/^"([\s\S]*)"$/, "$1");
  if (type === "AAAA") return data.toLowerCase();
  if (!hostTypes.has(type)) return data;
  if (type === "CAA" && data.includes(":")) return data;
  if (data === "@") return domain;
  const plain = data.toLowerCase();
  if (plain.endsWith(".")) return plain.slice(0, -1);
  return plain.includes(".") ? plain : `${plain}.${domain}`;
}

/** Data as the API wants it: names of hosts end in a dot. */
export function wireData(type: string, data: string, domain: string): string {
  const plain = normalData(type, data, domain);
  return hostTypes.has(type) && !(type === "CAA" && plain.includes(":")) ? `${plain}.` : plain;
}

/** Type and name: what one resource owns as a whole. */
export function setOf(record: { readonly type: string; readonly name: string }, domain: string): string {
  return `${record.type} ${normalName(record.name, domain)}`;
}

/** True where a live record is the wanted one; what is not wanted of it counts for nothing. */
function isSame(live: LiveRecord, wanted: RecordInput, domain: string): boolean {
  return isSameData(live, wanted, domain) && live.ttl === wanted.ttl && hasDetails(live, wanted);
}

function isSameData(live: LiveRecord, wanted: RecordInput, domain: string): boolean {
  return (
    setOf(live, domain) === setOf(wanted, domain) &&
    normalData(live.type, live.data, domain) === normalData(wanted.type, wanted.data, domain)
  );
}

function isAbsentRecord(live: LiveRecord, absent: AbsentRecord, domain: string): boolean {
  if (setOf(live, domain) !== setOf(absent, domain)) return false;
  return (
    absent.data === undefined ||
    normalData(live.type, live.data, domain) === normalData(absent.type, absent.data, domain)
  );
}

function hasDetails(live: LiveRecord, wanted: RecordInput): boolean {
  return (["priority", "port", "weight", "flags", "tag"] as const).every(
    (key) => wanted[key] === undefined || live[key] === wanted[key],
  );
}

export interface RecordChanges {
  readonly remove: readonly LiveRecord[];
  readonly edit: readonly { readonly live: LiveRecord; readonly wanted: RecordInput }[];
  readonly add: readonly RecordInput[];
}

/**
 * What has to happen in the zone. Sets that are wanted or were written before belong to the resource: what is in them and
 * not wanted is edited or removed. Everything else is left alone, unless it is to be absent.
 */
export function planRecords(
  domain: string,
  live: readonly LiveRecord[],
  wanted: readonly RecordInput[],
  managed: readonly string[],
  absent: readonly AbsentRecord[],
): RecordChanges {
  const owned = new Set([...managed, ...wanted.map((record) => setOf(record, domain))]);
  const left = live.filter((record) => owned.has(setOf(record, domain)));
  const missing: RecordInput[] = [];
  for (const record of wanted) {
    const index = left.findIndex((each) => isSame(each, record, domain));
    if (index === -1) missing.push(record);
    else left.splice(index, 1);
  }
  const edit: { live: LiveRecord; wanted: RecordInput }[] = [];
  const add: RecordInput[] = [];
  for (const record of missing) {
    let index = left.findIndex((each) => isSameData(each, record, domain));
    if (index === -1) index = left.findIndex((each) => setOf(each, domain) === setOf(record, domain));
    const [found] = index === -1 ? [] : left.splice(index, 1);
    if (found === undefined) add.push(record);
    else edit.push({ live: found, wanted: record });
  }
  const unwanted = live.filter(
    (record) => !owned.has(setOf(record, domain)) && absent.some((each) => isAbsentRecord(record, each, domain)),
  );
  return { remove: [...left, ...unwanted], edit, add };
}
