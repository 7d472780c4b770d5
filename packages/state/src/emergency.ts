import { readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { WfctlError, type Json, type JournalEvent } from "@wfctl/model";
import { syncDirectory, writeDurably } from "./durable-file.ts";
import { isSealed, type Sealer } from "./sealing/sealer.ts";

/**
 * Where outcomes go that the store refused: a file beside the database, one sealed line per list of events. `doctor`
 * reports it, `repair` reads it back.
 */
export function emergencyPath(databasePath: string, run: string): string {
  return `${databasePath}.emergency.${encodeURIComponent(run)}.jsonl`;
}

/** Appends the events, sealed as a whole, and returns when they are on the disk. On a failure the file is as it was. */
export function writeEmergency(path: string, run: string, events: readonly JournalEvent[], sealer: Sealer): void {
  const before = statSync(path, { throwIfNoEntry: false })?.size;
  const line = sealer.seal(events as unknown as Json, emergencyContext(run));
  try {
    writeDurably(path, `${JSON.stringify(line)}\n`, 0o600, "a");
  } catch (error) {
    // The part of a line would spoil the lines that come after it.
    if (before === undefined) rmSync(path, { force: true });
    else truncateSync(path, before);
    throw error;
  }
  if (before === undefined) syncDirectory(dirname(path));
}

/** The lists of events in the order they were written. A last line that is cut off is passed over. */
export function readEmergency(path: string, run: string, sealer: Sealer): JournalEvent[][] {
  const lines = readFileSync(path, "utf8").split("\n");
  const whole = lines.slice(0, -1);
  return whole.map((text, index) => {
    const sealed = parse(text);
    if (!isSealed(sealed)) {
      throw new WfctlError("STORE_CORRUPT", `Reading '${path}' failed: line ${index + 1} is damaged`, {
        hint: "Move the file away: the intents of its outcomes are in the journal, and the next apply asks the provider",
      });
    }
    return sealer.open(sealed, emergencyContext(run)) as unknown as JournalEvent[];
  });
}

/** The emergency files beside a database. */
export function listEmergencies(databasePath: string): { readonly run: string; readonly path: string }[] {
  const prefix = `${basename(databasePath)}.emergency.`;
  const directory = dirname(databasePath);
  // What else may stand in the place of the folder is told by whoever opens the state.
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(directory)
    .filter((name) => name.startsWith(prefix) && name.endsWith(".jsonl"))
    .toSorted()
    .map((name) => ({
      run: decodeURIComponent(name.slice(prefix.length, -".jsonl".length)),
      path: join(directory, name),
    }));
}

function emergencyContext(run: string): string {
  return `emergency ${run}`;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
