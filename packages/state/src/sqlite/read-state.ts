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
import { parseBody, sumOf } from "./checksum.ts";
import { formatVersion, runStride } from "./schema.ts";

/** Everything here reads inside the caller's transaction and gives values with their secrets still sealed. */

export function readInfo(db: DatabaseSync): StackInfo & { readonly keys: KeyMeta } {
  const row = db
    .prepare("SELECT lineage, name, environment, created_at AS createdAt, keys, serial FROM meta, stack")
    .get() as { lineage: string; name: string; environment: string; createdAt: string; keys: string; serial: number };
  if (row === undefined) throw new WfctlError("STORE_CORRUPT", "Reading the state failed: its first row is missing");
  return { ...row, keys: JSON.parse(row.keys) as KeyMeta, formatVersion };
}

export function readStack(db: DatabaseSync): StackState {
  const { lineage, serial } = readInfo(db);
  const unknown = new Map<string, { intent: Intent; why: string }>();
  for (const { key, why, sum, body } of rows(db, "SELECT key, why, sum, body FROM unknown ORDER BY id")) {
    const intent = parseBody<Intent>(`unknown intent '${text(key)}'`, text(key), text(body), Number(sum));
    unknown.set(intent.name, { intent, why: text(why) });
  }
  const providerConfigs = new Map<string, { name: string; config: JsonObject }>();
  for (const row of rows(db, "SELECT provider, name, sum, body FROM provider_configs ORDER BY id")) {
    const provider = text(row["provider"]);
    const place = `configuration of provider '${provider}'`;
    const config = parseBody<JsonObject>(place, provider, text(row["body"]), Number(row["sum"]));
    providerConfigs.set(provider, { name: text(row["name"]), config });
  }
  return {
    lineage,
    serial,
    records: readRecords(db),
    openRuns: rows(db, `SELECT ${runColumns} FROM runs WHERE closed IS NULL ORDER BY number`).map((row) =>
      toRunState(readRunDraft(db, row)),
    ),
    unknown,
    finalizeOwed: rows(db, "SELECT provider FROM finalize_owed ORDER BY id").map((row) => text(row["provider"])),
    providerConfigs,
  };
}

function readRecords(db: DatabaseSync): Map<string, ResourceRecord> {
  const records = new Map<string, ResourceRecord>();
  const statement = db.prepare("SELECT name, sum, body FROM records ORDER BY id");
  statement.setReturnArrays(true);
  const found = statement.all() as unknown as [string, number, string][];
  for (const [name, sum, body] of found) {
    const record = parseBody<ResourceRecord>(`record '${name}'`, name, body, sum);
    records.set(name, record);
  }
  const { records: expected } = db.prepare("SELECT records FROM stack").get() as { records: number };
  if (records.size !== expected) {
    throw new WfctlError(
      "STORE_CORRUPT",
      `Reading the state failed: it holds ${records.size} records and should hold ${expected}`,
      { hint: "Run: wfctl state doctor" },
    );
  }
  return records;
}

const runColumns = "number, id, closed, serial, sum, summary, actions";

export function readRun(db: DatabaseSync, id: string): RunState | undefined {
  const row = db.prepare(`SELECT ${runColumns} FROM runs WHERE id = ?`).get(id);
  return row === undefined ? undefined : toRunState(readRunDraft(db, row));
}

export function readSummaries(db: DatabaseSync, limit: number): RunSummary[] {
  const found = rows(db, "SELECT id, closed, summary FROM runs ORDER BY number DESC LIMIT ?", limit);
  return found.map((row) => {
    const header = parseJson<RunSummary["header"]>(`run '${text(row["id"])}'`, text(row["summary"]));
    if (row["closed"] === null) return { header };
    const { end, at } = parseJson<{ end: string; at: string }>(`run '${text(row["id"])}'`, text(row["closed"]));
    return { header, end, endedAt: at };
  });
}

export function readRunDraft(db: DatabaseSync, row: Row): RunDraft {
  const [id, number] = [text(row["id"]), Number(row["number"])];
  const place = `run '${id}'`;
  const [summary, actions] = [text(row["summary"]), text(row["actions"])];
  if (sumOf(id, summary + actions) !== Number(row["sum"])) parseBody(place, "", "", -1);
  const { actionCount: _, ...header } = parseJson<RunSummary["header"]>(place, summary);
  const full: RunHeader = { ...header, actions: parseJson<RunHeader["actions"]>(place, actions) };
  const run = createRunDraft(full, number, Number(row["serial"]));
  for (const { event, serial } of readEvents(db, number)) applyToRun(run, event, serial);
  if (row["closed"] !== null) run.closed = parseJson(place, text(row["closed"]));
  return run;
}

/** The journal rows of one run, in order. */
export function* readEvents(
  db: DatabaseSync,
  number: number,
): Generator<{ readonly event: JournalEvent; readonly serial: number }> {
  const statement = db.prepare("SELECT id, kind, serial, sum, body FROM journal WHERE id >= ? AND id < ? ORDER BY id");
  let expected = number * runStride;
  for (const row of statement.iterate(number * runStride, (number + 1) * runStride)) {
    const place = `journal entry ${Number(row["id"]) % runStride} of run number ${number}`;
    const event = parseBody<JournalEvent>(place, text(row["kind"]), text(row["body"]), Number(row["sum"]));
    expected += 1;
    if (Number(row["id"]) !== expected) {
      throw new WfctlError("STORE_CORRUPT", `Reading the state failed: an entry before ${place} is missing`);
    }
    yield { event, serial: Number(row["serial"]) };
  }
}

type Row = Record<string, unknown>;

function rows(db: DatabaseSync, sql: string, ...parameters: number[]): Row[] {
  return db.prepare(sql).all(...parameters);
}

function text(value: unknown): string {
  return value as string;
}

function parseJson<T>(place: string, body: string): T {
  return parseBody<T>(place, "", body, sumOf("", body));
}
