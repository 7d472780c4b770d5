import { createHash } from "node:crypto";
import { readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { WfctlError } from "@wfctl/model";
import { linkProblem } from "./links.ts";

export interface FolderDigest {
  /** `sha256:` and 64 hexadecimal digits, over the listing. */
  readonly digest: string;
  /** One line for each file and link, sorted: kind, digest of the content or the link's target, path. */
  readonly listing: string;
}

/**
 * Digest of everything in a folder: paths, contents, which files are executable, where links lead. Owners, times and
 * empty folders do not count. The same folder gives the same digest on every machine.
 * Throws PLUGIN_LOCK for what is neither file, folder nor link, for links that lead out of the folder, and for what cannot
 * be read.
 */
export function digestFolder(folder: string): FolderDigest {
  const lines = listEntries(folder, "")
    // By bytes, whatever the language of the machine.
    .toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
    .map(({ kind, content, path }) => `${kind} ${content} ${JSON.stringify(path)}\n`);
  const listing = lines.join("");
  return { digest: digestListing(listing), listing };
}

/** The digest that a folder with this listing has. */
export function digestListing(listing: string): string {
  return `sha256:${sha256(listing)}`;
}

/** Paths that differ between two listings, each with what happened to it. */
export function compareListings(before: string, after: string): string[] {
  const [old, now] = [before, after].map(
    (text) => new Map(text.split("\n").flatMap((line) => (line === "" ? [] : [[pathOf(line), line] as const]))),
  ) as [Map<string, string>, Map<string, string>];
  const paths = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return paths.flatMap((path) => {
    if (old.get(path) === now.get(path)) return [];
    if (!old.has(path)) return [`${path} is new`];
    return [now.has(path) ? `${path} has changed` : `${path} is gone`];
  });
}

function pathOf(line: string): string {
  return JSON.parse(
    /^(?:file|exec) \S+ (.*)$/.exec(line)?.[1] ?? /^link "(?:[^"\\]|\\.)*" (.*)$/.exec(line)?.[1] ?? '""',
  ) as string;
}

interface Entry {
  readonly kind: "file" | "exec" | "link";
  readonly content: string;
  readonly path: string;
}

function listEntries(root: string, below: string): Entry[] {
  try {
    return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry): Entry[] => {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      const full = join(root, path);
      if (entry.isDirectory()) return listEntries(root, path);
      if (entry.isSymbolicLink()) {
        const problem = linkProblem(root, full);
        if (problem !== undefined) throw new WfctlError("PLUGIN_LOCK", `${full} ${problem}`);
        return [{ kind: "link", content: JSON.stringify(readlinkSync(full)), path }];
      }
      if (!entry.isFile()) throw new WfctlError("PLUGIN_LOCK", `${full} is neither a file, a folder nor a link`);
      const kind = (statSync(full).mode & 0o111) === 0 ? "file" : "exec";
      return [{ kind, content: sha256(readFileSync(full)), path }];
    });
  } catch (cause) {
    if (cause instanceof WfctlError) throw cause;
    throw new WfctlError("PLUGIN_LOCK", `The plugin in ${root} cannot be read whole`, { cause });
  }
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
