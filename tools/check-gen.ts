/**
 * Is the generated code of packages/contract what the .proto files say?
 * Generates into a temporary folder and compares. Exit 1 lists what differs; `npm run gen` brings it up to date.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const committed = join(root, "packages/contract/src/gen");
const bin = join(root, "node_modules/.bin");

/** Paths under packages/contract/src/gen that are missing, left over, or different, each with the word for it; empty when current. */
export async function findStaleGenerated(): Promise<string[]> {
  const out = await mkdtemp(join(tmpdir(), "wfctl-gen-"));
  try {
    await promisify(execFile)(join(bin, "buf"), ["generate", "--template", template(out)], {
      cwd: root,
      env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` },
      timeout: 120_000,
    });
    return await compareFolders(out, committed);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** The same plugin and options as buf.gen.yaml, which the comparison itself proves. */
function template(out: string): string {
  const opt = ["target=ts", "import_extension=ts", "erasable_syntax=true"];
  return JSON.stringify({ version: "v2", plugins: [{ local: "protoc-gen-es", out, opt }] });
}

/** Differences of two folders, by path relative to them. */
export async function compareFolders(wanted: string, found: string): Promise<string[]> {
  const [wantedFiles, foundFiles] = await Promise.all([listFiles(wanted), listFiles(found)]);
  const differences: string[] = [];
  for (const path of [...wantedFiles.union(foundFiles)].toSorted()) {
    if (!foundFiles.has(path)) differences.push(`missing ${path}`);
    else if (!wantedFiles.has(path)) differences.push(`left over ${path}`);
    else if (!(await readFile(join(wanted, path))).equals(await readFile(join(found, path)))) {
      differences.push(`different ${path}`);
    }
  }
  return differences;
}

async function listFiles(folder: string): Promise<Set<string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return new Set(entries.filter((e) => e.isFile()).map((e) => relative(folder, join(e.parentPath, e.name))));
}

if (import.meta.main) {
  const stale = await findStaleGenerated();
  if (stale.length > 0) {
    console.error(`Generated code is not current:\n  ${stale.join("\n  ")}\nRun: npm run gen`);
    process.exitCode = 1;
  }
}
