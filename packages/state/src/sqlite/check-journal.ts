import type { DatabaseSync } from "node:sqlite";
import type { JournalEvent, RecordChange } from "@wfctl/model";
import { recordChangeOf } from "../reduce.ts";
import { keyOf, sumOf } from "./checksum.ts";
import { parseRow, parseText, type Repairable, type Row } from "./finding.ts";
import * as fix from "./fixes.ts";
import { runStride } from "./schema.ts";

interface Entry {
  readonly id: number;
  readonly serial: number;
  readonly event: JournalEvent;
}

/** The last change of a record that the journal holds. */
export interface LastChange {
  readonly change: RecordChange;
  readonly serial: number;
}

/** Checks every run with its entries, and notes in `changes` what the journal wrote last of each record. */
export function checkRuns(db: DatabaseSync, changes: Map<string, LastChange>): Repairable[] {
  const findings: Repairable[] = [];
  let highest = 0;
  const rows: Row[] = db.prepare("SELECT * FROM runs ORDER BY number").all();
  for (const row of rows) {
    const [id, number] = [row["id"] as string, Number(row["number"])];
    const closed = row["closed"] !== null;
    const actions = parseText(row["actions"]);
    const header = `${row["summary"] as string}${row["actions"] as string}`;
    const drop = closed ? { repair: "drops the closed run", fix: (db: DatabaseSync) => fix.dropRun(db, number) } : {};
    if (
      sumOf(keyOf(number, id, row["serial"], row["action_count"]), header) !== row["sum"] ||
      !Array.isArray(actions)
    ) {
      findings.push({ check: "run", severity: "error", problem: `The header of run '${id}' is damaged`, ...drop });
      continue;
    }
    const entries: Entry[] = [];
    const problem = readEntries(db, number, entries);
    if (problem !== undefined) {
      findings.push({ check: "journal", severity: "error", problem: `Run '${id}': ${problem}`, ...drop });
      continue;
    }
    for (const { event, serial } of entries) {
      highest = Math.max(highest, serial);
      const change = recordChangeOf(event);
      if (change === undefined) continue;
      const name = "put" in change ? change.put.name : change.remove;
      if (serial >= (changes.get(name)?.serial ?? 0)) changes.set(name, { change, serial });
    }
    findings.push(...checkOutcomes(id, number, actions.length, closed, entries));
    const falling = entries.find((entry, index) => index > 0 && entry.serial < entries[index - 1]!.serial);
    if (falling !== undefined) {
      const where = `entry ${falling.id % runStride} of run '${id}'`;
      findings.push({ check: "serial", severity: "error", problem: `The serial falls at ${where}`, ...drop });
    }
  }
  const serial = Number(db.prepare("SELECT serial FROM stack").get()?.["serial"] ?? 0);
  if (highest > serial) {
    findings.push({
      check: "serial",
      severity: "error",
      problem: `The serial is ${serial}, and the journal has written ${highest}`,
      repair: `raises the serial to ${highest}`,
      fix: (db) => fix.setCounts(db, { serial: highest }),
    });
  }
  return findings;
}

function readEntries(db: DatabaseSync, number: number, entries: Entry[]): string | undefined {
  const statement = db.prepare("SELECT * FROM journal WHERE id >= ? AND id < ? ORDER BY id");
  for (const row of statement.all(number * runStride, (number + 1) * runStride)) {
    const id = Number(row["id"]);
    const event = parseRow(keyOf(row["kind"], row["slot"], row["serial"]), row) as JournalEvent | undefined;
    if (event === undefined || event.kind !== row["kind"]) return `journal entry ${id % runStride} is damaged`;
    if (id % runStride !== entries.length + 1) return `journal entry ${entries.length + 1} is missing`;
    entries.push({ id, serial: Number(row["serial"]), event });
  }
  return undefined;
}

function checkOutcomes(
  id: string,
  number: number,
  actionCount: number,
  closed: boolean,
  entries: readonly Entry[],
): Repairable[] {
  const findings: Repairable[] = [];
  const filled = new Set<number>();
  for (const entry of entries) {
    if (entry.event.kind !== "outcome") continue;
    const { action, status } = entry.event.outcome;
    const where = `outcome of action ${action} of run '${id}' (entry ${entry.id % runStride})`;
    const remove = { repair: "removes that entry", fix: (db: DatabaseSync) => fix.removeEntry(db, entry.id) };
    if (!Number.isInteger(action) || action < 0 || action >= actionCount) {
      findings.push({
        check: "outcome-range",
        severity: "error",
        problem: `The ${where} is out of range: the run has ${actionCount} actions`,
        ...remove,
      });
    } else if (filled.has(action) && status !== "COMPENSATED" && status !== "COMPENSATION_FAILED") {
      findings.push({ check: "outcome-twice", severity: "error", problem: `There is a second ${where}`, ...remove });
    } else {
      filled.add(action);
    }
  }
  if (!closed) return findings;
  const missing = Array.from({ length: actionCount }, (_, action) => action).filter((action) => !filled.has(action));
  if (missing.length > 0) {
    findings.push({
      check: "outcome-missing",
      severity: "error",
      problem: `Run '${id}' is closed without an outcome of ${missing.length} actions, first action ${missing[0]}`,
      repair: "records them as SKIPPED (INTERRUPTED)",
      fix: (db) => fix.addSkipped(db, number, id, missing),
    });
  }
  // Later fixes of one run must not move the entries that earlier ones name.
  return findings.toReversed();
}

// As text: a bound number is a real to SQLite, and the division would not cut.
const orphaned = `id / ${runStride} NOT IN (SELECT number FROM runs)`;

export function checkOrphans(db: DatabaseSync): Repairable[] {
  const row = db.prepare(`SELECT count(*) AS entries FROM journal WHERE ${orphaned}`).get() as { entries: number };
  if (row.entries === 0) return [];
  return [
    {
      check: "journal",
      severity: "error",
      problem: `${row.entries} journal entries belong to no run`,
      repair: "removes them",
      fix: (db) => db.exec(`DELETE FROM journal WHERE ${orphaned}`),
    },
  ];
}
