import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { WfctlError } from "@wfctl/model";
import type { FoundPlugin, InstalledPlugin } from "@wfctl/plugin-host";
import { compareListings, digestFolder, digestListing } from "./folder-digest.ts";
import { readLockFile, type LockedPlugin, type LockFile } from "./lock-file.ts";
import { checkPin } from "./pins.ts";

/** How an installed plugin stands to the lock file. */
export type LockState =
  /** There is no lock file, or the plugin came beside wfctl and is locked by the package manager. */
  | { readonly state: "unlocked" }
  | { readonly state: "missing" }
  | { readonly state: "accepted"; readonly locked: LockedPlugin }
  | {
      readonly state: "changed";
      readonly locked: LockedPlugin;
      readonly digest: string;
      /** What changed, where that is known. */
      readonly changes: readonly string[];
    };

export function compareWithLock(
  plugin: Pick<InstalledPlugin, "folder" | "directory" | "bundled">,
  lock: LockFile,
): LockState {
  if (plugin.bundled || !lock.exists) return { state: "unlocked" };
  const locked = lock.plugins[plugin.folder];
  if (locked === undefined) return { state: "missing" };
  const { digest, listing } = digestFolder(plugin.directory);
  if (digest === locked.digest) return { state: "accepted", locked };
  const before = readListing(plugin.directory, locked.digest);
  return { state: "changed", locked, digest, changes: before === undefined ? [] : compareListings(before, listing) };
}

/**
 * The gate before a plugin of the plugin directory is launched: it is the one that the lock file records, byte for byte,
 * and the one that upstream's pin names. Throws PLUGIN_LOCK, saying how to accept it.
 */
export async function checkAccepted(found: FoundPlugin, cwd: string): Promise<void> {
  const { plugin, manifest } = found;
  if (!plugin.bundled) await checkPin(plugin, cwd);
  const lock = readLockFile(cwd);
  const standing = compareWithLock(plugin, lock);
  const title = `Plugin "${plugin.folder}" was not started`;
  if (standing.state === "missing") {
    throw new WfctlError("PLUGIN_LOCK", `${title}: ${lock.path} does not list it`, {
      hint: `If you trust ${plugin.directory}, run: ${acceptCommand(plugin.folder)}`,
    });
  }
  if (standing.state !== "changed") return;
  const { locked, changes } = standing;
  const what =
    locked.version === manifest.version
      ? `it is not as it was when it was accepted${describeChanges(changes)}`
      : `it is version ${manifest.version}, ${lock.path} records ${locked.version}`;
  throw new WfctlError("PLUGIN_LOCK", `${title}: ${what}`, {
    hint: `Find out who changed it. To have the recorded one again: wfctl plugin remove ${plugin.folder}, then install it; to accept what is there: ${acceptCommand(plugin.folder)}`,
  });
}

/**
 * The same question about a plugin whose folder is known to have the digest: nothing of it is read, but the executable
 * where it is pinned. False where `checkAccepted` would refuse it, and where the lock file or the pin cannot be read.
 */
export async function isLocked(plugin: InstalledPlugin, digest: string | null, cwd: string): Promise<boolean> {
  try {
    await checkPin(plugin, cwd);
    const lock = readLockFile(cwd);
    return !lock.exists || lock.plugins[plugin.folder]?.digest === digest;
  } catch {
    return false;
  }
}

export function acceptCommand(folder: string): string {
  return `wfctl plugin verify --accept ${folder}`;
}

/** `: a has changed, b is new and 3 more`. */
function describeChanges(changes: readonly string[]): string {
  if (changes.length === 0) return "";
  const shown = changes.slice(0, 3).join(", ");
  return `: ${shown}${changes.length > 3 ? ` and ${changes.length - 3} more` : ""}`;
}

/** Where the listing of an accepted plugin is kept, so that it can be said what changed. */
export function listingPath(directory: string): string {
  return join(dirname(directory), ".wfctl", `${basename(directory)}.files`);
}

/** A listing is believed only where it is the one that the lock file's digest is of. */
function readListing(directory: string, digest: string): string | undefined {
  try {
    const text = readFileSync(listingPath(directory), "utf8");
    return digestListing(text) === digest ? text : undefined;
  } catch {
    return undefined;
  }
}
