import type { SkippedObject } from "../../session/import-all/found-object.ts";
import { alignColumns, count, printable } from "./text.ts";

/** What a bulk import found. */
export interface FoundFacts {
  readonly stack: { readonly name: string; readonly environment: string };
  readonly written: readonly {
    readonly name: string;
    readonly type: string;
    readonly provider: string;
    readonly id: string;
  }[];
  /** Objects that the state records or the stack file imports already. */
  readonly known: number;
  readonly skipped: readonly SkippedObject[];
  /** Absent where nothing was written to a file. */
  readonly file?: string;
  readonly dryRun: boolean;
  readonly exitCode: number;
}

/** What is written, what is not and why, and what to do next. */
export function renderFound(facts: FoundFacts): string {
  const { written, skipped, known, file, dryRun } = facts;
  const rows = written.map(({ name, type, provider, id }) => [name, type, provider, `id ${id}`].map(printable));
  const left = skipped.map(({ provider, type, id, name, why }) => {
    const what = [type, name ?? "", id === undefined || id === name ? "" : `id ${id}`].filter((part) => part !== "");
    return `  ${printable(what.length === 0 ? provider : what.join(" "))}: ${printable(why)}`;
  });
  const total = [
    `${count(written.length, "object", "objects")} ${dryRun ? "would be written" : "written"}`,
    `${known} known already`,
    ...(skipped.length === 0 ? [] : [`${skipped.length} skipped`]),
  ].join(", ");
  const blocks = [
    ...(rows.length === 0
      ? []
      : [
          alignColumns(rows)
            .map((row) => `  ${row}`)
            .join("\n"),
        ]),
    ...(left.length === 0 ? [] : [`Skipped:\n${left.join("\n")}`]),
    `${written.length === 0 ? "Nothing new: " : ""}${total}.${next(facts)}`,
  ];
  return `${blocks.join("\n\n")}\n`;

  function next({ written: found }: FoundFacts): string {
    if (found.length === 0 || dryRun) return "";
    const where = file === undefined ? "Save it as a file" : `${printable(file)} is new`;
    return `\n${where}: name it under imports: of the stack file. Then wfctl plan shows the imports, and wfctl apply records them.`;
  }
}
