import { createReadStream } from "node:fs";
import { mkdir, open, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { WfctlError } from "@wfctl/model";
import { linkProblem } from "./links.ts";
import { readTar, type TarEntry } from "./tar-entries.ts";

export interface UnpackLimits {
  /** Bytes of all files together. @default 1 GiB */
  readonly maxBytes?: number;
  /** @default 20000 */
  readonly maxEntries?: number;
}

/**
 * Unpacks a `.tar.gz` into an empty folder. Files are made anew, never written through anything that is there; only
 * whether a file is executable is kept of its mode.
 * Throws PLUGIN_PACKAGE for an archive that is broken or too large, that names paths outside or one path twice, or that
 * holds anything but files, folders and links inside.
 */
export async function unpackArchive(archive: string, folder: string, limits: UnpackLimits = {}): Promise<void> {
  const { maxBytes = 1024 ** 3, maxEntries = 20_000 } = limits;
  const links: { path: string; target: string }[] = [];
  let bytes = 0;
  let entries = 0;
  try {
    const gunzip = createGunzip();
    // A failure of either stream ends the reading below.
    pipeline(createReadStream(archive), gunzip, () => {});
    for await (const entry of readTar(gunzip)) {
      entries += 1;
      bytes += entry.size;
      if (entries > maxEntries) throw refused(`holds more than ${maxEntries} entries`);
      if (bytes > maxBytes) throw refused(`holds more than ${maxBytes} bytes`);
      const path = safePath(entry.path);
      if (path === undefined) continue;
      const full = join(folder, path);
      if (entry.kind === "folder") await mkdir(full, { recursive: true });
      else if (entry.kind === "file") await writeEntry(entry, full);
      else if (entry.kind === "link") links.push({ path: full, target: entry.target });
      else throw refused(`holds ${JSON.stringify(path)}, which is neither a file, a folder nor a symbolic link`);
    }
  } catch (error) {
    throw explain(error, archive);
  }
  // Last: no file can have been written through one.
  for (const { path, target } of links) {
    await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
      throw explain(error, archive);
    });
    await symlink(target, path).catch((error: unknown) => {
      throw explain(error, archive);
    });
  }
  for (const { path } of links) {
    const problem = linkProblem(folder, path);
    if (problem !== undefined) throw explain(refused(`: ${path.slice(folder.length + 1)} ${problem}`), archive);
  }
}

/** Undefined for the root itself. */
function safePath(path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (path.startsWith("/") || path.includes("\0") || path.includes("\\") || parts.includes("..")) {
    throw refused(`names the path ${JSON.stringify(path)}, which leads out of it`);
  }
  return parts.length === 0 ? undefined : parts.join("/");
}

async function writeEntry(entry: TarEntry, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // `wx`: a second entry of the same path fails.
  const file = await open(path, "wx", entry.executable ? 0o755 : 0o644);
  try {
    for await (const chunk of entry.content()) await file.writeFile(chunk);
    await file.chmod(entry.executable ? 0o755 : 0o644);
  } finally {
    await file.close();
  }
}

function refused(problem: string): WfctlError {
  return new WfctlError("PLUGIN_PACKAGE", `The archive ${problem}`);
}

function explain(error: unknown, archive: string): WfctlError {
  if (error instanceof WfctlError) {
    return new WfctlError(error.code, error.message.replace("The archive", archive));
  }
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return new WfctlError("PLUGIN_PACKAGE", `There is no file ${archive}`, { cause: error });
  if (["EEXIST", "ENOTDIR", "EISDIR"].includes(code)) {
    return new WfctlError("PLUGIN_PACKAGE", `${archive} names one path twice`, { cause: error });
  }
  if (code.startsWith("Z_"))
    return new WfctlError("PLUGIN_PACKAGE", `${archive} is no gzip archive, or cut off: ${message}`);
  return new WfctlError("PLUGIN_PACKAGE", `${archive} cannot be unpacked: ${message}`, { cause: error });
}
