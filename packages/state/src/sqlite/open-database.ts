import { accessSync, constants, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { WfctlError } from "@wfctl/model";
import { toStoreError } from "./errors.ts";
import { checkFormat, laterTables } from "./schema.ts";

/**
 * Never opens the database file by other means than SQLite: closing any other descriptor of it would drop the locks that
 * a connection of this process holds.
 */

/**
 * True where a state is, or what is left of one. Throws `STORE_UNAVAILABLE` where that cannot be told, as in a folder that
 * may not be entered: a state that is only out of sight is not to be taken for none.
 */
export function stackExists(path: string): boolean {
  try {
    return isThere(path) || isThere(`${path}-wal`);
  } catch (error) {
    throw toStoreError(error, `Looking for the state '${path}'`);
  }
}

function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    // A file in the place of its folder is no place for a state either.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** A connection that writes. Refuses what is missing, empty, foreign or of a newer format. */
export function openForWriting(path: string): DatabaseSync {
  checkFile(path);
  try {
    accessSync(path, constants.W_OK);
    const db = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: false });
    try {
      checkFormat(db, path);
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000");
      // On macOS fsync alone does not reach the disk; elsewhere these do nothing.
      db.exec("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON");
      db.exec("PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -4000");
      db.exec(laterTables);
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  } catch (error) {
    throw toStoreError(error, `Opening the state '${path}'`);
  }
}

const busyTimeoutMs = 10_000;

/**
 * Runs `read` in one read transaction on the last commit, and changes nothing: not the database file, and, where no
 * writer has left a log behind, no file at all.
 *
 * A database in WAL mode that is opened read-only makes the log and its index when they are missing. So where there is
 * no log the file is opened as immutable, which makes nothing and locks nothing; that a writer came in between shows in
 * the file's times or in a log, and then the read is done again, the ordinary way.
 */
export function readDatabase<T>(path: string, read: (db: DatabaseSync) => T): T {
  const before = checkFile(path);
  if (!before.hasLog) {
    const result = attempt(() => readOnce(path, true, read));
    const after = checkFile(path);
    if (!after.hasLog && after.stamp === before.stamp) {
      if ("thrown" in result) throw toStoreError(result.thrown, `Reading the state '${path}'`);
      return result.value;
    }
  }
  try {
    return readOnce(path, false, read);
  } catch (error) {
    throw toStoreError(error, `Reading the state '${path}'`);
  }
}

function readOnce<T>(path: string, immutable: boolean, read: (db: DatabaseSync) => T): T {
  const url = pathToFileURL(path);
  if (immutable) url.searchParams.set("immutable", "1");
  const db = new DatabaseSync(url, { readOnly: true, timeout: busyTimeoutMs });
  try {
    checkFormat(db, path);
    db.exec("BEGIN");
    const result = read(db);
    db.exec("COMMIT");
    return result;
  } finally {
    db.close();
  }
}

function attempt<T>(act: () => T): { value: T } | { thrown: unknown } {
  try {
    return { value: act() };
  } catch (thrown) {
    return { thrown };
  }
}

/** Refuses a missing or empty file: neither is ever taken for an empty state. */
function checkFile(path: string): { readonly hasLog: boolean; readonly stamp: string } {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  const file = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (file === undefined) {
    if (log === undefined) {
      throw new WfctlError("STORE_UNAVAILABLE", `Opening the state '${path}' failed: there is no such file`);
    }
    throw new WfctlError("STORE_CORRUPT", `Opening the state '${path}' failed: its log is there, the file is missing`, {
      hint: "Bring the file back from a copy, beside its log",
    });
  }
  if (!file.isFile()) throw new WfctlError("STORE_UNAVAILABLE", `Opening the state '${path}' failed: it is no file`);
  if (file.size === 0n) {
    throw new WfctlError("STORE_CORRUPT", `Opening the state '${path}' failed: the file is empty`, {
      hint: "Bring the file back from a copy; a new state is never made in its place",
    });
  }
  const stamp = [file.ino, file.size, file.mtimeNs, file.ctimeNs].join(":");
  return { hasLog: log !== undefined && log.size > 0, stamp };
}
