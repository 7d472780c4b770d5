import type { Diagnostic, SourceLocation } from "@wfctl/model";
import type { Style } from "./style.ts";
import { printable } from "./text.ts";

/** Each diagnostic with its place, the hint below it. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], style: Style): string {
  return diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, style)).join("\n");
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
