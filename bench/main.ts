import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compareRevisions } from "./compare.ts";
import { measureGrowth, type Growth } from "./growth.ts";
import { describeMachine, type Machine } from "./machine.ts";
import type { Measured } from "./measure.ts";
import { renderPlot } from "./plot.ts";
import { measureSchedule, type ScheduleRow } from "./schedule-distribution.ts";
import { renderTable } from "./table.ts";
import { measureStart, type StartFigures } from "./start.ts";
import { shapes, type Shape } from "./stacks.ts";
import { median } from "./statistics.ts";
import { terraformLike, wfctl, works, type Tool, type Work } from "./tools.ts";

export interface Row {
  readonly tool: string;
  readonly shape: Shape;
  readonly size: number;
  readonly work: Work;
  /** Medians over the rounds. */
  readonly ms: number;
  readonly cpuMs: number;
  readonly hostPeakMb: number;
  readonly pluginPeakMb: number;
  readonly writtenKb: number;
  /** All times, for comparisons. */
  readonly all: readonly number[];
}

/** All that one run of the bench has measured. */
export interface Report {
  readonly schema: string;
  readonly command: string;
  readonly date: string;
  readonly machine: Machine;
  readonly tools: readonly { readonly name: string; readonly version: string }[];
  readonly rounds: number;
  readonly start: StartFigures;
  readonly rows: readonly Row[];
  /** Each peer's time over wfctl's. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly growth?: Growth;
  readonly schedule?: readonly ScheduleRow[];
}

const manyResources = 1000;

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "100,1000" },
    shapes: { type: "string", default: "tree" },
    rounds: { type: "string", default: "3" },
    parallelism: { type: "string" },
    peers: { type: "boolean", default: true },
    "peer-rounds": { type: "string" },
    growth: { type: "string" },
    schedule: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    save: { type: "string" },
    compare: { type: "string" },
  },
  allowNegative: true,
});
const sizes = values.sizes.split(",").map(Number);
const wantedShapes = values.shapes.split(",") as Shape[];
const unknown = wantedShapes.find((shape) => !shapes.includes(shape));
if (unknown !== undefined || sizes.some((size) => !Number.isInteger(size) || size < 1)) {
  throw new Error(
    `Usage: npm run bench -- [--sizes 100,1000] [--shapes ${shapes.join(",")}] [--rounds 3] [--no-peers] [--peer-rounds N] [--growth 1000,10000,50000] [--schedule] [--json] [--save NAME] [--compare REVISION]`,
  );
}
const root = join(import.meta.dirname, "..");
const extra = values.parallelism === undefined ? [] : ["--parallelism", values.parallelism];
const rounds = Number(values.rounds);
/** Rounds of the peers at 1,000 resources and more, where one takes minutes. */
const peerRounds = Number(values["peer-rounds"] ?? rounds);
const growthSizes = values.growth?.split(",").map(Number) ?? [];

// What is measured is the bundle: the launcher would run newer sources unbuilt, and slower.
execFileSync(process.execPath, [join(root, "tools/build.mjs"), "--quiet"], { stdio: "inherit" });
if (values.compare === undefined) await measureAll();
else
  process.exitCode = await compareRevisions({
    root,
    base: values.compare,
    sizes,
    shapes: wantedShapes,
    rounds: Math.max(5, rounds),
    extra,
  });

async function measureAll(): Promise<void> {
  const own = await wfctl(root, "wfctl", extra);
  const tools: Tool[] = [own];
  if (values.peers) {
    for (const peer of ["terraform", "tofu"] as const) {
      const found = terraformLike(peer);
      if (found !== undefined) tools.push(found);
    }
  }
  const machine = describeMachine();
  const start = await measureStart(own, tools, rounds);
  const rows: Row[] = [];
  for (const shape of wantedShapes) {
    for (const size of sizes) rows.push(...(await measureSize(tools, shape, size)));
  }
  const measured: Report = {
    schema: "wfctl/bench/2",
    command: `npm run bench -- ${process.argv.slice(2).join(" ")}`,
    date: new Date().toISOString().slice(0, 10),
    machine,
    tools: tools.map(({ name, version }) => ({ name, version })),
    rounds,
    start,
    rows,
    ratios: ratiosOf(rows),
  };
  // What comes now takes minutes more: if it fails, the rest is not lost.
  save(measured);
  const report: Report = {
    ...measured,
    ...(values.schedule ? { schedule: await measureSchedule(200) } : {}),
    ...(growthSizes.length === 0 ? {} : { growth: await measureGrowth(own, growthSizes, rounds) }),
  };
  save(report);
  process.stdout.write(renderTable(report));
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
}

function save(report: Report): void {
  if (values.save === undefined) return;
  const directory = join(import.meta.dirname, "results");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${values.save}.json`), `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(join(directory, `${values.save}.md`), renderTable(report));
  writeFileSync(join(directory, `${values.save}.svg`), renderPlot(report.rows));
}

/** All tools on one size, interleaved round by round, so that a slow minute of the machine hits all of them. */
async function measureSize(tools: readonly Tool[], shape: Shape, size: number): Promise<Row[]> {
  const able = tools.filter((tool) => size <= tool.maxSize);
  const results = new Map<string, Measured[]>();
  const base = mkdtempSync(join(tmpdir(), "wfctl-bench-"));
  for (let round = 0; round < rounds; round += 1) {
    for (const tool of able) {
      if (tool.name !== "wfctl" && size >= manyResources && round >= peerRounds) continue;
      const directory = join(base, tool.name);
      await tool.prepare(directory, shape, size);
      for (const work of works) {
        process.stderr.write(`${tool.name} ${shape} ${size} ${work} (round ${round + 1} of ${rounds})\n`);
        const result = await tool.run(directory, work, shape, size);
        if (result.exitCode !== 0)
          throw new Error(
            `${tool.name} ${work} of ${size} ended with ${result.exitCode}: ${result.stderr.slice(-2000)}`,
          );
        const key = `${tool.name} ${work}`;
        results.set(key, [...(results.get(key) ?? []), result]);
      }
    }
  }
  rmSync(base, { recursive: true, force: true });
  return able.flatMap((tool) =>
    works.map((work) => toRow(tool.name, shape, size, work, results.get(`${tool.name} ${work}`) ?? [])),
  );
}

function toRow(tool: string, shape: Shape, size: number, work: Work, all: readonly Measured[]): Row {
  const of = (pick: (measured: Measured) => number): number => median(all.map(pick));
  return {
    tool,
    shape,
    size,
    work,
    ms: Math.round(of((measured) => measured.ms)),
    cpuMs: Math.round(of((measured) => measured.cpuMs)),
    hostPeakMb: Math.round(of((measured) => measured.hostPeakBytes) / 1e6),
    pluginPeakMb: Math.round(of((measured) => measured.pluginPeakBytes) / 1e6),
    writtenKb: Math.round(of((measured) => measured.writtenBytes) / 1000),
    all: all.map((measured) => Math.round(measured.ms)),
  };
}

/** Each peer's time over wfctl's: above 1, wfctl is faster. */
function ratiosOf(rows: readonly Row[]): Record<string, number> {
  const ratios: Record<string, number> = {};
  for (const row of rows) {
    if (row.tool === "wfctl") continue;
    const own = rows.find(
      (other) =>
        other.tool === "wfctl" && other.shape === row.shape && other.size === row.size && other.work === row.work,
    );
    if (own !== undefined)
      ratios[`${row.tool}/wfctl ${row.shape} ${row.size} ${row.work}`] = Number((row.ms / own.ms).toFixed(2));
  }
  return ratios;
}
