import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { createDurations, type Durations } from "@wfctl/engine";
import { makeFolders } from "@wfctl/model";
import type { Context } from "../context.ts";

/**
 * How long calls took in earlier runs on this machine, by provider, type and operation: what ranks the actions of the
 * next one. A cache: nothing depends on it but the order of calls that must queue.
 */
export function recallDurations(context: Context): Durations {
  try {
    return createDurations(checked(JSON.parse(readFileSync(fileOf(context), "utf8"))));
  } catch {
    // None yet, or it cannot be read.
    return createDurations();
  }
}

/** Keeps what is known after a run. What goes wrong with it is passed over. */
export function keepDurations(durations: Durations, context: Context): void {
  const file = fileOf(context);
  try {
    makeFolders(dirname(file), { mkdirSync, statSync }, 0o700);
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(durations.entries()), { mode: 0o600 });
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // A read-only home only costs time.
  }
}

function fileOf({ env }: Context): string {
  return join(env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache"), "wfctl", "durations.json");
}

function checked(value: unknown): Record<string, number> {
  const entries = Object.entries(value as Record<string, unknown>);
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => isDuration(entry[1])));
}

function isDuration(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
