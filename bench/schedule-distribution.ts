import { createSeededRandom } from "@wfctl/testkit";
import { randomProblem, runProblem, type Latencies } from "./schedule.ts";

/** Shares of the bound, as fractions, over random graphs. */
export interface ScheduleRow {
  readonly what: string;
  readonly graphs: number;
  readonly least: number;
  readonly twentieth: number;
  readonly tenth: number;
  readonly median: number;
}

const cases: readonly { readonly what: string; readonly latencies: Latencies; readonly known?: boolean }[] = [
  { what: "200 ms calls, 30 calls/s", latencies: "equal" },
  { what: "50 ms to 2 s by type, 10 to 70 calls/s, types known from earlier runs", latencies: "by-type", known: true },
  { what: "the same, a first run that learns them as it goes", latencies: "by-type" },
  { what: "100 to 300 ms without rule, 10 to 70 calls/s, known to the bound alone", latencies: "unforeseeable" },
];

/** How near the engine comes to the best that any schedule could do, in virtual time. */
export async function measureSchedule(seeds: number): Promise<ScheduleRow[]> {
  const rows: ScheduleRow[] = [];
  for (const { what, latencies, known = false } of cases) {
    const all: number[] = [];
    for (let seed = 1; seed <= seeds; seed += 1) {
      const problem = randomProblem(createSeededRandom(seed), { latencies });
      all.push((await runProblem(problem, `seed-${seed}`, { known })).efficiency);
    }
    all.sort((a, b) => a - b);
    const at = (share: number): number => Number(all[Math.floor(share * (all.length - 1))]!.toFixed(4));
    rows.push({ what, graphs: seeds, least: at(0), twentieth: at(0.05), tenth: at(0.1), median: at(0.5) });
  }
  return rows;
}

export function describeEfficiency({ what, graphs, least, twentieth, tenth, median }: ScheduleRow): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return `${what}, ${graphs} random graphs: least ${percent(least)}, twentieth ${percent(twentieth)}, tenth ${percent(tenth)}, median ${percent(median)} of the bound`;
}
