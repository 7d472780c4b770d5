import { chmod, lstat, readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { isUtf8 } from "node:buffer";
import { dirname, join } from "node:path";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import { hasCode } from "../errors.ts";
import { makeFolder, octal, removeEmptyFolders, temporaryPath, writeAtomically } from "../files.ts";
import { markerName, type ContentForm } from "./marker.ts";

export interface FileInput {
  readonly content?: string | undefined;
  readonly content_base64?: string | undefined;
  readonly mode: string;
}

/** A larger file was not written by a configuration: only its presence is reported. */
const maxReportedBytes = 16 * 1024 * 1024;

export function contentForm(file: FileInput): ContentForm {
  return file.content_base64 === undefined ? "text" : "base64";
}

/** The managed files as they are. A missing one is left out. */
export async function readFiles(
  directory: string,
  managed: Readonly<Record<string, ContentForm>>,
): Promise<Record<string, FileInput>> {
  const files: Record<string, FileInput> = {};
  for (const [name, form] of Object.entries(managed)) {
    const path = join(directory, name);
    const found = await statFile(path);
    if (found === undefined) continue;
    const mode = octal(found.mode);
    if (found.size > maxReportedBytes) {
      files[name] = { mode };
      continue;
    }
    const bytes = await readFile(path);
    files[name] =
      form === "text" && isUtf8(bytes)
        ? { content: bytes.toString("utf8"), mode }
        : { content_base64: bytes.toString("base64"), mode };
  }
  return files;
}

/** Brings one file to its wanted content and mode. Nothing is written where it has them. */
export async function writeFile(directory: string, name: string, file: FileInput): Promise<void> {
  const path = join(directory, name);
  const wanted = bytesOf(file);
  const mode = Number.parseInt(file.mode, 8);
  const found = await statFile(path);
  if (found !== undefined && (await readFile(path)).equals(wanted)) {
    if ((found.mode & 0o7777) !== mode) await chmod(path, mode);
    return;
  }
  await makeFolder(dirname(path));
  await writeAtomically(path, wanted, mode);
}

/** Removes a managed file and the folders that it leaves empty. */
export async function removeFile(directory: string, name: string): Promise<void> {
  const path = join(directory, name);
  await rm(path, { force: true });
  await rm(temporaryPath(path), { force: true });
  if (dirname(path) !== directory) await removeEmptyFolders(dirname(path), join(directory, name.split("/")[0]!));
}

/** Refuses a file whose path leaves the directory by a link, or is taken by something that is no file. */
export async function checkPlace(directory: string, name: string): Promise<void> {
  let path = directory;
  const steps = name.split("/");
  for (const [index, step] of steps.entries()) {
    path = join(path, step);
    let found;
    try {
      found = await lstat(path);
    } catch (error) {
      if (hasCode(error, "ENOENT")) return;
      throw error;
    }
    const isLast = index === steps.length - 1;
    if (isLast ? !found.isFile() : !found.isDirectory()) {
      throw new ProviderFailure(
        "validation",
        `Cannot write file "${name}" in "${directory}": "${path}" is no ${isLast ? "file" : "directory"}`,
      );
    }
  }
}

/** Content of a file that is there already, where it is other than what is wanted. */
export async function isForeign(directory: string, name: string, file: FileInput): Promise<boolean> {
  const path = join(directory, name);
  return (await statFile(path)) !== undefined && !(await readFile(path)).equals(bytesOf(file));
}

/** Paths in the directory that are neither the marker nor managed, files and links and what else there is; sorted. */
export async function listForeign(
  directory: string,
  managed: Readonly<Record<string, ContentForm>>,
): Promise<string[]> {
  const foreign: string[] = [];
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(directory.length + 1);
    if (entry.isDirectory() || path === markerName || path in managed || path.endsWith(".wfctl-tmp")) continue;
    foreign.push(path);
  }
  return foreign.toSorted();
}

/** Removes all that is in the directory, its marker last, then the directory. */
export async function removeDirectory(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const name of await readdir(directory)) {
    if (name !== markerName) await rm(join(directory, name), { recursive: true, force: true });
  }
  await rm(join(directory, markerName), { force: true });
  await rmdir(directory);
}

function bytesOf(file: FileInput): Buffer {
  if (file.content_base64 !== undefined) return Buffer.from(file.content_base64, "base64");
  return Buffer.from(file.content ?? "", "utf8");
}

async function statFile(path: string): Promise<{ size: number; mode: number } | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found : undefined;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
