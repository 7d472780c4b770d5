import type { DatabaseSync } from "node:sqlite";
import type { RunSummary } from "@wfctl/engine";
import {
  WfctlError,
  type Intent,
  type JournalEvent,
  type JsonObject,
  type ResourceRecord,
  type RunHeader,
  type RunState,
  type StackState,
} from "@wfctl/model";
import type { StackInfo } from "../identity.ts";
import { createRunDraft, type RunDraft } from "../draft.ts";
import { applyToRun } from "../reduce.ts";
import { toRunState } from "../to-state.ts";
import type { KeyMeta } from "../sealing/sealer.ts";
import { damaged, keyOf, parseBody, sumOf } from "./checksum.ts";
import { formatVersion, runStride } from "./schema.ts";

/** Everything here reads inside the caller's transaction and gives values with their secrets still sealed. */

export function readInfo(db: DatabaseSync): StackInfo & { readonly keys: KeyMeta } {
  const row = db.prepare("SELECT lineage, name, environment, created_at, sum, keys FROM meta").get();
  if (row === undefined) throw damaged("its first row");
  const [lineage, name, environment] = [text(row["lineage"]), text(row["name"]), text(row["environment"])];
  const createdAt = text(row["created_at"]);
  const key = keyOf(lineage, name, environment, createdAt);
  const keys = parseBody<KeyMeta>("its first row", key, row["keys"], row["sum"]);
  return { lineage, name, environment, createdAt, keys, formatVersion, serial: readCounts(db).serial };
}

export function readCounts(db: DatabaseSync): { serial: number; runs: number; records: number } {
  const row = db.prepare("SELECT serial, runs, records, sum FROM stack").get();
  const [serial, runs, records] = [row?.["serial"], row?.["runs"], row?.["records"]];
  if (row === undefined || sumOf(keyOf(serial, runs, records), "") !== row["sum"]) throw damaged("the row of counts");
  return { serial: serial as number, runs: runs as number, records: records as number };
}

export function readStack(db: DatabaseSync): StackState {
  const { lineage, serial } = readInfo(db);
  const unknown = new Map<string, { intent: Intent; why: string }>();
  for (const { key, provider, why, sum, body } of rows(db, "SELECT * FROM unknown ORDER BY id")) {
    const intent = parseBody<Intent>(`unknown intent '${text(key)}'`, keyOf(key, provider, why), body, sum);
    unknown.set(intent.name, { intent, why: text(why) });
  }
  const providerConfigs = new Map<string, { name: string; config: JsonObject }>();
  for (const { provider, name, sum, body } of rows(db, "SELECT * FROM provider_configs ORDER BY id")) {
    const place = `configuration of provider '${text(provider)}'`;
    const config = parseBody<JsonObject>(place, keyOf(provider, name), body, sum);
    providerConfigs.set(text(provider), { name: text(name), config });
  }
  const finalizeOwed = rows(db, "SELECT provider, sum FROM finalize_owed ORDER BY id").map(({ provider, sum }) => {
    if (sumOf(text(provider), "") !== sum) throw damaged(`owed finalizer of '${text(provider)}'`);
    return text(provider);
  });
  const hasHooks = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'hooks_owed'").get() !== undefined;
  const hookRows = hasHooks ? rows(db, "SELECT * FROM hooks_owed ORDER BY id") : [];
  const hooksOwed = hookRows.map(({ key, run, action, name, sum }) => {
    if (sumOf(keyOf(key, run, action, name), "") !== sum) throw damaged(`owed hook '${text(key)}'`);
    return { run: text(run), action: Number(action), name: text(name) };
  });
  return {
    lineage,
    serial,
    records: readRecords(db),
    openRuns: rows(db, `SELECT ${runColumns} FROM runs WHERE closed IS NULL ORDER BY number`).map((row) =>
      toRunState(readRunDraft(db, row)),
    ),
    unknown,
    finalizeOwed,
    hooksOwed,
    providerConfigs,
  };
}

