import { randomUUID } from "node:crypto";
import type { Lease, RunSummary } from "@wfctl/engine";
import { WfctlError, type JournalEvent } from "@wfctl/model";
import type { Client } from "pg";
import { admitEvents, type OpenRun } from "../admission.ts";
import type { OpenStateOptions, StackMeta, StateStore } from "../backend.ts";
import { startBeatThread } from "../beat/start-beat-thread.ts";
import { createCommitQueue, type CommitQueue } from "../commit-queue.ts";
import type { StackIdentity } from "../identity.ts";
import { defaultLeaseTimes } from "../lease/lease-view.ts";
import { defaultRetention, type Retention } from "../retention.ts";
import { openWith, sealEvent } from "../sealing/event-secrets.ts";
import { keyChanged } from "../sealing/key-changed.ts";
import { createKeyMeta, createSealer, type KeyMeta } from "../sealing/sealer.ts";
import { mapRunSecrets, mapStackSecrets } from "../sealing/secrets.ts";
import { openRunsOf, toRunState, toStackState } from "../to-state.ts";
import { createConnection, describeDatabase } from "./connection.ts";
import { releaseDatabaseLease, takeDatabaseLease } from "./lease.ts";
import type { PostgresOptions } from "./options.ts";
import { readDatabaseRun, readDatabaseSummaries, readDraft, readRunRows } from "./read-stack.ts";
import { databaseFormatVersion, hasTables, inTransaction, makeTables } from "./schema.ts";
import { createDatabaseWriter, type DatabaseWriter } from "./writer.ts";

export interface PostgresStoreOptions extends OpenStateOptions {
  readonly database: PostgresOptions;
  /** Which stack of the database. */
  readonly stack: Pick<StackIdentity, "name" | "environment">;
  readonly retention?: Retention;
}

/** What a handle has while it holds the lease. */
interface Held {
  readonly fence: number;
  readonly writer: DatabaseWriter;
  readonly abort: AbortController;
  readonly open: Map<string, OpenRun>;
  readonly queue: CommitQueue<readonly JournalEvent[]>;
  readonly stopBeating: () => void;
}

const snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/**
 * Opens the state of one stack in a Postgres database. A group of commits is one statement that checks the lease itself;
 * beats come from a thread with a connection of its own. The holder keeps the state in memory; others read the last
 * commit and wait for nobody. Throws `STORE_UNAVAILABLE` (also where there is no such stack), `STORE_VERSION`, `KEY_WRONG`.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<StateStore> {
  const { database } = options;
  const location = locationOf(options);
  const times = { ...defaultLeaseTimes, ...options.lease };
  const connection = createConnection(database, `Using the state '${location}'`);
  let stack: Stack;
  try {
    stack = await openStack(options, location, (work) => connection.use(work));
  } catch (error) {
    await connection.close();
    throw error;
  }
  const { id, keys, info } = stack;
  const isOther = options.create !== undefined && options.create.lineage !== info.lineage;
  const key = isOther ? undefined : options.key;
  let sealer;
  try {
    sealer = key === undefined ? undefined : createSealer(key, info.lineage, keys);
  } catch (error) {
    await connection.close();
    throw error;
  }
  const open = sealer === undefined ? undefined : openWith(sealer);
  let held: Held | undefined;
  let closed = false;

  const read = <T>(work: (client: Client) => Promise<T>): Promise<T> =>
    connection.use((client) => inTransaction(client, snapshot, () => work(client)));

  const hold = async (fence: number): Promise<Held> => {
    const from = await read(async (client) => ({
      draft: await readDraft(client, id, info.lineage),
      runs: await readRunRows(client, id),
      commits: await readCommits(client, id),
    }));
    const writer = createDatabaseWriter(id, fence, from, options.retention ?? defaultRetention);
    const abort = new AbortController();
    const lose = (error: WfctlError): void => {
      queue.fail(error);
      stopBeating();
      abort.abort(error);
    };
    const queue = createCommitQueue<readonly JournalEvent[]>(async (commits) => {
      try {
        const { serials, write } = writer.prepare(commits);
        await connection.use(write);
        return serials;
      } catch (thrown) {
        const error = WfctlError.from(thrown, "STORE_UNAVAILABLE");
        if (error.code === "LEASE_LOST") lose(error);
        throw error;
      }
    });
    const stopBeating = startBeatThread({ store: { kind: "postgres", database, stack: id }, fence, times }, lose);
    return { fence, writer, abort, open: openRunsOf(writer.draft), queue, stopBeating };
  };

  const release = async (mine: Held): Promise<void> => {
    await mine.queue.idle();
    if (held !== mine) return;
    held = undefined;
    mine.stopBeating();
    if (mine.queue.failed?.code === "LEASE_LOST") return;
    // A lease that cannot be given back runs out.
    await connection.use((client) => releaseDatabaseLease(client, id, mine.fence)).catch(() => undefined);
  };

  return {
    location,
    info,
    sealer,
    async load() {
      // The draft of the holder is ahead of the database while a commit is under way, and for good after one failed.
      await held?.queue.idle();
      const current = held?.queue.failed === undefined ? held?.writer.draft : undefined;
      const state = toStackState(current ?? (await read((client) => readDraft(client, id, info.lineage))));
      return open === undefined ? state : mapStackSecrets(state, open);
    },
    async acquire(holder): Promise<Lease> {
      if (options.readOnly === true || closed) {
        const why = closed ? "the store is closed" : "the state is open for reading only";
        throw new WfctlError("STORE_UNAVAILABLE", `Taking the lease of '${location}' failed: ${why}`);
      }
      const taking = { holder, writer: randomUUID() };
      const fence = await connection.use((client) => takeDatabaseLease(client, id, taking, times));
      const mine = await hold(fence);
      held = mine;
      const now = await read((client) => readStackRow(client, options.stack, location));
      if (JSON.stringify(now?.keys) !== JSON.stringify(keys)) {
        await release(mine);
        throw keyChanged(location);
      }
      return { fence, lost: mine.abort.signal, release: () => release(mine) };
    },
    commit(lease, events) {
      if (held?.fence !== lease.fence) return Promise.reject(givenBack("Commit to the state"));
      const { queue, open: openRuns } = held;
      if (queue.failed !== undefined) return Promise.reject(queue.failed);
      try {
        admitEvents(openRuns, events);
        return queue.push(events.map((event) => sealEvent(event, sealer)));
      } catch (thrown) {
        queue.fail(WfctlError.from(thrown));
        return Promise.reject(queue.failed!);
      }
    },
    runs: (limit): Promise<readonly RunSummary[]> => read((client) => readDatabaseSummaries(client, id, limit)),
    async run(runId) {
      const run = await read((client) => readDatabaseRun(client, id, runId));
      if (run === undefined) return undefined;
      return open === undefined ? toRunState(run) : mapRunSecrets(toRunState(run), open);
    },
    async compact(lease) {
      if (held?.fence !== lease.fence) throw givenBack("Compacting the state");
      await held.queue.push([]);
    },
    async close() {
      closed = true;
      if (held !== undefined) await release(held);
      await connection.close();
    },
  };
}

function givenBack(doing: string): WfctlError {
  return new WfctlError("LEASE_LOST", `${doing} failed: the lease was given back`);
}

export function locationOf({ database, stack }: Pick<PostgresStoreOptions, "database" | "stack">): string {
  return `${describeDatabase(database.dsn)}#${stack.name}.${stack.environment}`;
}

/** The row of a stack. */
export interface Stack {
  readonly id: number;
  readonly keys: KeyMeta;
  readonly info: StackMeta;
}

