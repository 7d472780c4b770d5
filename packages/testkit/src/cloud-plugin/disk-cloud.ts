import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { JsonObject } from "@wfctl/model";
import { perform } from "./memory-cloud.ts";
import type { PendingWork, PluginCall, PluginCloud, StoredObject } from "./stored-object.ts";

/** What happened in a cloud on disk, in order. `pid` is the plugin process that did it. */
export interface StoredEffect {
  readonly seq: number;
  readonly atMs: number;
  readonly pid: number;
  readonly kind: "created" | "completed" | "updated" | "deleted" | "finalized";
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly token: string;
}

export interface StoredCall extends PluginCall {
  readonly seq: number;
  readonly atMs: number;
  readonly pid: number;
  readonly nth: number;
}

/** A cloud in a folder that outlives its plugins, for them and for the tests that look into it. */
export interface DiskCloud extends PluginCloud {
  /** All objects of all accounts, oldest first. */
  objects(): readonly StoredObject[];
  effects(): readonly StoredEffect[];
  /** Calls that reached a plugin, in order. */
  calls(): readonly StoredCall[];
}

const schema = `
  CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, account TEXT, type TEXT, name TEXT, inputs TEXT, owner TEXT,
    token TEXT, state TEXT, revision INTEGER, finalized INTEGER
  );
  CREATE INDEX IF NOT EXISTS objects_by_name ON objects (account, type, name);
  CREATE UNIQUE INDEX IF NOT EXISTS objects_by_token ON objects (account, type, token) WHERE token <> '';
  CREATE TABLE IF NOT EXISTS effects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER, pid INTEGER, kind TEXT, id TEXT, type TEXT, name TEXT, token TEXT
  );
  CREATE TABLE IF NOT EXISTS calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER, pid INTEGER, operation TEXT, type TEXT, name TEXT,
    provider_id TEXT, token TEXT, run TEXT, nth INTEGER
  );
  CREATE INDEX IF NOT EXISTS calls_by_name ON calls (operation, type, name);
  CREATE TABLE IF NOT EXISTS pending (seq INTEGER PRIMARY KEY AUTOINCREMENT, due_ms INTEGER, work TEXT);
`;

