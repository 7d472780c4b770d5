import type { DatabaseSync } from "node:sqlite";
import { isJsonObject } from "@wfctl/model";
import { checkOrphans, checkRuns, type LastChange } from "./check-journal.ts";
import { keyOf, sumOf } from "./checksum.ts";
import { checkConfigs, checkRecords } from "./check-records.ts";
import { parseRow, type Repairable, type Row } from "./finding.ts";

/** All checks of the database's content, most basic first. Reads only. */
export function checkContent(db: DatabaseSync): Repairable[] {
  const integrity = checkIntegrity(db);
  if (integrity.length > 0) return integrity;
  const changes = new Map<string, LastChange>();
  const journal = checkRuns(db, changes);
  return [
    ...checkRecords(db, changes),
    ...checkConfigs(db),
    ...journal,
    ...checkOrphans(db),
    ...checkUnknown(db),
    ...checkHooks(db),
  ];
}

function checkIntegrity(db: DatabaseSync): Repairable[] {
  let problems: string[];
  try {
    problems = db
      .prepare("PRAGMA quick_check(20)")
      .all()
      .map((row) => Object.values(row).join(" "))
      .filter((text) => text !== "ok");
  } catch (error) {
    problems = [(error as Error).message];
  }
  return problems.map((text) => ({
    check: "integrity",
    severity: "error",
    problem: `The database is damaged: ${text.replaceAll("\n", " ")}`,
  }));
}

function checkUnknown(db: DatabaseSync): Repairable[] {
  const rows: Row[] = db.prepare("SELECT key, provider, why, sum, body FROM unknown ORDER BY id").all();
  return rows
    .filter((row) => !isJsonObject(parseRow(keyOf(row["key"], row["provider"], row["why"]), row)))
    .map((row) => ({
      check: "unknown",
      severity: "error",
      problem: `The unknown intent '${row["key"] as string}' is damaged`,
      repair: "removes it; what its call did must be looked up by hand",
      fix: (db) => db.prepare("DELETE FROM unknown WHERE key = ?").run(row["key"] as string),
    }));
}

function checkHooks(db: DatabaseSync): Repairable[] {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'hooks_owed'").get() === undefined) return [];
  const rows: Row[] = db.prepare("SELECT * FROM hooks_owed ORDER BY id").all();
  return rows
    .filter((row) => sumOf(keyOf(row["key"], row["run"], row["action"], row["name"]), "") !== row["sum"])
    .map((row) => ({
      check: "hook",
      severity: "error",
      problem: `The owed hook '${row["key"] as string}' is damaged`,
      repair: "removes it; the hook of that action is not called",
      fix: (db) => db.prepare("DELETE FROM hooks_owed WHERE id = ?").run(row["id"] as number),
    }));
}
