import { createSeededRandom } from "@wfctl/testkit";
import { expect, test } from "vitest";
import { boundMs, randomProblem, runProblem } from "./schedule.ts";

test("boundMs: a chain then a fan is bound by the chain and the rate after it", () => {
  const problem = { parents: [[], [0], [1], [1], [1]], latencyMs: [200, 200, 200, 200, 200], callsPerSecond: 10 };
  expect(boundMs(problem)).toBe(400 + 2 * 100 + 200);
});

test("applyPlan: comes within 5 % of the bound over random graphs of 200 ms calls at 30 a second", async () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const problem = randomProblem(createSeededRandom(seed), { equalLatencies: true });
    const { efficiency } = await runProblem(problem, `seed-${seed}`);
    expect(efficiency, `seed ${seed}`).toBeGreaterThanOrEqual(0.95);
    expect(efficiency, `seed ${seed}`).toBeLessThanOrEqual(1.0001);
  }
});

test("applyPlan: comes within 5 % of the bound on average where latencies and limits differ too", async () => {
  let sum = 0;
  for (let seed = 1; seed <= 30; seed += 1) {
    const problem = randomProblem(createSeededRandom(seed), { equalLatencies: false });
    sum += (await runProblem(problem, `seed-${seed}`)).efficiency;
  }
  expect(sum / 30).toBeGreaterThanOrEqual(0.95);
});
