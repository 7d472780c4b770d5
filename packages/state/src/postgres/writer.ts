import { randomUUID } from "node:crypto";
import { WfctlError, type JournalEvent } from "@wfctl/model";
import type { Client } from "pg";
import { lostError } from "../lease/lease-view.ts";
import { applyCommit, recordChangeOf, runOf } from "../reduce.ts";
import { runsToDrop, type Retention } from "../retention.ts";
import { summaryOf } from "../run-summary.ts";
import type { RunRow, TrackedDraft } from "./read-stack.ts";
import type { Changes } from "./tracked.ts";

/** Applies commits of sealed events to the draft of its stack, and tells what is to be written. */
export interface DatabaseWriter {
  readonly draft: TrackedDraft;
  /** The rows of one transaction, and the serial after each commit. The draft is ahead until they are written. */
  prepare(commits: readonly (readonly JournalEvent[])[]): { readonly serials: number[]; readonly write: Write };
}

/** Makes a transaction durable. Doing it twice is as doing it once. Throws `LEASE_LOST`. */
export type Write = (client: Client) => Promise<void>;

interface Run extends RunRow {
  readonly id: string;
}

interface JournalRow {
  readonly run: string;
  readonly number: number;
  readonly entry: number;
  readonly kind: string;
  readonly serial: number;
  readonly body: string;
}

export function createDatabaseWriter(
  stack: number,
  fence: number,
  from: { readonly draft: TrackedDraft; readonly runs: ReadonlyMap<string, RunRow>; readonly commits: number },
  retention: Retention,
): DatabaseWriter {
  const { draft } = from;
  const runs = new Map<string, Run>([...from.runs].map(([id, run]) => [id, { ...run, id }]));
  let written = from.commits;
  let started = draft.runCount;

  return {
    draft,
    prepare(commits) {
      const added = new Map<string, { serial: number; summary: string; actions: string }>();
      const touched = new Map<string, string | undefined>();
      const dropped = new Map<string, number>();
      /** Serial of the last change, by record. */
      const changedAt = new Map<string, number>();
      let journal: JournalRow[] = [];

      const append = (event: JournalEvent, run: Run): void => {
        const entry = run.entries + 1;
        runs.set(run.id, { ...run, entries: entry });
        touched.set(run.id, touched.get(run.id));
        const { kind } = event;
        journal.push({
          run: run.id,
          number: run.number,
          entry,
          kind,
          serial: draft.serial,
          body: JSON.stringify(event),
        });
      };
      const note = (event: JournalEvent): void => {
        if (event.kind === "provider-config") return;
        if (event.kind === "run-started") {
          const { id } = event.run;
          const summary = JSON.stringify(summaryOf({ header: event.run }).header);
          added.set(id, { serial: draft.serial, summary, actions: JSON.stringify(event.run.actions) });
          started += 1;
          runs.set(id, { id, number: started, entries: 0, closedAt: undefined });
          return;
        }
        const run = runs.get(runOf(event)!);
        if (run === undefined) return;
        if (event.kind !== "run-closed") return append(event, run);
        const { end, at, error } = event;
        runs.set(run.id, { ...run, closedAt: at });
        touched.set(run.id, JSON.stringify({ end, at, error }));
        dropOld();
      };
      const dropOld = (): void => {
        const closed = [...runs.values()]
          .filter((run) => run.closedAt !== undefined)
          .map((run) => ({ id: run.id, number: run.number, closedAt: run.closedAt! }));
        for (const { id, number } of runsToDrop(closed, Date.now(), retention)) {
          runs.delete(id);
          touched.delete(id);
          if (!added.delete(id)) dropped.set(id, number);
          journal = journal.filter((row) => row.run !== id);
        }
      };

      const serials = commits.map((events) => {
        const serial = applyCommit(draft, events);
        for (const event of events) {
          const change = recordChangeOf(event);
          if (change !== undefined && "put" in change) changedAt.set(change.put.name, serial);
          note(event);
        }
        return serial;
      });
      dropOld();
      const records = draft.records.drain();
      const values = [
        stack,
        fence,
        written,
        randomUUID(),
        draft.serial,
        draft.runCount,
        draft.records.size,
        ...columnsOf(records, (record) => JSON.stringify(record)),
        ...columnsOf(draft.unknown.drain(), (unknown) => JSON.stringify(unknown)),
        ...columnsOf(draft.finalizeOwed.drain(), () => ""),
        ...columnsOf(draft.providerConfigs.drain(), (config) => JSON.stringify(config)),
        ...transpose(
          [...added].map(([id, { serial, summary, actions }]) => {
            const { number, entries, closedAt } = runs.get(id)!;
            return [number, id, serial, entries, summary, actions, touched.get(id) ?? null, closedAt ?? null];
          }),
          8,
        ),
        ...transpose(
          [...touched]
            .filter(([id]) => !added.has(id))
            .map(([id, closed]) => {
              const { number, entries, closedAt } = runs.get(id)!;
              return [number, entries, closed ?? null, closed === undefined ? null : closedAt!];
            }),
          4,
        ),
        [...dropped.values()],
        ...transpose(
          journal.map(({ number, entry, kind, serial, body }) => [number, entry, kind, serial, body]),
          5,
        ),
        records.put.map(({ key }) => changedAt.get(key)!),
        ...columnsOf(draft.hooksOwed.drain(), (hook) => JSON.stringify(hook)),
      ];
      written += 1;
      return { serials, write: (client) => writeOnce(client, values) };
    },
  };
}

