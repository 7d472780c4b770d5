import { dirname, resolve } from "node:path";
import { isJsonObject, type JsonObject } from "@wfctl/model";
import { tryRead, type ReadFile } from "./find-stack-file.ts";
import { findingAt, type Reporter } from "./reporter.ts";
import { isProgram, readProgram, type ReadProgramOptions } from "./program/read-program.ts";
import { describe } from "./source/describe.ts";
import { readSource, type SourceFile } from "./source/source-file.ts";
import { explainUnread } from "./unread.ts";

/** A stack file that was read, with what it imports. */
export interface StackFile {
  readonly source: SourceFile;
  /** The mapping at the top; empty where there is none. */
  readonly root: JsonObject;
  readonly imports: StackFile[];
}

export interface ReadFiles {
  /** The main file, then its imports depth first, each once: the earlier one wins. */
  readonly files: readonly StackFile[];
  /** False where a file is missing or is not YAML, so that unknown names may only be unread ones. */
  readonly complete: boolean;
}

/** Most files that imports may reach. */
const maxFiles = 1000;

/** Reads the main file and, recursively, what it imports. Each file is read once; circles are refused. */
export async function readFiles(
  main: { readonly path: string; readonly text: string },
  cwd: string,
  readFile: ReadFile,
  program: ReadProgramOptions,
  reporter: Reporter,
): Promise<ReadFiles> {
  const byPath = new Map<string, StackFile>();
  let complete = true;

  const read = async (path: string, text: string, chain: readonly SourceFile[]): Promise<StackFile> => {
    const source = isProgram(path) ? await readProgram(path, cwd, program) : await readSource(path, cwd, text);
    const file: StackFile = { source, root: isJsonObject(source.value) ? source.value : {}, imports: [] };
    byPath.set(path, file);
    if (!source.parsed) complete = false;
    reportTextProblems(source, reporter);
    await readImports(file, [...chain, source]);
    return file;
  };

  const readImports = async (file: StackFile, chain: readonly SourceFile[]): Promise<void> => {
    const { source, root } = file;
    const imports = root["imports"];
    if (imports === undefined || imports === null) return;
    if (!Array.isArray(imports)) {
      reporter.report(
        { file: source, path: ["imports"] },
        {
          summary: `"imports" is ${describe(imports)}, expected a list of paths`,
          hint: "Write imports: [network.yaml]",
        },
      );
      return;
    }
    for (const [index, entry] of imports.entries()) {
      const spot = { file: source, path: ["imports", index] };
      if (typeof entry !== "string" || entry === "") {
        const summary = `An import is ${entry === "" ? "empty" : describe(entry)}, expected a path`;
        reporter.report(spot, { summary, hint: "Write the path relative to this file" });
        continue;
      }
      const path = resolve(dirname(source.path), entry);
      const from = chain.findIndex((link) => link.path === path);
      if (from >= 0) {
        const circle = [...chain.slice(from).map((link) => link.label), chain[from]?.label].join(" -> ");
        reporter.report(spot, { summary: `The imports form a circle: ${circle}`, hint: "Remove one of these imports" });
        continue;
      }
      const known = byPath.get(path);
      if (known !== undefined) {
        file.imports.push(known);
        continue;
      }
      if (byPath.size >= maxFiles) {
        complete = false;
        reporter.report(spot, { summary: `The imports reach more than ${maxFiles} files`, hint: "Join files" });
        return;
      }
      const content = await tryRead(path, readFile);
      if ("reason" in content) {
        complete = false;
        const isMissing = content.reason === "ENOENT";
        const why = isMissing ? "does not exist" : `cannot be read: ${explainUnread(content.reason).why}`;
        reporter.report(spot, {
          code: isMissing ? "CONFIG_NOT_FOUND" : "CONFIG_INVALID",
          summary: `The imported file "${entry}" ${why}`,
          hint: `Looked for "${path}": imports are relative to the importing file`,
        });
        continue;
      }
      file.imports.push(await read(path, content.text, chain));
    }
  };

  const mainFile = await read(main.path, main.text, []);
  if (!isJsonObject(mainFile.source.value)) complete = false;
  return { files: [...byPath.values()], complete };
}

function reportTextProblems(source: SourceFile, reporter: Reporter): void {
  for (const { location, path, summary, hint } of source.problems) {
    reporter.add({ ...findingAt({ file: source, path }, { summary, hint }), source: location });
  }
  if (!source.parsed) return;
  const spot = { file: source, path: [] };
  if (source.value === undefined) {
    reporter.report(spot, {
      summary: "The file is empty, expected a mapping with modules",
      hint: "Write modules: with a list",
    });
  } else if (!isJsonObject(source.value)) {
    reporter.report(spot, {
      summary: `The file holds ${describe(source.value)} at its top, expected a mapping`,
      hint: Array.isArray(source.value) ? "Put the list under modules:" : "Write modules: with a list",
    });
  }
}