function readRecords(db: DatabaseSync): Map<string, ResourceRecord> {
  const records = new Map<string, ResourceRecord>();
  const statement = db.prepare("SELECT name, sum, body FROM records ORDER BY id");
  statement.setReturnArrays(true);
  for (const [name, sum, body] of statement.iterate() as unknown as Iterable<[unknown, unknown, unknown]>) {
    records.set(text(name), parseBody<ResourceRecord>(`record '${text(name)}'`, text(name), body, sum));
  }
  const { records: expected } = readCounts(db);
  if (records.size !== expected) {
    throw new WfctlError(
      "STORE_CORRUPT",
      `Reading the state failed: it holds ${records.size} records and should hold ${expected}`,
      { hint: "Run: wfctl state doctor" },
    );
  }
  return records;
}

const runColumns = "number, id, closed, closed_at, closed_sum, serial, action_count, sum, summary, actions";

export function readRun(db: DatabaseSync, id: string): RunState | undefined {
  const row = db.prepare(`SELECT ${runColumns} FROM runs WHERE id = ?`).get(id);
  return row === undefined ? undefined : toRunState(readRunDraft(db, row));
}

export function readSummaries(db: DatabaseSync, limit: number): RunSummary[] {
  const columns = "id, closed, closed_at, closed_sum, summary";
  return rows(db, `SELECT ${columns} FROM runs ORDER BY number DESC LIMIT ?`, limit).map((row) => {
    const header = parseUnchecked<RunSummary["header"]>(`run '${text(row["id"])}'`, row["summary"]);
    const closed = readClosed(row);
    return closed === undefined ? { header } : { header, end: closed.end, endedAt: closed.at };
  });
}

function readRunDraft(db: DatabaseSync, row: Row): RunDraft {
  const { id, number, serial, sum } = row;
  const place = `run '${text(id)}'`;
  const [summary, actions] = [text(row["summary"]), text(row["actions"])];
  if (sumOf(keyOf(number, id, serial, row["action_count"]), summary + actions) !== sum) throw damaged(place);
  const { actionCount: _, ...header } = parseUnchecked<RunSummary["header"]>(place, summary);
  const full: RunHeader = { ...header, actions: parseUnchecked<RunHeader["actions"]>(place, actions) };
  const run = createRunDraft(full, number as number, serial as number);
  for (const entry of readEvents(db, run.number)) applyToRun(run, entry.event, entry.serial);
  run.closed = readClosed(row);
  return run;
}

function readClosed(row: Row): RunDraft["closed"] {
  if (row["closed"] === null) return undefined;
  const key = keyOf(row["id"], row["closed_at"]);
  return parseBody(`end of run '${text(row["id"])}'`, key, row["closed"], row["closed_sum"]);
}

/** The journal rows of one run, in order. */
function* readEvents(
  db: DatabaseSync,
  number: number,
): Generator<{ readonly event: JournalEvent; readonly serial: number }> {
  const statement = db.prepare("SELECT * FROM journal WHERE id >= ? AND id < ? ORDER BY id");
  let expected = number * runStride;
  for (const { id, kind, slot, serial, sum, body } of statement.iterate(expected, expected + runStride)) {
    const place = `journal entry ${Number(id) % runStride} of run number ${number}`;
    const event = parseBody<JournalEvent>(place, keyOf(kind, slot, serial), body, sum);
    expected += 1;
    if (id !== expected) throw damaged(`an entry before ${place}`);
    yield { event, serial: serial as number };
  }
}

type Row = Record<string, unknown>;

function rows(db: DatabaseSync, sql: string, ...parameters: number[]): Row[] {
  return db.prepare(sql).all(...parameters);
}

/** What a damaged file holds in place of a text is found here. */
function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw damaged("a text");
}

function parseUnchecked<T>(place: string, body: unknown): T {
  return parseBody<T>(place, "", body, sumOf("", text(body)));
}
