import { isJsonObject, jsonEqual, pathToPointer, type Json, type JsonObject, type SourceLocation } from "@wfctl/model";
import { labelPath, type Path, type SourceFile, type SourceProblem } from "../source/source-file.ts";
import { evaluateProgram } from "./evaluate-program.ts";
import type { ProgramReply } from "./protocol.ts";

export interface ReadProgramOptions {
  readonly environment: string | undefined;
  /** Evaluate twice, and refuse a program that gives two results. */
  readonly twice: boolean;
  readonly timeoutMs?: number;
}

export function isProgram(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}

/** A stack program as the file that it stands for. What is wrong with it are the file's problems. */
export async function readProgram(path: string, cwd: string, options: ReadProgramOptions): Promise<SourceFile> {
  const evaluate = (): Promise<ProgramReply> => evaluateProgram(path, options.environment, options.timeoutMs);
  const [first, second] = await Promise.all([evaluate(), options.twice ? evaluate() : undefined]);
  const label = labelPath(path, cwd);
  const at = (place: ProgramPlaceLike | null | undefined): SourceLocation =>
    place === null || place === undefined
      ? { file: label }
      : { file: labelPath(place.file, cwd), line: place.line, column: place.column };
  if ("problem" in first) {
    const found = [first, ...(first.more ?? [])].map(({ problem, hint, place }): SourceProblem => {
      return { location: at(place), path: [], summary: problem, hint };
    });
    return createSource(path, label, undefined, found, () => ({ file: label }));
  }
  const problems: SourceProblem[] = [];
  if (second !== undefined && ("problem" in second || !jsonEqual(first.document, second.document))) {
    const differing = "problem" in second ? [] : firstDifference(first.document, second.document);
    const what = "problem" in second ? second.problem : `the value at ${pathToPointer(differing)} differs`;
    problems.push({
      location: placeOf(differing, first, at),
      path: differing,
      summary: `The program gives two results when it is evaluated twice: ${what}`,
      hint: "Do not use the clock, chance or the network: make the value a variable",
    });
  }
  return createSource(path, label, first.document, problems, (wanted) => placeOf(wanted, first, at));
}

type ProgramPlaceLike = { readonly file: string; readonly line: number; readonly column: number };

function placeOf(
  [list, index]: Path,
  { places, importPlaces }: Extract<ProgramReply, { readonly document: Json }>,
  at: (place: ProgramPlaceLike | null | undefined) => SourceLocation,
): SourceLocation {
  const all = list === "modules" ? places : list === "import" ? importPlaces : [];
  return at(all[Number(index)]);
}

function createSource(
  path: string,
  label: string,
  value: Json | undefined,
  problems: readonly SourceProblem[],
  locate: (path: Path) => SourceLocation,
): SourceFile {
  return {
    path,
    label,
    value,
    problems,
    parsed: value !== undefined,
    locate: (wanted) => locate(wanted),
    has: (wanted) =>
      wanted.reduce<unknown>(
        (node, step) => (typeof node === "object" && node !== null ? (node as JsonObject)[step] : undefined),
        value,
      ) !== undefined,
    locateItem: (key, index) => locate([key, index]),
  };
}

/** Path of the first value that differs, keys in the order of the first. */
function firstDifference(a: Json, b: Json): (string | number)[] {
  if (Array.isArray(a) && Array.isArray(b)) {
    const longest = Math.max(a.length, b.length);
    for (let index = 0; index < longest; index += 1) {
      if (!jsonEqual(a[index] as Json, b[index] as Json)) return [index, ...below(a[index] as Json, b[index] as Json)];
    }
  } else if (isJsonObject(a) && isJsonObject(b)) {
    for (const key of [...Object.keys(a), ...Object.keys(b)]) {
      if (!jsonEqual(a[key], b[key])) return [key, ...below(a[key], b[key])];
    }
  }
  return [];
}

function below(a: Json | undefined, b: Json | undefined): (string | number)[] {
  return a === undefined || b === undefined ? [] : firstDifference(a, b);
}
