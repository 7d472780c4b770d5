import { expect, test } from "vitest";
import type { Report, Row } from "./main.ts";
import { renderReadme } from "./readme-table.ts";

const row = (tool: string, size: number, ms: number): Row => ({
  tool,
  shape: "tree",
  size,
  work: "create",
  ms,
  cpuMs: ms,
  hostPeakMb: 100,
  pluginPeakMb: 0,
  writtenKb: 1,
  all: [ms],
});

const report: Report = {
  schema: "wfctl/bench/2",
  command: "npm run bench -- --save quiet",
  date: "2030-01-01",
  machine: { cpu: "CPU", cores: 2, memoryGb: 8, kernel: "6", node: "v24", fdatasyncMs: 0.2 },
  tools: [
    { name: "wfctl", version: "wfctl 1" },
    { name: "terraform", version: "1.11.4" },
  ],
  rounds: 3,
  start: { bareNodeMs: 20, versionMs: { wfctl: 30, terraform: 33 }, planTenMs: { wfctl: 60, terraform: 45 } },
  rows: [row("wfctl", 10, 200), row("terraform", 10, 58), row("wfctl", 10_000, 4000)],
  ratios: {},
};

test("renderReadme: who is fastest is marked, also where that is a peer; what was not measured is a dash", () => {
  const text = renderReadme(report, "quiet");
  expect(text).toContain("| | | 10 | 10,000 |");
  expect(text).toContain("| apply (create) | wfctl | 0.20 s | **4.00 s** |");
  expect(text).toContain("|  | Terraform | **0.06 s** | – |");
  expect(text).toContain("Terraform 1.11.4");
});

test("renderReadme: tells the machine, the date and how to repeat it", () => {
  const text = renderReadme(report, "quiet");
  for (const part of ["2 cores", "2030-01-01", report.command, "bench/results/quiet.svg"]) expect(text).toContain(part);
});
