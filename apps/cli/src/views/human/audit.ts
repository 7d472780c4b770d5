import type { AuditFacts } from "../view.ts";
import { printable } from "./text.ts";

/** One line a finding, errors first; one summary line last. Never a secret itself. */
export function renderAudit({ location, records, findings }: AuditFacts): string {
  const sorted = findings.toSorted((a, b) => (a.severity === b.severity ? 0 : a.severity === "error" ? -1 : 1));
  const lines = sorted.map(({ severity, name, problem }) => `${severity}: ${printable(name)}: ${printable(problem)}`);
  const errors = findings.filter((finding) => finding.severity === "error").length;
  const warnings = findings.length - errors;
  lines.push(
    errors === 0
      ? `No secret stands in clear in ${location}: ${records} records looked at, ${warnings} warnings.`
      : `${errors} secrets stand in clear in ${location}: rotate them, then apply again.`,
  );
  return `${lines.join("\n")}\n`;
}
