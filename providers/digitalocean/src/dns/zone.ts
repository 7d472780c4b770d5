import { given } from "../aliases.ts";
import { api, collect, type Context } from "../calls.ts";
import { isStatus, orAbsent } from "../errors.ts";
import { retryIf } from "../waiting.ts";
import { normalName, planRecords, setOf, wireData } from "./normal.ts";
import type { DnsInput, LiveRecord, RecordInput } from "./schema.ts";

export interface Zone {
  readonly name: string;
  readonly ttl: number | null;
  readonly zone_file: string | null;
}

interface ApiRecord {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly data: string;
  readonly ttl: number;
  readonly priority?: number | null;
  readonly port?: number | null;
  readonly weight?: number | null;
  readonly flags?: number | null;
  readonly tag?: string | null;
}

/**
 * Domains have no tags. Which records a resource wrote, and whose they are, stands in a text record of the zone, so that
 * a record that is dropped from the configuration is found and taken away.
 */
const markName = "_wfctl";
const markHead = "heritage=wfctl";
const maxMarkLength = 240;
/** Two changes of one zone at a time meet. */
const conflictTimeoutMs = 30_000;

export async function getZone(context: Context, domain: string): Promise<Zone | undefined> {
  return (await orAbsent(api(context).get<{ domain: Zone }>(`domains/${encodeURIComponent(domain)}`)))?.domain;
}

/** All records, the marks among them. */
export async function listRecords(context: Context, domain: string): Promise<LiveRecord[]> {
  const found = await collect(api(context).list<ApiRecord>(`domains/${domain}/records`, "domain_records"));
  return found.map(({ id, type, name, data, ttl, ...rest }) => {
    const details = Object.entries(rest).filter(
      ([key, value]) =>
        value !== null && value !== undefined && ["priority", "port", "weight", "flags", "tag"].includes(key),
    );
    return { id, type, name, data, ttl, ...(Object.fromEntries(details) as Partial<LiveRecord>) };
  });
}

export interface Mark {
  readonly owner: string | undefined;
  /** Sets of records that the resource wrote. */
  readonly managed: readonly string[];
}

export function readMark(records: readonly LiveRecord[]): Mark {
  const fields = records
    .filter(isMark)
    .flatMap(({ data }) => data.replace(/^"|"$/g, "").split(",").slice(1))
    .map((field) => field.split("="));
  const valuesOf = (key: string): string[] => fields.flatMap(([name, value = ""]) => (name === key ? [value] : []));
  const owner = valuesOf("owner")[0];
  return {
    owner: owner === undefined ? undefined : Buffer.from(owner, "hex").toString(),
    managed: valuesOf("set").map((set) => set.replace("/", " ")),
  };
}

export function isMark({ type, name, data }: LiveRecord): boolean {
  return type === "TXT" && name === markName && data.replace(/^"/, "").startsWith(markHead);
}

/** Makes the zone's records what is wanted, and remembers which are the resource's. */
export async function syncZone(context: Context, domain: string, input: DnsInput): Promise<void> {
  const records = await listRecords(context, domain);
  const { owner, managed } = readMark(records);
  const live = records.filter((record) => !isMark(record));
  const sets = [...new Set(input.records.map((record) => setOf(record, domain)))];
  // What is about to be written is remembered first: nothing that a kill leaves behind is lost.
  await writeMark(context, domain, records, {
    owner: owner ?? context.owner,
    managed: [...new Set([...managed, ...sets])],
  });
  const { remove, edit, add } = planRecords(domain, live, input.records, managed, input.absent_records);
  for (const { id } of remove)
    await change(context, () => orAbsent(api(context).delete(`domains/${domain}/records/${id}`)));
  for (const {
    live: { id },
    wanted,
  } of edit)
    await change(context, () => api(context).put(`domains/${domain}/records/${id}`, bodyOf(wanted, domain)));
  for (const wanted of add)
    await change(context, () => api(context).post(`domains/${domain}/records`, bodyOf(wanted, domain)));
  await writeMark(context, domain, await listRecords(context, domain), {
    owner: owner ?? context.owner,
    managed: sets,
  });
}

/** Writes another owner into the zone's mark. */
export async function writeZoneOwner(context: Context, domain: string, owner: string): Promise<void> {
  const records = await listRecords(context, domain);
  await writeMark(context, domain, records, { ...readMark(records), owner });
}

async function writeMark(context: Context, domain: string, records: readonly LiveRecord[], mark: Mark): Promise<void> {
  const live = records.filter(isMark);
  const wanted = markTexts(mark);
  const isThere = (text: string): boolean => live.some(({ data }) => data.replace(/^"|"$/g, "") === text);
  for (const text of wanted.filter((each) => !isThere(each))) {
    await change(context, () =>
      api(context).post(`domains/${domain}/records`, { type: "TXT", name: markName, data: text, ttl: 300 }),
    );
  }
  for (const { id, data } of live) {
    if (wanted.includes(data.replace(/^"|"$/g, ""))) continue;
    await change(context, () => orAbsent(api(context).delete(`domains/${domain}/records/${id}`)));
  }
}

/** As many texts as the fields need: one string of a text record holds 255 characters. */
function markTexts({ owner, managed }: Mark): string[] {
  const fields = [
    ...(owner === undefined ? [] : [`owner=${Buffer.from(owner).toString("hex")}`]),
    ...managed.toSorted().map((set) => `set=${set.replace(" ", "/")}`),
  ];
  const texts: string[] = [];
  for (const field of fields) {
    const last = texts.at(-1);
    if (last !== undefined && last.length + field.length < maxMarkLength) texts[texts.length - 1] = `${last},${field}`;
    else texts.push(`${markHead},${field}`);
  }
  return texts;
}

function bodyOf(record: RecordInput, domain: string): object {
  const { type, ttl, priority, port, weight, flags, tag } = record;
  const name = normalName(record.name, domain);
  return given({ type, name, data: wireData(type, record.data, domain), ttl, priority, port, weight, flags, tag });
}

function change<Answer>(context: Context, call: () => Promise<Answer>): Promise<Answer> {
  return retryIf(context, (error) => isStatus(error, 409, 412), "the zone to take a change", call, {
    timeoutMs: conflictTimeoutMs,
  });
}
