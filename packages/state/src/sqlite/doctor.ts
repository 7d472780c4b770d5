import type { LeaseHolder } from "@wfctl/engine";
import type { StackKey } from "../sealing/key.ts";
import { checkContent } from "./checks.ts";
import { toStoreError } from "./errors.ts";
import type { Finding } from "../finding.ts";
import { findEmergencies, repairEmergencies } from "../read-back.ts";
import type { Repairable } from "./finding.ts";
import { releaseLease, takeLease } from "./lease-table.ts";
import { openForWriting, readDatabase } from "./open-database.ts";
import { openSqliteStore } from "./store.ts";

/** Checks the invariants of a state file, without its key and without changing it. Empty when all is well. */
export function doctor(path: string): Finding[] {
  let findings: Finding[];
  try {
    findings = readDatabase(path, checkContent).map(toFinding);
  } catch (thrown) {
    const error = toStoreError(thrown, `Reading the state '${path}'`);
    if (error.code !== "STORE_CORRUPT") throw error;
    findings = [{ check: "integrity", severity: "error", problem: error.message }];
  }
  return [...findings, ...findEmergencies(path)];
}

function toFinding({ check, severity, problem, repair: fix }: Repairable): Finding {
  return { check, severity, problem, ...(fix === undefined ? {} : { repair: fix }) };
}

export interface RepairOptions {
  readonly path: string;
  readonly holder: LeaseHolder;
  /** Needed to read outcomes back from emergency files; without it these stay. */
  readonly key?: StackKey;
}

/**
 * Does what the findings of `doctor` say, under the lease, the database in one transaction. Returns what was repaired.
 * Throws `LEASE_HELD`; `KEY_WRONG` before anything is changed.
 */
export async function repair(options: RepairOptions): Promise<Finding[]> {
  const { path, key } = options;
  if (key !== undefined) await (await openSqliteStore({ path, key, readOnly: true })).close();
  const done = repairContent(options);
  const open = (opening: StackKey) => openSqliteStore({ path, key: opening });
  done.push(...(await repairEmergencies({ ...options, base: path, open })));
  return done;
}

function repairContent({ path, holder }: RepairOptions): Finding[] {
  const db = openForWriting(path);
  try {
    const fence = takeLease(db, holder, 30_000);
    try {
      db.exec("BEGIN IMMEDIATE");
      const repairable = checkContent(db).filter((finding) => finding.fix !== undefined);
      for (const { fix } of repairable) fix!(db);
      db.exec("COMMIT");
      return repairable.map(toFinding);
    } finally {
      if (db.isTransaction) db.exec("ROLLBACK");
      releaseLease(db, fence);
    }
  } catch (error) {
    throw toStoreError(error, `Repairing the state '${path}'`);
  } finally {
    db.close();
  }
}
