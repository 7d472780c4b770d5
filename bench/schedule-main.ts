import { parseArgs } from "node:util";
import { createSeededRandom } from "@wfctl/testkit";
import { randomProblem, runProblem } from "./schedule.ts";

const { values } = parseArgs({ options: { seeds: { type: "string", default: "200" } } });

for (const equalLatencies of [true, false]) {
  const all: number[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed += 1) {
    const problem = randomProblem(createSeededRandom(seed), { equalLatencies });
    all.push((await runProblem(problem, `seed-${seed}`)).efficiency);
  }
  all.sort((a, b) => a - b);
  const at = (share: number): string => `${(100 * all[Math.floor(share * (all.length - 1))]!).toFixed(1)} %`;
  const what = equalLatencies ? "200 ms calls, 30 calls/s" : "100 to 300 ms calls, 10 to 70 calls/s";
  process.stdout.write(
    `${what}, ${all.length} random graphs: least ${at(0)}, tenth ${at(0.1)}, median ${at(0.5)} of the bound\n`,
  );
}
