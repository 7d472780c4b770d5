import type { DatabaseSync, StatementSync } from "node:sqlite";
import { nowMs } from "./schema.ts";

const texts = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  now: `SELECT ${nowMs} AS now`,
  holdsLease: "SELECT 1 FROM lease WHERE fence = ? AND holder IS NOT NULL",
  updateStack: "UPDATE stack SET serial = ?, runs = ?, records = ?, sum = ?",
  insertRecord: "INSERT INTO records (name, providers, serial, sum, body) VALUES (?, ?, ?, ?, ?)",
  updateRecord: "UPDATE records SET providers = ?, serial = ?, sum = ?, body = ? WHERE name = ?",
  deleteRecord: "DELETE FROM records WHERE name = ?",
  recordOfProvider: "SELECT 1 FROM records WHERE instr(providers, ?) > 0 LIMIT 1",
  insertRun:
    "INSERT INTO runs (number, id, closed, closed_at, serial, action_count, sum, summary, actions) VALUES (?, ?, NULL, NULL, ?, ?, ?, ?, ?)",
  closeRun: "UPDATE runs SET closed = ?, closed_at = ?, closed_sum = ? WHERE number = ?",
  runNumber: "SELECT number FROM runs WHERE id = ?",
  openRuns: "SELECT number, id, action_count FROM runs WHERE closed IS NULL ORDER BY number",
  anyOpenRun: "SELECT 1 FROM runs WHERE closed IS NULL LIMIT 1",
  closedRuns: "SELECT number, closed_at FROM runs WHERE closed IS NOT NULL ORDER BY number",
  deleteRun: "DELETE FROM runs WHERE number = ?",
  insertJournal: "INSERT INTO journal (id, kind, slot, serial, sum, body) VALUES (?, ?, ?, ?, ?, ?)",
  deleteJournal: "DELETE FROM journal WHERE id >= ? AND id < ?",
  lastJournalId: "SELECT id FROM journal WHERE id < ? AND id >= ? ORDER BY id DESC LIMIT 1",
  journalBody: "SELECT body FROM journal WHERE id = ?",
  slotsOfRun: `SELECT id, kind, slot, CASE kind WHEN 'intent-unknown' THEN json_extract(body, '$.why') END AS why
    FROM journal WHERE id >= ? AND id < ? AND slot IS NOT NULL ORDER BY id`,
  outcomesOfRun: `SELECT coalesce(CAST(slot AS INTEGER), json_extract(body, '$.outcome.action')) AS action
    FROM journal WHERE id >= ? AND id < ? AND kind = 'outcome'`,
  insertUnknown: "INSERT OR REPLACE INTO unknown (key, provider, why, sum, body) VALUES (?, ?, ?, ?, ?)",
  readUnknown: "SELECT provider, body FROM unknown WHERE key = ?",
  updateUnknown: "UPDATE unknown SET why = ?, sum = ? WHERE key = ?",
  deleteUnknown: "DELETE FROM unknown WHERE key = ?",
  unknownOfProvider: "SELECT 1 FROM unknown WHERE provider = ? LIMIT 1",
  insertFinalizeOwed: "INSERT OR IGNORE INTO finalize_owed (provider, sum) VALUES (?, ?)",
  deleteFinalizeOwed: "DELETE FROM finalize_owed WHERE provider = ?",
  finalizeOwedBy: "SELECT 1 FROM finalize_owed WHERE provider = ?",
  actionsOfRun: "SELECT actions FROM runs WHERE number = ?",
  putHookOwed: `INSERT INTO hooks_owed (key, run, action, name, sum) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET name = excluded.name, sum = excluded.sum`,
  deleteHookOwed: "DELETE FROM hooks_owed WHERE key = ?",
  putConfig: `INSERT INTO provider_configs (provider, name, sum, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (provider) DO UPDATE SET name = excluded.name, sum = excluded.sum, body = excluded.body`,
  configProviders: "SELECT provider FROM provider_configs",
  deleteConfig: "DELETE FROM provider_configs WHERE provider = ?",
} as const;

export type Statements = { readonly [name in keyof typeof texts]: StatementSync };

/** All statements of the writer, compiled once. */
export function prepareStatements(db: DatabaseSync): Statements {
  const entries = Object.entries(texts).map(([name, text]) => [name, db.prepare(text)] as const);
  return Object.fromEntries(entries) as unknown as Statements;
}