/** Opens the cloud in the folder, making it where there is none. Many processes may have it open. */
export function openDiskCloud(root: string): DiskCloud {
  mkdirSync(root, { recursive: true });
  const db = new DatabaseSync(join(root, "cloud.db"));
  // A process that dies loses nothing that the system has; power cuts are not this cloud's business.
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 10000;");
  db.exec(schema);
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (statement === undefined) statements.set(sql, (statement = db.prepare(sql)));
    return statement;
  };
  const one = (sql: string, ...values: (string | number)[]): Row | undefined =>
    prepare(sql).get(...values) as unknown as Row | undefined;
  const all = (sql: string, ...values: (string | number)[]): Row[] => prepare(sql).all(...values) as unknown as Row[];
  const run = (sql: string, ...values: (string | number)[]): number => Number(prepare(sql).run(...values).changes);
  const atomic = <T>(work: () => T): T => {
    if (db.isTransaction) return work();
    db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      db.exec("COMMIT");
      return result;
    } catch (error) {
      db.exec("ROLLBACK");
      throw error;
    }
  };
  const note = (kind: StoredEffect["kind"], object: StoredObject): void => {
    run(
      "INSERT INTO effects (at_ms, pid, kind, id, type, name, token) VALUES (?, ?, ?, ?, ?, ?, ?)",
      Date.now(),
      process.pid,
      kind,
      object.id,
      object.type,
      object.name,
      object.token,
    );
  };
  /** Whoever looks first after its time does what was under way when a process died. */
  const settled = <T>(work: () => T): T =>
    atomic(() => {
      const due = all("SELECT seq, work FROM pending WHERE due_ms <= ? ORDER BY due_ms, seq", Date.now());
      for (const row of due) {
        run("DELETE FROM pending WHERE seq = ?", row.seq);
        perform(cloud, JSON.parse(row.work) as PendingWork);
      }
      return work();
    });
  const byId = (account: string, id: string): StoredObject | undefined =>
    objectOf(one("SELECT * FROM objects WHERE account = ? AND id = ?", account, id));

  const cloud: DiskCloud = {
    create: (request) =>
      settled(() => {
        const { account, type, name, owner = "", token = "" } = request;
        const known =
          token === ""
            ? undefined
            : objectOf(one("SELECT * FROM objects WHERE account = ? AND type = ? AND token = ?", account, type, token));
        if (known !== undefined) {
          if (known.state === "ready") return { object: known, fresh: false };
          run("UPDATE objects SET state = 'ready', inputs = ? WHERE id = ?", JSON.stringify(request.inputs), known.id);
          note("completed", known);
          return { object: byId(account, known.id)!, fresh: false };
        }
        const seq = (one("SELECT seq FROM sqlite_sequence WHERE name = 'objects'")?.seq ?? 0) + 1;
        const id = `test-${seq}`;
        run(
          "INSERT INTO objects (id, account, type, name, inputs, owner, token, state, revision, finalized) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 0)",
          id,
          account,
          type,
          name,
          JSON.stringify(request.inputs),
          owner,
          token,
          request.partial === true ? "partial" : "ready",
        );
        const object = byId(account, id)!;
        note("created", object);
        return { object, fresh: true };
      }),
    get: (account, id) => settled(() => byId(account, id)),
    findByName: (account, type, name) =>
      settled(() =>
        objectOf(
          one("SELECT * FROM objects WHERE account = ? AND type = ? AND name = ? ORDER BY seq", account, type, name),
        ),
      ),
    findByToken: (account, type, token) =>
      settled(() =>
        objectOf(
          one(
            "SELECT * FROM objects WHERE account = ? AND type = ? AND token = ? AND token <> ''",
            account,
            type,
            token,
          ),
        ),
      ),
    update: (account, id, inputs) =>
      settled(() => {
        const changed = run(
          "UPDATE objects SET inputs = ?, state = 'ready', revision = revision + 1, finalized = 0 WHERE account = ? AND id = ?",
          JSON.stringify(inputs),
          account,
          id,
        );
        if (changed === 0) return undefined;
        const object = byId(account, id)!;
        note("updated", object);
        return object;
      }),
    delete: (account, id) =>
      settled(() => {
        const object = byId(account, id);
        if (object === undefined) return false;
        run("DELETE FROM objects WHERE id = ?", id);
        note("deleted", object);
        return true;
      }),
    list: (account) =>
      settled(() => all("SELECT * FROM objects WHERE account = ? ORDER BY seq", account).map((row) => objectOf(row)!)),
    finalize: (account, ids) =>
      settled(() => {
        for (const id of ids) {
          const object = byId(account, id);
          if (object === undefined || object.finalized) continue;
          run("UPDATE objects SET finalized = 1 WHERE id = ?", id);
          note("finalized", object);
        }
      }),
    later: (delayMs, work) =>
      atomic(
        () => void run("INSERT INTO pending (due_ms, work) VALUES (?, ?)", Date.now() + delayMs, JSON.stringify(work)),
      ),
    countCall: (call) =>
      atomic(() => {
        const { operation, type, name, providerId, token, run: runId } = call;
        const row = one(
          "SELECT count(*) AS n FROM calls WHERE operation = ? AND type = ? AND name = ?",
          operation,
          type,
          name,
        );
        const nth = (row?.n ?? 0) + 1;
        run(
          "INSERT INTO calls (at_ms, pid, operation, type, name, provider_id, token, run, nth) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
          Date.now(),
          process.pid,
          operation,
          type,
          name,
          providerId,
          token,
          runId,
          nth,
        );
        return nth;
      }),
    close: () => db.close(),
    objects: () => settled(() => all("SELECT * FROM objects ORDER BY seq").map((row) => objectOf(row)!)),
    effects: () =>
      settled(
        () =>
          all(
            "SELECT seq, at_ms AS atMs, pid, kind, id, type, name, token FROM effects ORDER BY seq",
          ) as unknown as StoredEffect[],
      ),
    calls: () =>
      all(
        "SELECT seq, at_ms AS atMs, pid, operation, type, name, provider_id AS providerId, token, run, nth FROM calls ORDER BY seq",
      ) as unknown as StoredCall[],
  };
  return cloud;
}

/** Columns of all tables, as far as a statement asks for them. */
interface Row extends Omit<StoredObject, "inputs" | "finalized"> {
  readonly seq: number;
  readonly n: number;
  readonly inputs: string;
  readonly finalized: number;
  readonly work: string;
}

function objectOf(row: Row | undefined): StoredObject | undefined {
  if (row === undefined) return undefined;
  const { id, account, type, name, owner, token, state, revision } = row;
  const inputs = JSON.parse(row.inputs) as JsonObject;
  return { id, account, type, name, inputs, owner, token, state, revision, finalized: row.finalized === 1 };
}
