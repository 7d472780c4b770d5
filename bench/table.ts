import type { Report, Row } from "./main.ts";
import { describeEfficiency } from "./schedule-distribution.ts";

/** The whole report as Markdown, for people. */
export function renderTable(report: Report): string {
  const { machine, start } = report;
  const lines = [
    `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Linux ${machine.kernel}, Node ${machine.node}; one fdatasync ${machine.fdatasyncMs} ms.`,
    `Tools: ${report.tools.map(({ name, version }) => `${name} (${version})`).join(", ")}; medians of ${report.rounds} interleaved rounds, fewer where a row says so.`,
    `Made with: ${report.command}`,
    "",
    `Start: bare node ${start.bareNodeMs} ms; ${report.tools.map(({ name }) => `${name} version ${start.versionMs[name]} ms, plan of 10 unchanged ${start.planTenMs[name]} ms`).join("; ")}.`,
    ...describeStart(report),
    "",
    "| shape | size | work | tool | time | CPU | host peak | plugin peak | written |",
    "|---|---|---|---|---|---|---|---|---|",
  ];
  for (const row of report.rows) {
    lines.push(
      `| ${row.shape} | ${row.size} | ${row.work} | ${row.tool}${row.all.length === report.rounds ? "" : ` (${row.all.length})`} | ${seconds(row.ms)} | ${seconds(row.cpuMs)} | ${row.hostPeakMb} MB | ${row.pluginPeakMb === 0 ? "–" : `${row.pluginPeakMb} MB`} | ${row.writtenKb} kB |`,
    );
  }
  const slopes = slopesOf(report.rows);
  if (slopes.length > 0) lines.push("", "Marginal cost per resource, wfctl:", ...slopes);
  const { growth, schedule } = report;
  if (growth !== undefined) {
    lines.push("", "| size | command | time | CPU | host peak |", "|---|---|---|---|---|");
    for (const row of growth.rows)
      lines.push(
        `| ${row.size} | ${row.command} | ${seconds(row.ms)} | ${seconds(row.cpuMs)} | ${row.hostPeakMb} MB |`,
      );
    const files = growth.journal.map(({ runs, bytes }) => `${runs} runs ${Math.round(bytes / 1000)} kB`);
    lines.push("", `State file after runs of ten actions: ${files.join(", ")}.`);
  }
  if (schedule !== undefined) lines.push("", "Schedule:", ...schedule.map((row) => `- ${describeEfficiency(row)}`));
  return `${lines.join("\n")}\n`;
}

/** Figures that reports of earlier days do not have. */
function describeStart({ start, tools }: Report): string[] {
  const { least, wfctlMs } = start;
  if (least === undefined || wfctlMs === undefined) return [];
  const bests = tools.map(
    ({ name }) => `${name} version ${least.versionMs[name]} ms, plan ${least.planTenMs[name]} ms`,
  );
  return [
    `The best of all rounds: bare node ${least.bareNodeMs} ms; ${bests.join("; ")}.`,
    `wfctl on that stack: status ${wfctlMs.status} ms, outputs ${wfctlMs.outputs} ms; the plan without what earlier runs have compiled ${wfctlMs.planUncached} ms.`,
  ];
}

/** Cost of each further resource between neighbouring sizes: flat where the tool is linear. */
function slopesOf(rows: readonly Row[]): string[] {
  const own = rows.filter((row) => row.tool === "wfctl");
  const lines: string[] = [];
  for (const row of own) {
    const next = own.find((other) => other.shape === row.shape && other.work === row.work && other.size > row.size);
    if (next === undefined) continue;
    lines.push(
      `- ${row.shape} ${row.work}, ${row.size} to ${next.size}: ${((next.ms - row.ms) / (next.size - row.size)).toFixed(3)} ms`,
    );
  }
  return lines;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
