import { createSeededRandom } from "@wfctl/testkit";
import { expect, test } from "vitest";
import { boundMs, randomProblem, runProblem, type Latencies } from "./schedule.ts";

test("boundMs: a chain then a fan is bound by the chain and the rate after it", () => {
  const problem = { parents: [[], [0], [1], [1], [1]], latencyMs: [200, 200, 200, 200, 200], callsPerSecond: 10 };
  expect(boundMs(problem)).toBe(400 + 2 * 100 + 200);
});

test("applyPlan: comes within 5 % of the bound over random graphs of 200 ms calls at 30 a second", async () => {
  const [least = 0] = await efficiencies("equal", { seeds: 60 });
  expect(least).toBeGreaterThanOrEqual(0.95);
});

test("applyPlan: comes within 5 % of the bound in 19 of 20 graphs where calls take times that were learned", async () => {
  const all = await efficiencies("by-type", { seeds: 100, known: true });
  expect(all[5]).toBeGreaterThanOrEqual(0.95);
});

test("applyPlan: what earlier runs have learned makes runs faster", async () => {
  const known = await efficiencies("by-type", { seeds: 40, known: true });
  const first = await efficiencies("by-type", { seeds: 40 });
  expect(mean(known)).toBeGreaterThan(mean(first) + 0.01);
});

/** Sorted, the least first. No schedule beats the bound: one that does shows an error in it, or calls that no limit let out. */
async function efficiencies(
  latencies: Latencies,
  { seeds, known = false }: { readonly seeds: number; readonly known?: boolean },
): Promise<number[]> {
  const all: number[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const problem = randomProblem(createSeededRandom(seed), { latencies });
    all.push((await runProblem(problem, `seed-${seed}`, { known })).efficiency);
  }
  all.sort((a, b) => a - b);
  expect(all.at(-1)).toBeLessThanOrEqual(1.0001);
  return all;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
