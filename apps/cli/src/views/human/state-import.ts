import type { ForeignState, Match } from "@wfctl/exchange";
import type { Imported } from "../../session/import-foreign.ts";
import type { WrittenImports } from "../../session/write-imported.ts";
import { count, listCounts, printable } from "./text.ts";

export interface ImportFacts {
  readonly matches: readonly Match[];
  /** Undefined for a dry run. */
  readonly imported?: readonly Imported[];
  /** What was written for the stack file. */
  readonly written?: WrittenImports & { readonly file: string };
}

export interface ImportView extends ImportFacts {
  readonly foreign: ForeignState;
  /** Names that the stack file does not have. */
  readonly unnamed: readonly string[];
}

/** Every entry of the foreign state with what became of it, or would; then what to do next. */
export function renderStateImport({ foreign, matches, imported, written, unnamed }: ImportView): string {
  const ends = new Map((imported ?? []).map((each) => [each.address, each]));
  const lines = matches.map(
    (match) => `  ${printable(describe(match, ends.get(match.address), imported === undefined))}`,
  );
  const left = unnamed.filter((name) => written?.names.includes(name) !== true);
  const next = [
    ...(written === undefined ? [] : ["", ...adviseWritten(written).map(printable)]),
    ...(left.length === 0 ? [] : ["", printable(adviseUnnamed(left))]),
  ];
  return [foreign.format, ...lines, ...foreign.notes.map((note) => `Note: ${printable(note)}`), ...next, ""].join("\n");
}

function describe(match: Match, end: Imported | undefined, dry: boolean): string {
  switch (match.will) {
    case "import": {
      const what = `${match.address} as ${match.name} (${match.type} of ${match.module}, id ${match.id})`;
      if (dry) return `+ ${what}`;
      if (end?.ended === "recorded") {
        const mark =
          end.owner === undefined ? "" : `; it carries the mark of ${end.owner}: no other stack may go on managing it`;
        return `+ ${match.address} as ${match.name} (${match.type} of ${match.module}, id ${end.id})${mark}`;
      }
      return `! ${what}: ${end?.why ?? "not tried any more"}`;
    }
    case "stay":
      return `= ${match.address} is recorded as ${match.name}`;
    case "skip":
      return `- ${match.address}: ${match.why}`;
    case "miss":
      return `? ${match.address}${match.foreignType === "" ? "" : ` (${match.foreignType})`}: ${match.why}${match.hint === undefined ? "" : `. ${match.hint}`}`;
  }
}

/** Names in one sentence; all of them are in the JSON output. */
const most = 20;

function adviseWritten({ file, names, skipped }: NonNullable<ImportFacts["written"]>): string[] {
  return [
    ...(names.length === 0
      ? []
      : [
          `${count(names.length, "resource is", "resources are")} in ${file}: name it under imports: of the stack file.`,
        ]),
    ...skipped.map(({ name, why }) => `  ${name} is not written: ${why}`),
  ];
}

function adviseUnnamed(names: readonly string[]): string {
  const what = names.length === 1 ? "This resource is" : "These resources are";
  const more = names.length > most ? `, and ${names.length - most} more` : "";
  return `${what} not in the stack file: ${names.slice(0, most).join(", ")}${more}. Write ${names.length === 1 ? "it" : "them"} there before the next apply, which else forgets ${names.length === 1 ? "it" : "them"} and leaves the ${names.length === 1 ? "object" : "objects"} in the cloud.`;
}

/** One sentence for the end. */
export function summarizeImport(matches: readonly Match[], imported: readonly Imported[] | undefined): string {
  const number = (will: Match["will"]): number => matches.filter((match) => match.will === will).length;
  const failed = imported?.filter(({ ended }) => ended !== "recorded").length ?? 0;
  const done = imported === undefined ? number("import") : imported.length - failed;
  const others = listCounts([
    [failed, "not imported"],
    [number("stay"), "recorded already"],
    [number("skip"), "skipped"],
    [number("miss"), "not known"],
  ]);
  const head = `${count(done, "object")} ${imported === undefined ? "would be imported" : done === 1 ? "is imported" : "are imported"}`;
  const then = imported !== undefined && done > 0 ? " The next plan compares each with the stack file." : "";
  return `${head}${others === "" ? "" : `; ${others}`}.${then}`;
}