export async function readStackRow(
  client: Client,
  { name, environment }: PostgresStoreOptions["stack"],
  location: string,
): Promise<Stack | undefined> {
  if (!(await hasTables(client, location))) return undefined;
  const { rows } = await client.query<{ id: string; lineage: string; created_at: string; keys: string }>(
    "SELECT id, lineage, created_at, keys FROM wfctl_stacks WHERE name = $1 AND environment = $2",
    [name, environment],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const { lineage, created_at: createdAt } = row;
  return {
    id: Number(row.id),
    keys: JSON.parse(row.keys) as KeyMeta,
    info: { name, environment, lineage, createdAt, formatVersion: databaseFormatVersion },
  };
}

async function openStack(
  { stack, create, key }: PostgresStoreOptions,
  location: string,
  use: <T>(work: (client: Client) => Promise<T>) => Promise<T>,
): Promise<Stack> {
  const found = await use((client) => readStackRow(client, stack, location));
  if (found !== undefined) return found;
  if (create === undefined) {
    throw new WfctlError("STORE_UNAVAILABLE", `Opening the state '${location}' failed: there is none`);
  }
  if (key === undefined) {
    throw new WfctlError("KEY_REQUIRED", `Making the state '${location}' failed: no key is given`);
  }
  const keys = JSON.stringify(createKeyMeta(key, create.lineage));
  const createdAt = new Date().toISOString();
  return await use(async (client) => {
    await makeTables(client, location);
    await insertStack(client, [create.name, create.environment, create.lineage, createdAt, keys]);
    return (await readStackRow(client, stack, location))!;
  });
}

/** Of several who make the same stack one does. */
async function insertStack(client: Client, values: readonly string[]): Promise<void> {
  await client.query(
    `WITH made AS (
      INSERT INTO wfctl_stacks (name, environment, lineage, created_at, keys, serial, runs, records, commits, last_commit)
      VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0, '') ON CONFLICT (name, environment) DO NOTHING RETURNING id)
    INSERT INTO wfctl_leases (stack, fence, beat_at, expiry_ms) SELECT id, 0, clock_timestamp(), 0 FROM made`,
    [...values],
  );
}

async function readCommits(client: Client, stack: number): Promise<number> {
  const { rows } = await client.query<{ commits: string }>("SELECT commits FROM wfctl_stacks WHERE id = $1", [stack]);
  return Number(rows[0]?.commits);
}
