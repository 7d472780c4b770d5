import type { Machine } from "./machine.ts";
import type { Row } from "./main.ts";
import type { StartFigures } from "./start.ts";

/** The whole report as Markdown, for people. */
export function renderTable(report: {
  readonly machine: Machine;
  readonly tools: readonly { readonly name: string; readonly version: string }[];
  readonly rounds: number;
  readonly start: StartFigures;
  readonly rows: readonly Row[];
}): string {
  const { machine, start } = report;
  const lines = [
    `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Linux ${machine.kernel}, Node ${machine.node}; one fdatasync ${machine.fdatasyncMs} ms.`,
    `Tools: ${report.tools.map(({ name, version }) => `${name} (${version})`).join(", ")}; medians of ${report.rounds} interleaved rounds.`,
    "",
    `Start: bare node ${start.bareNodeMs} ms; ${report.tools.map(({ name }) => `${name} version ${start.versionMs[name]} ms, plan of 10 unchanged ${start.planTenMs[name]} ms`).join("; ")}.`,
    "",
    "| shape | size | work | tool | time | CPU | host peak | plugin peak | written |",
    "|---|---|---|---|---|---|---|---|---|",
  ];
  for (const row of report.rows) {
    lines.push(
      `| ${row.shape} | ${row.size} | ${row.work} | ${row.tool} | ${seconds(row.ms)} | ${seconds(row.cpuMs)} | ${row.hostPeakMb} MB | ${row.pluginPeakMb === 0 ? "–" : `${row.pluginPeakMb} MB`} | ${row.writtenKb} kB |`,
    );
  }
  const slopes = slopesOf(report.rows);
  if (slopes.length > 0) lines.push("", "Marginal cost per resource, wfctl:", ...slopes);
  return `${lines.join("\n")}\n`;
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
