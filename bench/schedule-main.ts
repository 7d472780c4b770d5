import { parseArgs } from "node:util";
import { createSeededRandom } from "@wfctl/testkit";
import { randomProblem, runProblem, type Latencies } from "./schedule.ts";

const { values } = parseArgs({ options: { seeds: { type: "string", default: "200" } } });

const cases: readonly { readonly what: string; readonly latencies: Latencies; readonly known?: boolean }[] = [
  { what: "200 ms calls, 30 calls/s", latencies: "equal" },
  { what: "50 ms to 2 s by type, 10 to 70 calls/s, types known from earlier runs", latencies: "by-type", known: true },
  { what: "the same, a first run that learns them as it goes", latencies: "by-type" },
  { what: "100 to 300 ms without rule, 10 to 70 calls/s, known to the bound alone", latencies: "unforeseeable" },
];
for (const { what, latencies, known = false } of cases) {
  const all: number[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed += 1) {
    const problem = randomProblem(createSeededRandom(seed), { latencies });
    all.push((await runProblem(problem, `seed-${seed}`, { known })).efficiency);
  }
  all.sort((a, b) => a - b);
  const at = (share: number): string => `${(100 * all[Math.floor(share * (all.length - 1))]!).toFixed(1)} %`;
  process.stdout.write(
    `${what}, ${all.length} random graphs: least ${at(0)}, twentieth ${at(0.05)}, tenth ${at(0.1)}, median ${at(0.5)} of the bound\n`,
  );
}