async function writeOnce(client: Client, values: readonly unknown[]): Promise<void> {
  const { rows } = await client.query<{ done: boolean }>({
    name: "wfctl-commit",
    text: statement,
    values: [...values],
  });
  if (rows[0]?.done === true) return;
  const [stack, fence, , id] = values;
  const found = await client.query<{ last_commit: string; fence: string; holder: string | null }>(
    `SELECT last_commit, fence, holder FROM wfctl_stacks JOIN wfctl_leases ON stack = id WHERE id = $1`,
    [stack],
  );
  const [row] = found.rows;
  // An earlier try took effect, and its answer was lost.
  if (row?.last_commit === id) return;
  if (row === undefined || Number(row.fence) !== fence || row.holder === null) throw lostError();
  throw new WfctlError("STORE_CORRUPT", "Commit to the state failed: another has written under the same lease");
}

function columnsOf<Value>({ put, removed }: Changes<string, Value>, encode: (value: Value) => string): unknown[] {
  return [
    put.map(({ key }) => key),
    put.map(({ position }) => position),
    put.map(({ value }) => encode(value)),
    removed,
  ];
}

function transpose(rows: readonly (readonly unknown[])[], width: number): unknown[] {
  return Array.from({ length: width }, (_, column) => rows.map((row) => row[column]));
}

/** Upserts and deletes of one table: parameters `first` to `first + 3`. */
function collection(table: string, key: string, first: number, body: boolean): string {
  const columns = body ? `${key}, position, body` : `${key}, position`;
  const wanted = body ? "row.key, row.position, row.body" : "row.key, row.position";
  const update = body ? ", body = excluded.body" : "";
  return `${table}_put AS (INSERT INTO wfctl_${table} (stack, ${columns})
    SELECT turn.id, ${wanted} FROM turn,
      unnest($${first}::text[], $${first + 1}::bigint[], $${first + 2}::text[]) AS row (key, position, body)
    ON CONFLICT (stack, ${key}) DO UPDATE SET position = excluded.position${update}),
  ${table}_removed AS (DELETE FROM wfctl_${table} WHERE stack = (SELECT id FROM turn) AND ${key} = ANY ($${first + 3}::text[]))`;
}

/**
 * One commit group is one statement: whole or not at all, one round trip, and no lock waits for this process. It does
 * nothing unless the lease is held and the commit before it is the last one.
 */
const statement = `
WITH held AS (
  SELECT stack FROM wfctl_leases WHERE stack = $1 AND fence = $2 AND holder IS NOT NULL FOR KEY SHARE
), turn AS (
  UPDATE wfctl_stacks SET commits = commits + 1, last_commit = $4, serial = $5, runs = $6, records = $7
  WHERE id = $1 AND commits = $3 AND EXISTS (SELECT FROM held) RETURNING id
), records_put AS (
  INSERT INTO wfctl_records (stack, name, position, body, serial)
  SELECT turn.id, row.* FROM turn, unnest($8::text[], $9::bigint[], $10::text[], $42::bigint[]) AS row
  ON CONFLICT (stack, name) DO UPDATE
    SET position = excluded.position, body = excluded.body, serial = excluded.serial
), records_removed AS (
  DELETE FROM wfctl_records WHERE stack = (SELECT id FROM turn) AND name = ANY ($11::text[])
),
  ${collection("unknown", "key", 12, true)},
  ${collection("finalize_owed", "provider", 16, false)},
  ${collection("provider_configs", "provider", 20, true)},
  ${collection("hooks_owed", "key", 43, true)},
runs_added AS (
  INSERT INTO wfctl_runs (stack, number, id, serial, entries, summary, actions, closed, closed_at)
  SELECT turn.id, row.* FROM turn, unnest($24::bigint[], $25::text[], $26::bigint[], $27::bigint[], $28::text[],
    $29::text[], $30::text[], $31::text[]) AS row
), runs_touched AS (
  UPDATE wfctl_runs SET entries = row.entries, closed = coalesce(row.closed, wfctl_runs.closed),
    closed_at = coalesce(row.closed_at, wfctl_runs.closed_at)
  FROM turn, unnest($32::bigint[], $33::bigint[], $34::text[], $35::text[]) AS row (number, entries, closed, closed_at)
  WHERE wfctl_runs.stack = turn.id AND wfctl_runs.number = row.number
), runs_dropped AS (
  DELETE FROM wfctl_runs WHERE stack = (SELECT id FROM turn) AND number = ANY ($36::bigint[])
), journal_added AS (
  INSERT INTO wfctl_journal (stack, run, entry, kind, serial, body)
  SELECT turn.id, row.* FROM turn,
    unnest($37::bigint[], $38::bigint[], $39::text[], $40::bigint[], $41::text[]) AS row
)
SELECT EXISTS (SELECT FROM turn) AS done`;
