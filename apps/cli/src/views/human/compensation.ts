import type { CompensationFacts } from "../view.ts";
import { printable } from "./text.ts";

/** What was undone, what was not and why; one summary line last. */
export function renderCompensation({ report }: CompensationFacts): string {
  const lines: string[] = [];
  for (const { name, message } of report.undone) lines.push(`  undone: ${printable(name)} (${printable(message)})`);
  for (const { name, why } of report.remaining) lines.push(`  not undone: ${printable(name)}: ${printable(why)}`);
  const { undone, remaining } = report;
  if (undone.length === 0 && remaining.length === 0) {
    lines.push(`Run ${report.run} left nothing to undo.`);
  } else if (remaining.length === 0) {
    lines.push(`Run ${report.run} is undone: ${undone.length} of ${undone.length} actions.`);
  } else {
    lines.push(
      "Mend the cause and run the command again, or finish the rest with --skip NAME.",
      `Run ${report.run} is undone in part: ${undone.length} actions undone, ${remaining.length} not.`,
    );
  }
  return `${lines.join("\n")}\n`;
}
