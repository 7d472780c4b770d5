import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolders } from "@wfctl/model";
import { createLineage, formatKey, keyFilePath, keyVariables, type ResolvedKey } from "@wfctl/state";
import type { Context } from "../context.ts";
import type { StateLocation } from "./locate-state.ts";
import { isCi } from "./runtime.ts";

/** The lineage of a state that is not there yet. */
export interface PendingState {
  readonly lineage: string;
  /** An earlier command chose it, and ended before its state was there. */
  readonly reused: boolean;
}

/**
 * Chooses the lineage of a state that is about to be made. It is written down before its key file is made, so that a
 * command that is killed before the state is there leaves one key for the next, and not one for each attempt. Nothing is
 * written where the key is given.
 */
export function beginState(location: StateLocation, context: Context): PendingState {
  const { env } = context;
  const givesKey = keyVariables.some((name) => (env[name] ?? "") !== "");
  if (location.shared || isCi(env) || givesKey) return { lineage: createLineage(), reused: false };
  const path = notePath(location, context);
  const noted = readNote(path);
  if (noted !== undefined) return { lineage: noted, reused: true };
  const lineage = createLineage();
  try {
    makeFolders(dirname(path), { mkdirSync, statSync }, 0o700);
    writeFileSync(path, `${lineage}\n${location.backend.location}\n`, { mode: 0o600, flag: "wx", flush: true });
  } catch (error) {
    const other = (error as NodeJS.ErrnoException).code === "EEXIST" ? readNote(path) : undefined;
    if (other !== undefined) return { lineage: other, reused: true };
    // A half-written note of a command that was killed, or no room for one: the key is found by its lineage alone.
    removeNote(path);
  }
  return { lineage, reused: false };
}

/** To be called once the state is there. */
export function endPendingState(location: StateLocation, context: Context): void {
  if (!location.shared) removeNote(notePath(location, context));
}

function removeNote(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // No folder for it, so no note either: with a key that is given there may be none.
  }
}

/** Its key file, which another command that failed to make the same state may have removed meanwhile. */
export function keepKeyFile(key: ResolvedKey): void {
  if (key.source !== "file" || key.path === undefined || existsSync(key.path)) return;
  writeFileSync(key.path, `${formatKey(key.key)}\n`, { mode: 0o600, flush: true });
}

/**
 * Removes the key file that was made for a state that could not be made, and the note of its lineage. Where the state is
 * there after all, made by another command with this key, or where that cannot be told, the key stays.
 */
export async function dropPendingState(
  key: ResolvedKey,
  lineage: string,
  location: StateLocation,
  context: Context,
): Promise<void> {
  if (!key.created || key.path === undefined) return;
  const aside = `${key.path}.${process.pid}.unused`;
  try {
    renameSync(key.path, aside);
  } catch {
    return;
  }
  // Whoever makes the state afterwards finds its key file missing, and writes it: see `keepKeyFile`.
  const made = await location.backend.readInfo().then(
    (info) => info?.lineage === lineage,
    () => true,
  );
  if (made) {
    renameSync(aside, key.path);
    return;
  }
  rmSync(aside, { force: true });
  const path = notePath(location, context);
  if (readNote(path) === lineage) removeNote(path);
}

function notePath({ backend }: StateLocation, { env }: Context): string {
  const name = createHash("sha256").update(backend.location).digest("hex").slice(0, 32);
  return join(dirname(dirname(keyFilePath(env, ""))), "pending", name);
}

function readNote(path: string): string | undefined {
  try {
    return /^([0-9a-z]{20,40})\n/.exec(readFileSync(path, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
