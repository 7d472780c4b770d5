import type { RunSummary } from "@wfctl/engine";
import {
  WfctlError,
  type JournalEvent,
  type JsonObject,
  type OwedHook,
  type ResourceRecord,
  type RunHeader,
} from "@wfctl/model";
import type { Client } from "pg";
import { createRunDraft, type RunDraft, type StackDraft, type UnknownIntent } from "../draft.ts";
import { applyToRun } from "../reduce.ts";
import { TrackedMap, TrackedSet } from "./tracked.ts";

/** Everything here reads inside the caller's transaction and gives values with their secrets still sealed. */

/** A draft whose collections tell what is to be written. */
export interface TrackedDraft extends StackDraft {
  readonly records: TrackedMap<string, ResourceRecord>;
  readonly unknown: TrackedMap<string, UnknownIntent>;
  readonly finalizeOwed: TrackedSet<string>;
  readonly hooksOwed: TrackedMap<string, OwedHook>;
  readonly providerConfigs: TrackedMap<string, { readonly name: string; readonly config: JsonObject }>;
}

export async function readDraft(client: Client, stack: number, lineage: string): Promise<TrackedDraft> {
  const rows = async (text: string): Promise<readonly Row[]> => (await client.query<Row>(text, [stack])).rows;
  const [counts] = await rows("SELECT serial, runs, records FROM wfctl_stacks WHERE id = $1");
  const records = await rows(
    "SELECT name AS key, position, body FROM wfctl_records WHERE stack = $1 ORDER BY position",
  );
  const unknown = await rows("SELECT key, position, body FROM wfctl_unknown WHERE stack = $1 ORDER BY position");
  const owed = await rows(
    "SELECT provider AS key, position FROM wfctl_finalize_owed WHERE stack = $1 ORDER BY position",
  );
  const hooks = await rows("SELECT key, position, body FROM wfctl_hooks_owed WHERE stack = $1 ORDER BY position");
  const configs = await rows(
    "SELECT provider AS key, position, body FROM wfctl_provider_configs WHERE stack = $1 ORDER BY position",
  );
  const openRuns = new Map<string, RunDraft>();
  for (const row of await rows(
    `SELECT ${runColumns} FROM wfctl_runs WHERE stack = $1 AND closed IS NULL ORDER BY number`,
  )) {
    openRuns.set(text(row, "id"), await readRunDraft(client, stack, row));
  }
  if (records.length !== Number(counts?.["records"])) {
    throw damaged(`it holds ${records.length} records and should hold ${String(counts?.["records"])}`);
  }
  return {
    lineage,
    serial: Number(counts?.["serial"]),
    runCount: Number(counts?.["runs"]),
    records: new TrackedMap<string, ResourceRecord>().restore(records.map(entry<ResourceRecord>("record"))),
    openRuns,
    unknown: new TrackedMap<string, UnknownIntent>().restore(unknown.map(entry<UnknownIntent>("unknown intent"))),
    finalizeOwed: new TrackedSet<string>().restore(owed.map((row) => [text(row, "key"), Number(row["position"])])),
    hooksOwed: new TrackedMap<string, OwedHook>().restore(hooks.map(entry<OwedHook>("owed hook"))),
    providerConfigs: new TrackedMap<string, { name: string; config: JsonObject }>().restore(
      configs.map(entry<{ name: string; config: JsonObject }>("configuration of provider")),
    ),
    history: undefined,
  };
}

export async function readDatabaseRun(client: Client, stack: number, id: string): Promise<RunDraft | undefined> {
  const found = await client.query<Row>(`SELECT ${runColumns} FROM wfctl_runs WHERE stack = $1 AND id = $2`, [
    stack,
    id,
  ]);
  const [row] = found.rows;
  return row === undefined ? undefined : await readRunDraft(client, stack, row);
}

export async function readDatabaseSummaries(
  client: Client,
  stack: number,
  limit: number | undefined,
): Promise<RunSummary[]> {
  const { rows } = await client.query<Row>(
    "SELECT id, summary, closed FROM wfctl_runs WHERE stack = $1 ORDER BY number DESC LIMIT $2",
    [stack, limit ?? null],
  );
  return rows.map((row) => {
    const header = parse<RunSummary["header"]>(row, "summary", `run '${text(row, "id")}'`);
    const closed = closedOf(row);
    return closed === undefined ? { header } : { header, end: closed.end, endedAt: closed.at };
  });
}

export interface RunRow {
  readonly number: number;
  readonly closedAt: string | undefined;
  /** Of the journal. */
  readonly entries: number;
}

/** All runs by id, in the order of their start. */
export async function readRunRows(client: Client, stack: number): Promise<Map<string, RunRow>> {
  const { rows } = await client.query<Row>(
    "SELECT id, number, entries, closed_at FROM wfctl_runs WHERE stack = $1 ORDER BY number",
    [stack],
  );
  return new Map(
    rows.map((row) => [
      text(row, "id"),
      {
        number: Number(row["number"]),
        entries: Number(row["entries"]),
        closedAt: row["closed_at"] === null ? undefined : text(row, "closed_at"),
      },
    ]),
  );
}

const runColumns = "number, id, serial, entries, summary, actions, closed";

async function readRunDraft(client: Client, stack: number, row: Row): Promise<RunDraft> {
  const [id, number] = [text(row, "id"), Number(row["number"])];
  const place = `run '${id}'`;
  const { actionCount: _, ...header } = parse<RunSummary["header"]>(row, "summary", place);
  const actions = parse<RunHeader["actions"]>(row, "actions", place);
  const run = createRunDraft({ ...header, actions }, number, Number(row["serial"]));
  const journal = await client.query<Row>(
    "SELECT entry, serial, body FROM wfctl_journal WHERE stack = $1 AND run = $2 ORDER BY entry",
    [stack, number],
  );
  for (const [index, entryRow] of journal.rows.entries()) {
    if (Number(entryRow["entry"]) !== index + 1) throw damaged(`journal entry ${index + 1} of ${place} is missing`);
    const event = parse<JournalEvent>(entryRow, "body", `journal entry ${index + 1} of ${place}`);
    applyToRun(run, event, Number(entryRow["serial"]));
  }
  if (journal.rows.length !== Number(row["entries"])) {
    throw damaged(`${place} has ${journal.rows.length} journal entries and should have ${String(row["entries"])}`);
  }
  run.closed = closedOf(row);
  return run;
}

function closedOf(row: Row): RunDraft["closed"] {
  return row["closed"] === null ? undefined : parse(row, "closed", `end of run '${text(row, "id")}'`);
}

/** Numbers of 64 bits come as texts. */
type Row = Readonly<Record<string, unknown>>;

function entry<Value>(kind: string): (row: Row) => [string, Value, number] {
  return (row) => [
    text(row, "key"),
    parse<Value>(row, "body", `${kind} '${text(row, "key")}'`),
    Number(row["position"]),
  ];
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw damaged(`column '${column}' holds no text`);
}

function parse<T>(row: Row, column: string, place: string): T {
  try {
    return JSON.parse(text(row, column)) as T;
  } catch (cause) {
    if (cause instanceof WfctlError) throw cause;
    throw damaged(`${place} is damaged`);
  }
}

function damaged(why: string): WfctlError {
  return new WfctlError("STORE_CORRUPT", `Reading the state failed: ${why}`, { hint: "Run: wfctl state doctor" });
}
