import type { Report, Row } from "./main.ts";
import { describeEfficiency } from "./schedule-distribution.ts";
import { works, type Work } from "./tools.ts";

const names: Readonly<Record<string, string>> = { wfctl: "wfctl", terraform: "Terraform", tofu: "OpenTofu" };
const workNames: Readonly<Record<Work, string>> = {
  create: "apply (create)",
  plan: "plan, nothing changed",
  "plan-refresh": "plan with refresh",
  change: "one change",
  destroy: "destroy",
};

/** The figures of one saved run of the bench as the README shows them, peers that win included. */
export function renderReadme(report: Report, name: string): string {
  const { machine, start } = report;
  const rows = report.rows.filter((row) => row.shape === "tree");
  const sizes = [...new Set(rows.map((row) => row.size))].toSorted((a, b) => a - b);
  const tools = report.tools.filter(({ name: tool }) => rows.some((row) => row.tool === tool));
  const versions = tools.filter(({ name: tool }) => tool !== "wfctl");
  const lines = [
    "",
    `Medians of ${report.rounds} interleaved rounds (one where a peer takes minutes), a tree of resources with ten children to a node,`,
    `wfctl through a real plugin process and the durable SQLite store, ${versions.map((tool) => `${names[tool.name]} ${tool.version}`).join(" and ") || "no peer"} with the built-in`,
    `resource and no provider process. ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Linux ${machine.kernel}, one \`fdatasync\` ${machine.fdatasyncMs} ms, ${report.date}.`,
    "",
    `| | | ${sizes.map(group).join(" | ")} |`,
    `|---|---|${sizes.map(() => "---|").join("")}`,
  ];
  for (const work of works) {
    for (const [place, tool] of tools.entries()) {
      const cells = sizes.map((size) => cellOf(rows, tool.name, size, work));
      lines.push(`| ${place === 0 ? workNames[work] : ""} | ${names[tool.name]} | ${cells.join(" | ")} |`);
    }
  }
  for (const [place, tool] of tools.entries()) {
    const cells = sizes.map((size) => {
      const row = rows.find((each) => each.tool === tool.name && each.size === size && each.work === "create");
      return row === undefined ? "–" : `${row.hostPeakMb} MB`;
    });
    lines.push(`| ${place === 0 ? "peak memory, apply" : ""} | ${names[tool.name]} | ${cells.join(" | ")} |`);
  }
  lines.push(
    "",
    `Start: a bare \`node -e 0\` takes ${start.bareNodeMs} ms; ${tools
      .map(
        ({ name: tool }) =>
          `\`${tool} version\` ${start.versionMs[tool]} ms, a plan of 10 unchanged ${start.planTenMs[tool]} ms`,
      )
      .join("; ")}.`,
  );
  const { growth, schedule } = report;
  if (growth !== undefined) {
    const grown = [...new Set(growth.rows.map((row) => row.size))];
    const commands = [...new Set(growth.rows.map((row) => row.command))];
    lines.push("", `| wfctl | ${grown.map(group).join(" | ")} |`, `|---|${grown.map(() => "---|").join("")}`);
    for (const command of commands) {
      const cells = grown.map((size) => {
        const row = growth.rows.find((each) => each.size === size && each.command === command);
        return row === undefined ? "–" : `${seconds(row.ms)}, ${row.hostPeakMb} MB`;
      });
      lines.push(`| ${command} | ${cells.join(" | ")} |`);
    }
    const files = growth.journal.map(({ runs, bytes }) => `${Math.round(bytes / 1000)} kB after ${group(runs)} runs`);
    lines.push("", `The state file of a stack of ten stays flat: ${files.join(", ")}.`);
  }
  if (schedule !== undefined) {
    lines.push("", "The schedule under a rate limit, as share of a bound that no schedule can beat:", "");
    for (const row of schedule) lines.push(`- ${describeEfficiency(row)}`);
  }
  lines.push("", `![Apply: time over number of resources](bench/results/${name}.svg)`, "");
  lines.push(`Repeat it with \`${report.command}\`; all figures are in [bench/results](bench/results/${name}.md).`, "");
  return `${lines.join("\n")}\n`;
}

function cellOf(rows: readonly Row[], tool: string, size: number, work: Work): string {
  const row = rows.find((each) => each.tool === tool && each.size === size && each.work === work);
  if (row === undefined) return "–";
  const best = rows.filter((each) => each.size === size && each.work === work).every((each) => row.ms <= each.ms);
  return best ? `**${seconds(row.ms)}**` : seconds(row.ms);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

function group(value: number): string {
  return value.toLocaleString("en");
}
