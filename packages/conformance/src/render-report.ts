import { isFailure, type ConformanceReport, type ScenarioResult } from "./report.ts";

/** The report for people: one line a scenario, then the verdict. `verbose` shows what passed as well. */
export function renderReport(report: ConformanceReport, options: { readonly verbose?: boolean } = {}): string {
  const lines = [`${report.plugin} ${report.version} at level ${report.level}: ${report.directory}`, ""];
  for (const each of report.results) {
    if (each.result === "passed" && options.verbose !== true) continue;
    lines.push(`  ${wordOf(each, report).padEnd(8)} ${nameOf(each)}: ${each.title}`);
    if (each.message !== undefined) lines.push(`           ${each.message.replaceAll("\n", "\n           ")}`);
  }
  if (lines.length > 2) lines.push("");
  const counts = [
    `${report.passed} passed`,
    `${report.failures.length} failed`,
    ...(report.warnings.length === 0 ? [] : [`${report.warnings.length} warnings`]),
    ...countOf(report, "skipped", "skipped"),
    ...countOf(report, "not-applicable", "not applicable"),
  ];
  lines.push(`${report.conforms ? "Conforms" : "Does not conform"}: ${counts.join(", ")}`, "");
  return lines.join("\n");
}

function countOf(report: ConformanceReport, result: ScenarioResult["result"], word: string): string[] {
  const count = report.results.filter((each) => each.result === result && !isFailure(each, report.level)).length;
  return count === 0 ? [] : [`${count} ${word}`];
}

function wordOf(each: ScenarioResult, report: ConformanceReport): string {
  switch (each.result) {
    case "passed":
      return "ok";
    case "failed":
      return each.demand === "required" ? "FAILED" : "warning";
    case "skipped":
      return isFailure(each, report.level) ? "SKIPPED" : "skipped";
    case "not-applicable":
      return "n/a";
  }
}

function nameOf({ id, type }: ScenarioResult): string {
  return type === undefined ? id : `${id} [${type}]`;
}
