import { existsSync, readFileSync } from "node:fs";
import { resolve, dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspect } from "node:util";
import type { ProgramPlace } from "./protocol.ts";

/** What a program threw, for people: what happened, what to do, and where. */
export interface Failure {
  readonly text: string;
  readonly hint: string;
  readonly place?: ProgramPlace;
}

/** Longest text of a thrown value that is no error, in characters. */
const maxShown = 200;

/** Reads what was thrown while the program in `file` was loaded or run. Nothing of it may be as it should. */
export function describeFailure(thrown: unknown, file: string): Failure {
  if (!(thrown instanceof Error)) {
    const shown = typeof thrown === "string" ? thrown : inspect(thrown, { depth: 1, breakLength: Infinity });
    const text = shown.length > maxShown ? `${shown.slice(0, maxShown)}…` : shown;
    return { text: firstLine(text), hint: "Throw an Error: it tells where it was thrown" };
  }
  const { code } = thrown as { code?: unknown };
  const stack = typeof thrown.stack === "string" ? thrown.stack : "";
  if (code === "ERR_MODULE_NOT_FOUND") return missingImport(thrown.message, file);
  const syntax = placeOfSyntax(stack);
  if (syntax !== undefined) {
    const hint =
      code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"
        ? "Types are taken out, nothing is compiled: write what JavaScript has, such as an object in place of an enum"
        : "Correct the program";
    return { text: firstLine(thrown.message), hint, place: syntax };
  }
  const place = placeInStack(stack, file);
  return {
    text: firstLine(withCauses(thrown)),
    hint: "Correct the program",
    ...(place === undefined ? {} : { place }),
  };
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").replace(/\.$/, "");
}

/** A failed `fetch` says what failed in its cause alone. */
function withCauses(error: Error): string {
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const { code } = cause as { code?: unknown };
  const why = cause.message === "" && typeof code === "string" ? code : cause.message;
  return why === "" || error.message.includes(why) ? error.message : `${firstLine(error.message)}: ${why}`;
}

/** `FILE:LINE`, the lines before, and carets below the last of them. */
function placeOfSyntax(stack: string): ProgramPlace | undefined {
  const [, where = "", line, below = ""] = /^(file:\/\/\S+|\/.+):(\d+)\n([\s\S]*?\n)\n/.exec(stack) ?? [];
  const carets = /^( *)\^+$/m.exec(below);
  if (line === undefined || carets === null) return undefined;
  const file = where.startsWith("file:") ? fileURLToPath(where) : where;
  return { file, line: Number(line), column: (carets[1] ?? "").length + 1 };
}

function missingImport(message: string, file: string): Failure {
  const text = firstLine(message);
  const [, kind, wanted = "", importer = file] =
    /^Cannot find (package|module) '(.+?)' imported from (.+?)(?:\n|$)/.exec(message) ?? [];
  const isPackage = kind === "package";
  const place = placeOfImport(importer, (specifier) =>
    isPackage
      ? specifier === wanted || specifier.startsWith(`${wanted}/`)
      : resolve(dirname(importer), specifier) === wanted,
  );
  const withEnding = [".ts", ".js", ".mts", ".mjs"].find((ending) => existsSync(`${wanted}${ending}`));
  const hint = isPackage
    ? `Install it beside the program: npm install ${wanted}`
    : withEnding === undefined
      ? "Check the path"
      : `Write the ending too: ${withEnding}`;
  return { text, hint, ...(place === undefined ? {} : { place }) };
}

function placeOfImport(importer: string, fits: (specifier: string) => boolean): ProgramPlace | undefined {
  let lines: readonly string[];
  try {
    lines = readFileSync(importer, "utf8").split("\n");
  } catch {
    return undefined;
  }
  for (const [index, line] of lines.entries()) {
    for (const match of line.matchAll(/["']([^"']+)["']/g)) {
      if (fits(match[1] ?? "")) return { file: importer, line: index + 1, column: match.index + 1 };
    }
  }
  return undefined;
}

/** The first place of a stack that lies in the program, or in a file beside it. */
function placeInStack(stack: string, file: string): ProgramPlace | undefined {
  const folder = pathToFileURL(file).href.replace(/[^/]*$/, "");
  for (const match of stack.matchAll(/(file:\/\/[^\s()]+?):(\d+)(?::(\d+))?(?=\)?$)/gm)) {
    const [, url, line, column] = match;
    if (url?.startsWith(folder) !== true) continue;
    return { file: fileURLToPath(url), line: Number(line), column: Number(column ?? 1) };
  }
  return undefined;
}
