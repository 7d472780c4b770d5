import type { DatabaseSync } from "node:sqlite";
import type { LeaseHolder } from "@wfctl/engine";
import type { JournalEvent } from "@wfctl/model";
import type { StackKey } from "../sealing/key.ts";
import { createResealing, dropping, rewriteEvent, type Rewriting } from "../rekey/rewriting.ts";
import { createKeyMeta, createSealer, type KeyMeta } from "../sealing/sealer.ts";
import { keyOf, parseBody, sumOf } from "./checksum.ts";
import { refuseEmergencies } from "../read-back.ts";
import { toStoreError } from "./errors.ts";
import { releaseLease, takeLease } from "./lease-table.ts";
import { setCounts } from "./fixes.ts";
import { openForWriting } from "./open-database.ts";
import { readInfo } from "./read-state.ts";
import { encodeRecord } from "./rows.ts";

export interface RekeyOptions {
  readonly path: string;
  readonly holder: LeaseHolder;
  readonly newKey: StackKey;
}

/**
 * Seals everything anew: new data key under the new stack key, so that neither the old key nor an old copy of the data
 * key opens what is stored from now on. One transaction; old ciphertext does not stay in the file.
 * Throws `KEY_WRONG`, `LEASE_HELD`.
 */
export function rekey(options: RekeyOptions & { readonly oldKey: StackKey }): void {
  rewrite(options, "Changing the key", (lineage, oldKeys, newKeys) =>
    createResealing(createSealer(options.oldKey, lineage, oldKeys), createSealer(options.newKey, lineage, newKeys)),
  );
}

/** For a key that is lost: takes every sealed value out, and gives the stack a new key. */
export function dropSecrets(options: RekeyOptions): void {
  rewrite(options, "Dropping the secrets", () => dropping);
}

function rewrite(
  { path, holder, newKey }: RekeyOptions,
  doing: string,
  plan: (lineage: string, oldKeys: KeyMeta, newKeys: KeyMeta) => Rewriting,
): void {
  refuseEmergencies(path, doing);
  const db = openForWriting(path);
  try {
    const { lineage, keys, serial } = readInfo(db);
    const newKeys = createKeyMeta(newKey, lineage);
    const rewriting = plan(lineage, keys, newKeys);
    const fence = takeLease(db, holder, 30_000);
    try {
      db.exec("BEGIN IMMEDIATE");
      rewriteRecords(db, rewriting);
      rewriteJournal(db, rewriting);
      rewriteUnknown(db, rewriting);
      rewriteConfigs(db, rewriting);
      writeKeys(db, newKeys);
      setCounts(db, { serial: serial + 1 });
      db.exec("COMMIT");
      // Old ciphertext must not linger in free pages or in the log.
      db.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      if (db.isTransaction) db.exec("ROLLBACK");
      releaseLease(db, fence);
    }
  } catch (error) {
    throw toStoreError(error, `${doing} of the state '${path}'`);
  } finally {
    db.close();
  }
}

function writeKeys(db: DatabaseSync, newKeys: KeyMeta): void {
  const { lineage, name, environment, createdAt } = readInfo(db);
  const keys = JSON.stringify(newKeys);
  db.prepare("UPDATE meta SET keys = ?, sum = ?").run(keys, sumOf(keyOf(lineage, name, environment, createdAt), keys));
}

function rewriteRecords(db: DatabaseSync, rewriting: Rewriting): void {
  const update = db.prepare("UPDATE records SET sum = ?, body = ? WHERE id = ?");
  for (const { id, name, sum, body } of rowsOf(db, "records")) {
    const { put } = encodeRecord(rewriting.record(parseBody(`record '${name}'`, name!, body, sum)));
    update.run(put.sum, put.body, id);
  }
}

function rewriteJournal(db: DatabaseSync, rewriting: Rewriting): void {
  const update = db.prepare("UPDATE journal SET sum = ?, body = ? WHERE id = ?");
  for (const { id, kind, slot, serial, sum, body } of rowsOf(db, "journal")) {
    const key = keyOf(kind, slot, serial);
    const event = parseBody<JournalEvent>(`journal entry ${id}`, key, body, sum);
    const text = JSON.stringify(rewriteEvent(event, rewriting));
    if (text !== body) update.run(sumOf(key, text), text, id);
  }
}

function rewriteUnknown(db: DatabaseSync, rewriting: Rewriting): void {
  const update = db.prepare("UPDATE unknown SET sum = ?, body = ? WHERE id = ?");
  for (const { id, key, provider, why, sum, body } of rowsOf(db, "unknown")) {
    const whole = keyOf(key, provider, why);
    const text = JSON.stringify(rewriting.intent(parseBody(`unknown intent '${key}'`, whole, body, sum)));
    update.run(sumOf(whole, text), text, id);
  }
}

function rewriteConfigs(db: DatabaseSync, rewriting: Rewriting): void {
  for (const { id, provider, name, sum, body } of rowsOf(db, "provider_configs")) {
    const key = keyOf(provider, name);
    const config = rewriting.config(provider!, parseBody(`configuration of provider '${provider}'`, key, body, sum));
    if (config === undefined) {
      db.prepare("DELETE FROM provider_configs WHERE id = ?").run(id);
    } else {
      const text = JSON.stringify(config);
      db.prepare("UPDATE provider_configs SET sum = ?, body = ? WHERE id = ?").run(sumOf(key, text), text, id);
    }
  }
}

type Row = { readonly id: number } & { readonly [column: string]: string };

/** Row by row, the ids first: a table must not be walked while it is written. */
function* rowsOf(db: DatabaseSync, table: string): Generator<Row> {
  const statement = db.prepare(`SELECT * FROM ${table} WHERE id = ?`);
  for (const { id } of db.prepare(`SELECT id FROM ${table}`).all() as { id: number }[]) {
    yield statement.get(id) as unknown as Row;
  }
}
