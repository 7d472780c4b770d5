import type { YAMLException } from "js-yaml";

export interface SyntaxProblem {
  readonly offset: number;
  readonly summary: string;
  readonly hint: string;
}

const maxSyntaxErrors = 10;

/**
 * What is wrong with text that the fast parser refused. A second, slower parser words it better and goes on after the
 * first error; where it has nothing to say, the first parser's own words are taken.
 */
export async function readSyntaxErrors(text: string, refusal: YAMLException): Promise<SyntaxProblem[]> {
  const own = {
    offset: refusal.mark?.position ?? 0,
    summary: `Cannot read the YAML: ${refusal.reason}`,
    hint: hintFor(refusal.reason),
  };
  // Deep nesting is a limit of ours that the second parser does not have, and it may not survive such text.
  if (refusal.reason.startsWith("nesting exceeded")) {
    return [
      { ...own, summary: "Cannot read the YAML: collections are nested too deeply, at most 200 levels are read" },
    ];
  }
  const { parseAllDocuments } = await import("yaml");
  const documents = parseAllDocuments(text, { prettyErrors: false, uniqueKeys: false, logLevel: "silent" });
  const problems: SyntaxProblem[] = [];
  const lines = new Set<number>();
  for (const document of Array.isArray(documents) ? documents : []) {
    for (const error of document.errors) {
      const offset = Math.min(error.pos[0], text.length);
      const line = text.lastIndexOf("\n", offset - 1);
      if (lines.has(line)) continue;
      lines.add(line);
      problems.push({
        offset,
        summary: `Cannot read the YAML: ${lowerFirst(error.message)}`,
        hint: hintFor(error.message),
      });
    }
  }
  return problems.length === 0 ? [own] : problems.slice(0, maxSyntaxErrors);
}

function hintFor(message: string): string {
  if (/\btab/i.test(message)) return "Indent with spaces";
  if (/null byte/i.test(message)) return "Write the file anew as text in UTF-8";
  if (/quote/i.test(message)) return "Close the quote";
  if (/compact mappings|bad indentation of a mapping/i.test(message)) return `Put text that holds ": " in quotes`;
  return "Check the indentation and the quotes around here";
}

function lowerFirst(text: string): string {
  const first = text.split("\n", 1)[0] ?? "";
  return first.charAt(0).toLowerCase() + first.slice(1).replace(/\.$/, "");
}
