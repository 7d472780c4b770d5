import type { DatabaseSync } from "node:sqlite";
import { WfctlError } from "@wfctl/model";

/** `wfct` in ASCII: tells our files from other SQLite databases. */
export const applicationId = 0x77666374;

/** Grows when an older wfctl could not read the file. */
export const formatVersion = 1;

/** Journal rows of one run lie side by side: the id of a row is the run's number times this plus the row's own number. */
export const runStride = 2 ** 30;

/**
 * `serial` is the stack's serial when the row was written. Each `body` is JSON with its secrets sealed. `sum` is the
 * CRC-32 that `sumOf` gives for the key columns that the readers name and the text: a flipped bit is found, not used.
 * `journal.slot` is what closing a run has to know of the event without reading its body.
 * `runs.closed` stands before the long columns, so that finding the open runs does not read them.
 */
export const schema = `
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  lineage TEXT NOT NULL, name TEXT NOT NULL, environment TEXT NOT NULL, created_at TEXT NOT NULL,
  sum INTEGER NOT NULL, keys TEXT NOT NULL
) STRICT;
CREATE TABLE stack (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  serial INTEGER NOT NULL, runs INTEGER NOT NULL, records INTEGER NOT NULL, sum INTEGER NOT NULL
) STRICT;
CREATE TABLE lease (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  fence INTEGER NOT NULL, holder TEXT, beat_ms INTEGER NOT NULL, expiry_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE records (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE, providers TEXT NOT NULL, serial INTEGER NOT NULL, sum INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE runs (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE, closed TEXT, closed_at TEXT, closed_sum INTEGER, serial INTEGER NOT NULL, action_count INTEGER NOT NULL,
  sum INTEGER NOT NULL, summary TEXT NOT NULL, actions TEXT NOT NULL
) STRICT;
CREATE TABLE journal (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL, slot TEXT, serial INTEGER NOT NULL, sum INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE unknown (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE, provider TEXT NOT NULL, why TEXT NOT NULL, sum INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE finalize_owed (id INTEGER PRIMARY KEY, provider TEXT NOT NULL UNIQUE, sum INTEGER NOT NULL) STRICT;
CREATE TABLE provider_configs (
  id INTEGER PRIMARY KEY,
  provider TEXT NOT NULL UNIQUE, name TEXT NOT NULL, sum INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
`;

/** Tables that files of the first wfctl lack: whoever writes makes them, whoever reads takes them for empty. */
export const laterTables = `
CREATE TABLE IF NOT EXISTS hooks_owed (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE, run TEXT NOT NULL, action INTEGER NOT NULL, name TEXT NOT NULL, sum INTEGER NOT NULL
) STRICT;
`;

/** The store's clock: milliseconds since the epoch, as SQLite on this machine tells it. */
export const nowMs = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/** Refuses files of others and of newer formats. */
export function checkFormat(db: DatabaseSync, path: string): void {
  const id = pragma(db, "application_id");
  if (id !== applicationId) {
    throw new WfctlError(
      "STORE_CORRUPT",
      `Opening the state '${path}' failed: it is a database, but no state of wfctl`,
    );
  }
  const version = pragma(db, "user_version");
  if (version === formatVersion) return;
  throw new WfctlError(
    "STORE_VERSION",
    `Opening the state '${path}' failed: its format is version ${version}, this wfctl reads version ${formatVersion}`,
    { hint: "Use the wfctl that wrote it, or a newer one" },
  );
}

function pragma(db: DatabaseSync, name: string): number {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
}
