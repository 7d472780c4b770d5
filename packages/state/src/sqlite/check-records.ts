import type { DatabaseSync } from "node:sqlite";
import { isJsonObject, jsonEqual, type Json, type RecordChange, type ResourceRecord } from "@wfctl/model";
import { providersOf } from "../reduce.ts";
import { keyOf } from "./checksum.ts";
import type { LastChange } from "./check-journal.ts";
import { parseRow, type Repairable, type Row } from "./finding.ts";
import * as fix from "./fixes.ts";

/** `changes`: for each name the last change that the journal still holds. */
export function checkRecords(db: DatabaseSync, changes: Map<string, LastChange>): Repairable[] {
  const findings: Repairable[] = [];
  const seen = new Set<string>();
  const rows: Row[] = db.prepare("SELECT name, serial, sum, body FROM records ORDER BY id").all();
  for (const row of rows) {
    const name = row["name"] as string;
    seen.add(name);
    const last = changes.get(name);
    const record = parseRow(name, row);
    const behind = last !== undefined && Number(row["serial"]) < last.serial;
    if (record === undefined || !isRecord(record, name)) findings.push(damagedRecord(name, last));
    else if (
      last !== undefined &&
      (behind || (Number(row["serial"]) === last.serial && !isResult(last.change, record)))
    ) {
      findings.push(otherRecord(name, last));
    }
  }
  for (const [name, last] of changes) {
    if (!seen.has(name) && "put" in last.change) findings.push(otherRecord(name, last));
  }
  const expected = db.prepare("SELECT records FROM stack").get()?.["records"];
  if (expected !== rows.length) {
    findings.push({
      check: "record-count",
      severity: "error",
      problem: `The state holds ${rows.length} records and should hold ${String(expected)}`,
      repair: "takes the records that are there as all of them",
      fix: fix.countRecords,
    });
  }
  return findings;
}

function damagedRecord(name: string, last: LastChange | undefined): Repairable {
  const base = { check: "record", severity: "error", problem: `Record '${name}' is damaged` } as const;
  if (last === undefined) {
    const repair = "removes the record; the object stays where it is and can be imported again";
    return { ...base, repair, fix: (db) => fix.changeRecord(db, { remove: name }, 0) };
  }
  return {
    ...base,
    repair: "writes it again as the journal has it",
    fix: (db) => fix.changeRecord(db, last.change, last.serial),
  };
}

function otherRecord(name: string, last: LastChange): Repairable {
  return {
    check: "replay",
    severity: "error",
    problem: `Record '${name}' is not what the journal wrote at serial ${last.serial}`,
    repair: "makes it what the journal has",
    fix: (db) => fix.changeRecord(db, last.change, last.serial),
  };
}

export function checkConfigs(db: DatabaseSync): Repairable[] {
  const findings: Repairable[] = [];
  const known = new Set<string>();
  for (const row of db.prepare("SELECT provider, name, sum, body FROM provider_configs").all() as Row[]) {
    const provider = row["provider"] as string;
    known.add(provider);
    if (isJsonObject(parseRow(keyOf(provider, row["name"]), row))) continue;
    findings.push({
      check: "provider-config",
      severity: "error",
      problem: `The configuration of provider '${provider}' is damaged`,
      repair: "removes it; the next apply writes it again",
      fix: (db) => db.prepare("DELETE FROM provider_configs WHERE provider = ?").run(provider),
    });
  }
  for (const row of db.prepare("SELECT name, sum, body FROM records ORDER BY id").all() as Row[]) {
    const record = parseRow(row["name"] as string, row);
    if (!isRecord(record, row["name"] as string)) continue;
    for (const provider of providersOf(record)) {
      if (known.has(provider)) continue;
      known.add(provider);
      const problem = `Record '${record.name}' names provider '${provider}', whose configuration the state does not hold`;
      findings.push({ check: "provider-config", severity: "warning", problem });
    }
  }
  return findings;
}

function isRecord(value: unknown, name: string): value is ResourceRecord {
  return isJsonObject(value) && value["name"] === name && Array.isArray(value["deposed"]);
}

function isResult(change: RecordChange, record: ResourceRecord): boolean {
  return "put" in change && jsonEqual(change.put as unknown as Json, record as unknown as Json);
}
