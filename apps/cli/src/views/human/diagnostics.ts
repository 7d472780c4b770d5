import type { Diagnostic, SourceLocation } from "@wfctl/model";
import type { Style } from "./style.ts";
import { printable } from "./text.ts";

/** More than anybody reads: a file that is not meant to be a stack can have one for each of its lines. */
const most = 100;

/** Each diagnostic with its place, the hint below it. Of very many the first are shown, and how many there are. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], style: Style): string {
  const shown = diagnostics.slice(0, most).map((diagnostic) => renderDiagnostic(diagnostic, style));
  const left = diagnostics.length - shown.length;
  return [...shown, ...(left === 0 ? [] : [`… and ${left} more; all of them: --json`])].join("\n");
}

function renderDiagnostic(diagnostic: Diagnostic, style: Style): string {
  const word = diagnostic.severity === "error" ? style.bad("Error") : style.warn("Warning");
  const place = diagnostic.source === undefined ? "" : `${showPlace(diagnostic.source)}: `;
  const lines = [`${word} ${place}${printable(diagnostic.summary)} [${diagnostic.code}]`];
  if (diagnostic.hint !== undefined) lines.push(`  ${printable(diagnostic.hint)}`);
  return lines.join("\n");
}

/** `infra.yaml:12:5`, as far as known. */
export function showPlace(source: SourceLocation): string {
  return [source.file, source.line, source.column].filter((part) => part !== undefined).join(":");
}
