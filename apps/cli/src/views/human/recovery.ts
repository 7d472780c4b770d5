import type { RecoveryReport } from "@wfctl/engine";
import { printable } from "./text.ts";

/** One line for each run that was closed or undone, after the lines of the single actions. */
export function renderRecovery(report: RecoveryReport): string {
  const settled = report.resolved.filter((entry) => entry.status !== "unknown").length;
  const lines = report.runs.map((run) => `Run ${run} had not ended; it is closed now.`);
  for (const undo of report.undos) {
    lines.push(`The undo of run ${undo.run} is finished: ${undo.undone.length} undone, ${undo.remaining.length} not.`);
    for (const { name, why } of undo.remaining) lines.push(`  not undone: ${printable(name)}, ${printable(why)}`);
  }
  lines.push(`Resolved what was left in flight: ${settled} settled, ${report.unknown.length} unknown.`);
  return lines.join("\n");
}
