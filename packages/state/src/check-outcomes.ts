import type { JournalEvent } from "@wfctl/model";
import type { Finding } from "./finding.ts";

/** One outcome per action: none twice other than by an undo, none out of range, none missing once the run is closed. */
export function checkOutcomes(
  run: { readonly id: string; readonly actionCount: number; readonly closed: boolean },
  events: readonly JournalEvent[],
): Finding[] {
  const findings: Finding[] = [];
  const filled = new Set<number>();
  for (const event of events) {
    if (event.kind !== "outcome") continue;
    const { action, status } = event.outcome;
    const where = `outcome of action ${action} of run '${run.id}'`;
    if (!Number.isInteger(action) || action < 0 || action >= run.actionCount) {
      const problem = `The ${where} is out of range: the run has ${run.actionCount} actions`;
      findings.push({ check: "outcome-range", severity: "error", problem });
    } else if (filled.has(action) && status !== "COMPENSATED" && status !== "COMPENSATION_FAILED") {
      findings.push({ check: "outcome-twice", severity: "error", problem: `There is a second ${where}` });
    } else {
      filled.add(action);
    }
  }
  const missing = Array.from({ length: run.actionCount }, (_, action) => action).filter(
    (action) => !filled.has(action),
  );
  if (run.closed && missing.length > 0) {
    const problem = `Run '${run.id}' is closed without an outcome of ${missing.length} actions, first action ${missing[0]}`;
    findings.push({ check: "outcome-missing", severity: "error", problem });
  }
  return findings;
}
