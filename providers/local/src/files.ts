import { mkdir, open, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, sep } from "node:path";
import { hasCode } from "./errors.ts";

/** Beside a file that is being written. Always the same name, so that a killed writer's rest is used up by the next. */
export function temporaryPath(path: string): string {
  return `${path}.wfctl-tmp`;
}

/**
 * Writes the whole file or nothing of it; a reader sees the old content or the new. Survives a power cut.
 * One writer at a time.
 */
export async function writeAtomically(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await rm(temporary, { force: true });
    const file = await open(temporary, "wx", mode);
    try {
      // The mode of `open` goes through the umask.
      await file.chmod(mode);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The parsed file, or undefined where there is none or no JSON object in it. */
export async function readJsonFile(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, "ENOENT", "ENOTDIR", "EISDIR")) return undefined;
    throw error;
  }
}

export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/**
 * Makes the folder and those above it that are missing. Not "recursive" alone: that never ends below a file system which says
 * of every new folder that it has no parent, as /proc does.
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  if (!(await exists(folder))) {
    await mkdir(await outermostMissing(folder), { mode }).catch((error: unknown) => {
      if (!hasCode(error, "EEXIST")) throw error;
    });
  }
  await mkdir(folder, { recursive: true, mode });
}

/** Makes the folder and does something in it, again where a delete beside it took the folder away in between. */
export async function inFolder(folder: string, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await makeFolder(folder, 0o700);
      await work();
      return;
    } catch (error) {
      if (!hasCode(error, "ENOENT") || attempt === 10) throw error;
    }
  }
}

/** The outermost folder on the way to the path that is not there yet; the path itself where only that is missing. */
export async function outermostMissing(path: string): Promise<string> {
  let missing = path;
  while (!(await exists(dirname(missing)))) missing = dirname(missing);
  return missing;
}

/** Removes the folder and then its parents up to and with `last`, as long as they are empty. */
export async function removeEmptyFolders(path: string, last: string): Promise<void> {
  for (let folder = path; folder === last || folder.startsWith(last + sep); folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      if (hasCode(error, "ENOENT")) continue;
      return;
    }
  }
}

/** A name that every file system takes, close to the given one. */
export function toFileName(name: string): string {
  const safe = name.replaceAll(/[^A-Za-z0-9._-]/g, "_").replace(/^\.+/, "");
  return safe === "" ? "unnamed" : safe.slice(0, 100);
}

export function octal(mode: number): string {
  return `0${(mode & 0o7777).toString(8).padStart(3, "0")}`;
}
