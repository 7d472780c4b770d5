import { closeSync, linkSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeFolders, WfctlError } from "@wfctl/model";
import { syncDirectory } from "../durable-file.ts";
import type { StackIdentity } from "../identity.ts";
import type { StackKey } from "../sealing/key.ts";
import { createKeyMeta } from "../sealing/sealer.ts";
import { keyOf, sumOf } from "./checksum.ts";
import { toStoreError } from "./errors.ts";
import { applicationId, formatVersion, laterTables, schema } from "./schema.ts";

export interface CreateStackOptions extends StackIdentity {
  readonly path: string;
  readonly key: StackKey;
}

/**
 * Makes the file of a new, empty stack. The file appears whole and durable, or not at all.
 * Throws `STORE_UNAVAILABLE` where a file is already; of two makers at once one wins.
 */
export function createStack(options: CreateStackOptions): void {
  const { path } = options;
  const draft = `${path}.${process.pid}.new`;
  try {
    makeFolders(dirname(path), { mkdirSync, statSync }, 0o700);
    removeDatabase(draft);
    try {
      writeDatabase(draft, options);
      linkSync(draft, path);
    } finally {
      removeDatabase(draft);
    }
    syncDirectory(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw new WfctlError("STORE_UNAVAILABLE", `Making the state '${path}' failed: there is one already`);
    }
    throw toStoreError(error, `Making the state '${path}'`);
  }
}

function writeDatabase(path: string, { lineage, name, environment, key }: CreateStackOptions): void {
  closeSync(openSync(path, "wx", 0o600));
  const db = new DatabaseSync(path);
  try {
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA application_id = ${applicationId}`);
    db.exec("BEGIN");
    db.exec(schema);
    db.exec(laterTables);
    const createdAt = new Date().toISOString();
    const keys = JSON.stringify(createKeyMeta(key, lineage));
    db.prepare(
      "INSERT INTO meta (id, lineage, name, environment, created_at, sum, keys) VALUES (1, ?, ?, ?, ?, ?, ?)",
    ).run(lineage, name, environment, createdAt, sumOf(keyOf(lineage, name, environment, createdAt), keys), keys);
    db.prepare("INSERT INTO stack (id, serial, runs, records, sum) VALUES (1, 0, 0, 0, ?)").run(
      sumOf(keyOf(0, 0, 0), ""),
    );
    db.exec("INSERT INTO lease (id, fence, holder, beat_ms, expiry_ms) VALUES (1, 0, NULL, 0, 0)");
    db.exec(`PRAGMA user_version = ${formatVersion}; COMMIT`);
  } finally {
    db.close();
  }
}

function removeDatabase(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true });
}
