import type { DatabaseSync } from "node:sqlite";
import type { JournalEvent, RecordChange } from "@wfctl/model";
import { keyOf, sumOf } from "./checksum.ts";
import { encodeRecord } from "./rows.ts";
import { runStride } from "./schema.ts";

/** What `repair` does. Each works inside the caller's transaction. */

export function changeRecord(db: DatabaseSync, change: RecordChange, serial: number): void {
  const name = "put" in change ? change.put.name : change.remove;
  db.prepare("DELETE FROM records WHERE name = ?").run(name);
  if ("put" in change) {
    const { put } = encodeRecord(change.put);
    db.prepare("INSERT INTO records (name, providers, serial, sum, body) VALUES (?, ?, ?, ?, ?)").run(
      name,
      put.providers,
      serial,
      put.sum,
      put.body,
    );
  }
  countRecords(db);
}

export function countRecords(db: DatabaseSync): void {
  const { records } = db.prepare("SELECT count(*) AS records FROM records").get() as { records: number };
  setCounts(db, { records });
}

export function setCounts(db: DatabaseSync, counts: { readonly serial?: number; readonly records?: number }): void {
  const row = db.prepare("SELECT serial, runs, records FROM stack").get() as Record<string, number>;
  const { serial, runs, records } = { ...row, ...counts } as { serial: number; runs: number; records: number };
  const sum = sumOf(keyOf(serial, runs, records), "");
  db.prepare("UPDATE stack SET serial = ?, runs = ?, records = ?, sum = ?").run(serial, runs, records, sum);
}

export function dropRun(db: DatabaseSync, number: number): void {
  db.prepare("DELETE FROM journal WHERE id >= ? AND id < ?").run(number * runStride, (number + 1) * runStride);
  db.prepare("DELETE FROM runs WHERE number = ?").run(number);
}

/** Removes one journal entry and closes the gap. */
export function removeEntry(db: DatabaseSync, id: number): void {
  const end = (Math.floor(id / runStride) + 1) * runStride;
  db.prepare("DELETE FROM journal WHERE id = ?").run(id);
  db.prepare("UPDATE journal SET id = 1 - id WHERE id > ? AND id < ?").run(id, end);
  db.exec("UPDATE journal SET id = -id WHERE id < 0");
}

export function addSkipped(db: DatabaseSync, number: number, run: string, actions: readonly number[]): void {
  const last = db
    .prepare("SELECT max(id) AS id, max(serial) AS serial FROM journal WHERE id >= ? AND id < ?")
    .get(number * runStride, (number + 1) * runStride) as { id: number | null; serial: number | null };
  const insert = db.prepare("INSERT INTO journal (id, kind, slot, serial, sum, body) VALUES (?, ?, ?, ?, ?, ?)");
  let id = last.id ?? number * runStride;
  for (const action of actions) {
    const message = "Recorded by repair: the run closed without an outcome";
    const outcome = { action, status: "SKIPPED", code: "INTERRUPTED", message, attempts: 0, durationMs: 0 } as const;
    const event: JournalEvent = { kind: "outcome", run, outcome, keepIntents: true };
    const body = JSON.stringify(event);
    id += 1;
    const serial = last.serial ?? 0;
    insert.run(id, "outcome", null, serial, sumOf(keyOf("outcome", null, serial), body), body);
  }
}
