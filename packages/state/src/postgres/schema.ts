import type { Client } from "pg";
import { WfctlError } from "@wfctl/model";

/** Grows when an older wfctl could not read the tables. */
export const databaseFormatVersion = 1;

/**
 * All stacks share the tables; each row names its stack. Each `body` is JSON with its secrets sealed, kept as text: what
 * was written is what is read. `position` keeps the order that readers see.
 *
 * The lease has a row of its own. A commit holds it FOR KEY SHARE, which a beat does not wait for and which a takeover,
 * FOR UPDATE, does: so none of them waits for a client that computes, and no commit lands after the lease was taken.
 * `wfctl_leases.writer` tells a handle whose answer was lost that the lease is its own.
 * `wfctl_stacks.commits` and `last_commit` make a commit that is sent twice take effect once.
 */
const schema = `
CREATE TABLE wfctl_format (version INTEGER NOT NULL);
CREATE TABLE wfctl_stacks (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name TEXT NOT NULL, environment TEXT NOT NULL, lineage TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL, keys TEXT NOT NULL,
  serial BIGINT NOT NULL, runs BIGINT NOT NULL, records BIGINT NOT NULL, commits BIGINT NOT NULL, last_commit TEXT NOT NULL,
  UNIQUE (name, environment)
);
CREATE TABLE wfctl_leases (
  stack BIGINT PRIMARY KEY REFERENCES wfctl_stacks (id) ON DELETE CASCADE,
  fence BIGINT NOT NULL, holder TEXT, writer TEXT, beat_at TIMESTAMPTZ NOT NULL, expiry_ms BIGINT NOT NULL
);
CREATE TABLE wfctl_records (
  stack BIGINT NOT NULL REFERENCES wfctl_stacks (id) ON DELETE CASCADE,
  name TEXT NOT NULL, position BIGINT NOT NULL, serial BIGINT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (stack, name)
);
CREATE TABLE wfctl_runs (
  stack BIGINT NOT NULL REFERENCES wfctl_stacks (id) ON DELETE CASCADE,
  number BIGINT NOT NULL, id TEXT NOT NULL, serial BIGINT NOT NULL, entries BIGINT NOT NULL,
  summary TEXT NOT NULL, actions TEXT NOT NULL, closed TEXT, closed_at TEXT,
  PRIMARY KEY (stack, number), UNIQUE (stack, id)
);
CREATE TABLE wfctl_journal (
  stack BIGINT NOT NULL, run BIGINT NOT NULL, entry BIGINT NOT NULL, kind TEXT NOT NULL, serial BIGINT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (stack, run, entry), FOREIGN KEY (stack, run) REFERENCES wfctl_runs (stack, number) ON DELETE CASCADE
);
CREATE TABLE wfctl_unknown (
  stack BIGINT NOT NULL REFERENCES wfctl_stacks (id) ON DELETE CASCADE,
  key TEXT NOT NULL, position BIGINT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (stack, key)
);
CREATE TABLE wfctl_finalize_owed (
  stack BIGINT NOT NULL REFERENCES wfctl_stacks (id) ON DELETE CASCADE,
  provider TEXT NOT NULL, position BIGINT NOT NULL,
  PRIMARY KEY (stack, provider)
);
CREATE TABLE wfctl_hooks_owed (
  stack BIGINT NOT NULL REFERENCES wfctl_stacks (id) ON DELETE CASCADE,
  key TEXT NOT NULL, position BIGINT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (stack, key)
);
CREATE TABLE wfctl_provider_configs (
  stack BIGINT NOT NULL REFERENCES wfctl_stacks (id) ON DELETE CASCADE,
  provider TEXT NOT NULL, position BIGINT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (stack, provider)
);
INSERT INTO wfctl_format (version) VALUES (${databaseFormatVersion});
`;

/** False where no wfctl has made its tables yet. Throws `STORE_VERSION` for tables of a newer one. */
export async function hasTables(client: Client, location: string): Promise<boolean> {
  const found = await client.query<{ there: boolean }>("SELECT to_regclass('wfctl_format') IS NOT NULL AS there");
  if (found.rows[0]?.there !== true) return false;
  const { rows } = await client.query<{ version: number }>("SELECT version FROM wfctl_format");
  const version = rows[0]?.version;
  if (version === databaseFormatVersion) return true;
  throw new WfctlError(
    "STORE_VERSION",
    `Opening the state in '${location}' failed: its format is version ${version}, this wfctl reads version ${databaseFormatVersion}`,
    { hint: "Use the wfctl that wrote it, or a newer one" },
  );
}

/** Makes the tables where they are missing; of several makers at once one does. */
export async function makeTables(client: Client, location: string): Promise<void> {
  await inTransaction(client, "BEGIN", async () => {
    await client.query("SELECT pg_advisory_xact_lock(hashtext('wfctl_format'))");
    if (!(await hasTables(client, location))) await client.query(schema);
  });
}

/** `begin` says which kind. */
export async function inTransaction<T>(client: Client, begin: string, work: () => Promise<T>): Promise<T> {
  await client.query(begin);
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}
