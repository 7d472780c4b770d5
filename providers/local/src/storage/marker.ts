import { readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inFolder, readJsonFile, temporaryPath, writeAtomically } from "../files.ts";
import { shortHash } from "../ownership.ts";
import { hasCode } from "../errors.ts";
import type { LocalClient } from "../client.ts";

/** First file of every directory that is ours: says so, and holds what reading and deleting need. */
export const markerName = ".wfctl-owner.json";

/** How a file's content was given: it is read back in the same form. */
export type ContentForm = "text" | "base64";

export interface Marker {
  readonly version: 1;
  readonly name: string;
  readonly token: string;
  readonly owner?: string | undefined;
  readonly forceDestroy: boolean;
  /** Files that were written, by path inside the directory. */
  readonly files: Readonly<Record<string, ContentForm>>;
  /** The outermost folder that had to be made for the directory; removed with it when empty. */
  readonly outermost: string;
}

export async function readMarker(path: string): Promise<Marker | undefined> {
  const found = await readJsonFile(join(path, markerName));
  return found?.["version"] === 1 ? (found as unknown as Marker) : undefined;
}

export async function writeMarker(path: string, marker: Marker): Promise<void> {
  await writeAtomically(join(path, markerName), `${JSON.stringify(marker, null, 2)}\n`, 0o600);
}

/**
 * Makes the directory with its marker inside, in one step: whoever looks sees nothing or a marked directory.
 * Fails with EEXIST where something is there already.
 */
export async function createMarked(path: string, marker: Marker): Promise<void> {
  const staging = stagingPath(path, marker.token);
  await rm(staging, { recursive: true, force: true });
  try {
    await inFolder(staging, () => writeMarker(staging, marker));
    await rename(staging, path);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw hasCode(error, "ENOTEMPTY", "ENOTDIR") ? Object.assign(new Error("exists"), { code: "EEXIST" }) : error;
  }
}

/** Where a create with this token prepares the directory. What a killed one left there is of no use to anyone. */
export function stagingPath(path: string, token: string): string {
  return join(dirname(path), `.wfctl-new-${shortHash(token, 16)}`);
}

/** Where a directory is, by the token of the create that made it. Written before the directory, removed after it. */
export interface IndexEntry {
  readonly path: string;
  readonly name: string;
  readonly token: string;
  readonly outermost: string;
}

export async function writeIndex(client: LocalClient, entry: IndexEntry): Promise<void> {
  await inFolder(client.index, () =>
    writeAtomically(indexPath(client, entry.token), `${JSON.stringify(entry)}\n`, 0o600),
  );
}

export async function readIndex(client: LocalClient, token: string): Promise<IndexEntry | undefined> {
  return (await readJsonFile(indexPath(client, token))) as IndexEntry | undefined;
}

export async function removeIndex(client: LocalClient, token: string): Promise<void> {
  const path = indexPath(client, token);
  await rm(path, { force: true });
  await rm(temporaryPath(path), { force: true });
}

export async function* listIndex(client: LocalClient): AsyncGenerator<IndexEntry> {
  let names: string[];
  try {
    names = await readdir(client.index);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  for (const name of names.filter((each) => each.endsWith(".json")).toSorted()) {
    const entry = (await readJsonFile(join(client.index, name))) as IndexEntry | undefined;
    if (entry !== undefined) yield entry;
  }
}

function indexPath(client: LocalClient, token: string): string {
  return join(client.index, `${shortHash(token, 32)}.json`);
}
