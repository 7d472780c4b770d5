import { resolve } from "node:path";
import { isJsonObject, type Json } from "@wfctl/model";
import { tryRead, type ReadFile } from "../find-stack-file.ts";
import { findingAt, type Finding, type Reporter, type Spot } from "../reporter.ts";
import { describe } from "../source/describe.ts";
import { readSource } from "../source/source-file.ts";
import type { VariableInput } from "./choose-values.ts";
import { explainUnread } from "../unread.ts";

/** Where values of variables come from. Later ones win: the environment, files in their order, assignments in theirs. */
export interface VariableSources {
  /** Variables of the process; those named `WFCTL_VAR_<name>` are read. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** YAML or JSON files with a mapping of names to values, relative to the working folder. */
  readonly files?: readonly string[];
  /** `NAME=value`; numbers, booleans, lists and maps are read by the variable's type, the latter two as JSON. */
  readonly assignments?: readonly string[];
  /** A variable without a value is an error. */
  readonly required: boolean;
}

const prefix = "WFCTL_VAR_";

export interface GivenValues {
  readonly inputs: readonly VariableInput[];
  /** False where something that was given could not be read: values that are missing may stand there. */
  readonly complete: boolean;
}

/** Reports what is wrong outside of the stack file: it has no line there. */
export function reportOutside(main: Spot, finding: Finding, reporter: Reporter): void {
  reporter.add({ ...findingAt(main, { pointer: "", ...finding }), source: { file: main.file.label } });
}

/** Gathers all values that are given from outside of the stack file, in the order in which they win. */
export async function readInputs(
  sources: VariableSources,
  cwd: string,
  readFile: ReadFile,
  main: Spot,
  reporter: Reporter,
): Promise<GivenValues> {
  const inputs: VariableInput[] = [];
  let complete = true;
  for (const [key, value] of Object.entries(sources.env ?? {})) {
    if (!key.startsWith(prefix) || value === undefined) continue;
    inputs.push({ name: key.slice(prefix.length), value, from: key, text: true, strict: false });
  }
  for (const path of sources.files ?? []) {
    const members = await readVariableFile(path, cwd, readFile, main, reporter);
    if (members === undefined) complete = false;
    for (const [name, value] of members ?? []) {
      inputs.push({ name, value, from: `--var-file ${path}`, text: false, strict: true });
    }
  }
  for (const assignment of sources.assignments ?? []) {
    const equals = assignment.indexOf("=");
    if (equals > 0) {
      const value = assignment.slice(equals + 1);
      inputs.push({ name: assignment.slice(0, equals), value, from: "--var", text: true, strict: true });
    } else {
      const found = equals < 0 ? `"${assignment}"` : "without a name";
      complete = false;
      const hint = "Write --var size=s";
      reportOutside(main, { summary: `A --var is ${found}, expected NAME=value`, hint }, reporter);
    }
  }
  return { inputs, complete };
}

async function readVariableFile(
  path: string,
  cwd: string,
  readFile: ReadFile,
  main: Spot,
  reporter: Reporter,
): Promise<[string, Json][] | undefined> {
  const absolute = resolve(cwd, path);
  const content = await tryRead(absolute, readFile);
  if ("reason" in content) {
    const isMissing = content.reason === "ENOENT";
    const why = isMissing ? "does not exist" : `cannot be read: ${explainUnread(content.reason).why}`;
    const summary = `The file of --var-file "${path}" ${why}`;
    reportOutside(
      main,
      { code: isMissing ? "CONFIG_NOT_FOUND" : "CONFIG_INVALID", summary, hint: `Looked for "${absolute}"` },
      reporter,
    );
    return undefined;
  }
  const source = await readSource(absolute, cwd, content.text);
  const spot: Spot = { file: source, path: [] };
  for (const problem of source.problems) {
    reporter.add({ ...findingAt({ file: source, path: problem.path }, problem), source: problem.location });
  }
  if (!source.parsed) return undefined;
  if (source.value === undefined) return [];
  if (isJsonObject(source.value)) return Object.entries(source.value);
  reporter.report(spot, {
    summary: `The file holds ${describe(source.value)} at its top, expected a mapping of names to values`,
    hint: "Write size: s",
  });
  return undefined;
}
