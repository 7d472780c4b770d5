import { createSeededRandom } from "@wfctl/testkit";
import { randomProblem, runProblem, type Knowledge, type Latencies } from "./schedule.ts";

/** Shares of the bound, as fractions, over random graphs. */
export interface ScheduleRow {
  readonly what: string;
  readonly graphs: number;
  readonly least: number;
  readonly twentieth: number;
  readonly tenth: number;
  readonly median: number;
  /** Not in what was saved before 2026-11-24. */
  readonly mean?: number;
}

const cases: readonly { readonly what: string; readonly latencies: Latencies; readonly knowledge?: Knowledge }[] = [
  { what: "200 ms calls, 30 calls/s", latencies: "equal" },
  {
    what: "50 ms to 2 s by type, 10 to 70 calls/s, types known from earlier runs",
    latencies: "by-type",
    knowledge: "learned",
  },
  {
    what: "the same, a first run, types declared by the plugin within a factor of two",
    latencies: "by-type",
    knowledge: "declared",
  },
  { what: "the same, a first run that learns them as it goes", latencies: "by-type" },
  { what: "100 to 300 ms without rule, 10 to 70 calls/s, known to the bound alone", latencies: "unforeseeable" },
  {
    what: "the same, were the time of each call known to the engine too",
    latencies: "unforeseeable",
    knowledge: "learned",
  },
];

/** How near the engine comes to the best that any schedule could do, in virtual time. */
export async function measureSchedule(seeds: number): Promise<ScheduleRow[]> {
  const rows: ScheduleRow[] = [];
  for (const { what, latencies, knowledge = "nothing" } of cases) {
    const all: number[] = [];
    for (let seed = 1; seed <= seeds; seed += 1) {
      const problem = randomProblem(createSeededRandom(seed), { latencies });
      all.push((await runProblem(problem, `seed-${seed}`, { knowledge })).efficiency);
    }
    all.sort((a, b) => a - b);
    const at = (share: number): number => Number(all[Math.floor(share * (all.length - 1))]!.toFixed(4));
    const mean = Number((all.reduce((sum, share) => sum + share, 0) / all.length).toFixed(4));
    rows.push({ what, graphs: seeds, least: at(0), twentieth: at(0.05), tenth: at(0.1), median: at(0.5), mean });
  }
  return rows;
}

export function describeEfficiency({ what, graphs, least, twentieth, tenth, median, mean }: ScheduleRow): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return `${what}, ${graphs} random graphs: least ${percent(least)}, twentieth ${percent(twentieth)}, tenth ${percent(tenth)}, median ${percent(median)}${mean === undefined ? "" : `, mean ${percent(mean)}`} of the bound`;
}
