import { basename, dirname, join, resolve } from "node:path";
import type { Diagnostic } from "@wfctl/model";
import { listNames } from "./suggest.ts";
import { NotUtf8Error } from "./read-text.ts";
import { labelPath } from "./source/source-file.ts";
import { explainUnread } from "./unread.ts";

export type ReadFile = (path: string) => Promise<string>;

const defaultNames = ["infra.yaml", "infra.ts", join("config", "infra.yaml"), join("config", "infra.ts")];

interface Unread {
  /** Code of the file system, or a part of a sentence. */
  readonly reason: string;
  /** Set where the file is there and is no text. */
  readonly place?: { readonly line: number; readonly column: number };
}

export type FoundFile = { readonly path: string; readonly text: string } | { readonly diagnostic: Diagnostic };

/**
 * Finds and reads the main stack file: the given one, or the first default name in the given folder or in `cwd`.
 * A path that is given is never passed over for a default name.
 */
export async function findStackFile(path: string | undefined, cwd: string, readFile: ReadFile): Promise<FoundFile> {
  const start = resolve(cwd, path ?? ".");
  if (path !== undefined) {
    const read = await tryRead(start, readFile);
    if ("text" in read) return { path: start, text: read.text };
    if (read.reason === "ENOENT") {
      return refuse("CONFIG_NOT_FOUND", `There is no stack file at "${start}"`, "Check the path", start, cwd);
    }
    if (read.reason !== "EISDIR") {
      return refuseUnread(start, read, cwd);
    }
  }
  const candidates = defaultNames.map((name) => join(start, name));
  for (const candidate of candidates) {
    const read = await tryRead(candidate, readFile);
    if ("text" in read) {
      const twin = candidate.replace(/\.yaml$/, ".ts");
      if (twin === candidate || !("text" in (await tryRead(twin, readFile))))
        return { path: candidate, text: read.text };
      return refuse(
        "CONFIG_INVALID",
        `There are two stack files: "${candidate}" and "${twin}"`,
        "Remove one of them, or name the one that is meant with --config",
        candidate,
        cwd,
      );
    }
    if (read.reason !== "ENOENT" && read.reason !== "ENOTDIR") {
      return refuseUnread(candidate, read, cwd);
    }
  }
  return refuse(
    "CONFIG_NOT_FOUND",
    `There is no stack file: looked for ${listNames(candidates)}`,
    "Write infra.yaml or infra.ts there, or name the file with --config",
    undefined,
    cwd,
  );
}

/**
 * The stack's name where the file gives none: the folder's, without characters that names cannot hold.
 * A folder called `config` stands for its parent, so that a file has one name however it was found.
 */
export function defaultStackName(path: string): string {
  const folder = dirname(path);
  const name = basename(folder) === "config" ? basename(dirname(folder)) : basename(folder);
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
}

export async function tryRead(path: string, readFile: ReadFile): Promise<{ text: string } | Unread> {
  try {
    return { text: await readFile(path) };
  } catch (error) {
    if (error instanceof NotUtf8Error) return { reason: error.message, place: error.place };
    const code = (error as { code?: unknown } | null)?.code;
    return { reason: typeof code === "string" ? code : error instanceof Error ? error.message : String(error) };
  }
}

function refuseUnread(path: string, { reason, place }: Unread, cwd: string): FoundFile {
  const { why, hint: whatToDo } = explainUnread(reason);
  const summary = `Cannot read the stack file "${path}": ${why}`;
  if (place === undefined) return refuse("CONFIG_INVALID", summary, whatToDo, path, cwd);
  const source = { file: labelPath(path, cwd), ...place };
  const hint = "Write the file anew as text in UTF-8";
  return { diagnostic: { severity: "error", code: "CONFIG_INVALID", summary, hint, source } };
}

function refuse(
  code: Diagnostic["code"],
  summary: string,
  hint: string,
  path: string | undefined,
  cwd: string,
): FoundFile {
  const source = path === undefined ? {} : { source: { file: labelPath(path, cwd) } };
  return { diagnostic: { severity: "error", code, summary, hint, ...source } };
}
