import { isJsonObject, jsonEqual, type Json, type JournalEvent, type RecordChange } from "@wfctl/model";
import type { Client } from "pg";
import type { Finding } from "../finding.ts";
import { checkOutcomes } from "../check-outcomes.ts";
import { recordChangeOf } from "../reduce.ts";

/** Checks the rows of one stack, inside the caller's transaction. What a database damages, its backups bring back. */
export async function checkStack(client: Client, stack: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  const report = (check: Finding["check"], problem: string): void =>
    void findings.push({ check, severity: "error", problem });
  const rows = async (text: string, ...more: unknown[]): Promise<readonly Row[]> =>
    (await client.query<Row>(text, [stack, ...more])).rows;

  const [counts] = await rows("SELECT serial, records FROM wfctl_stacks WHERE id = $1");
  const last = new Map<string, { readonly change: RecordChange; readonly serial: number }>();
  let highest = 0;
  for (const run of await rows(
    "SELECT number, id, entries, actions, closed FROM wfctl_runs WHERE stack = $1 ORDER BY number",
  )) {
    const id = String(run["id"]);
    const actions = parse(run["actions"]);
    if (!Array.isArray(actions)) {
      report("run", `The header of run '${id}' is damaged`);
      continue;
    }
    const events: JournalEvent[] = [];
    const journal = await rows(
      "SELECT entry, serial, body FROM wfctl_journal WHERE stack = $1 AND run = $2 ORDER BY entry",
      run["number"],
    );
    for (const [index, row] of journal.entries()) {
      const event = parse(row["body"]);
      if (Number(row["entry"]) !== index + 1) report("journal", `Run '${id}': journal entry ${index + 1} is missing`);
      if (!isJsonObject(event)) {
        report("journal", `Run '${id}': journal entry ${index + 1} is damaged`);
        break;
      }
      events.push(event as unknown as JournalEvent);
      const serial = Number(row["serial"]);
      highest = Math.max(highest, serial);
      const change = recordChangeOf(events.at(-1)!);
      if (change === undefined) continue;
      const name = "put" in change ? change.put.name : change.remove;
      if (serial >= (last.get(name)?.serial ?? 0)) last.set(name, { change, serial });
    }
    if (journal.length !== Number(run["entries"])) {
      report("journal", `Run '${id}' has ${journal.length} journal entries and should have ${String(run["entries"])}`);
    }
    findings.push(...checkOutcomes({ id, actionCount: actions.length, closed: run["closed"] !== null }, events));
  }
  if (highest > Number(counts?.["serial"])) {
    report("serial", `The serial is ${String(counts?.["serial"])}, and the journal has written ${highest}`);
  }
  const records = await rows("SELECT name, serial, body FROM wfctl_records WHERE stack = $1 ORDER BY position");
  if (records.length !== Number(counts?.["records"])) {
    report("record-count", `The state holds ${records.length} records and should hold ${String(counts?.["records"])}`);
  }
  const bodies = new Map(records.map((row) => [String(row["name"]), parse(row["body"])]));
  const serials = new Map(records.map((row) => [String(row["name"]), row["serial"]]));
  for (const [name, body] of bodies) {
    if (!isJsonObject(body) || body["name"] !== name) report("record", `Record '${name}' is damaged`);
  }
  for (const [name, { change, serial }] of last) {
    const expected = "put" in change ? (change.put as unknown as Json) : undefined;
    // A change by a run that the journal does not hold any more is later.
    if (Number(serials.get(name) ?? 0) > serial) continue;
    const found = bodies.get(name);
    const same = expected === undefined || found === undefined ? expected === found : jsonEqual(expected, found);
    if (!same) report("replay", `Record '${name}' is not what the journal wrote at serial ${serial}`);
  }
  return findings;
}

type Row = Readonly<Record<string, unknown>>;

function parse(text: unknown): Json | undefined {
  try {
    return JSON.parse(String(text)) as Json;
  } catch {
    return undefined;
  }
}
