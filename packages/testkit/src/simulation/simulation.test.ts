import { describe, expect, test } from "vitest";
import { generateScenario, mutants, runScenario, shrinkScenario, simulate, withMutant } from "./index.ts";

/** Some seconds of work, on a machine that has other work as well. */
const patienceMs = 900_000;

test(
  "a thousand random stacks under random faults break no rule of the lifecycle",
  { timeout: patienceMs },
  async () => {
    expect(await simulate({ from: 1, count: 1000, workers: 2 })).toEqual([]);
  },
);

test("a seed plays the same whenever it is played", async () => {
  const [first, second] = [
    await runScenario(generateScenario(58), { trace: true }),
    await runScenario(generateScenario(58), { trace: true }),
  ];
  expect(first.story.length).toBeGreaterThan(50);
  expect(second.story).toEqual(first.story);
});

test("a scenario that breaks no rule is not cut down", async () => {
  const scenario = generateScenario(1);
  expect(await shrinkScenario(scenario)).toBe(scenario);
});

describe("a planted bug is found", () => {
  const some = [
    "a call is sent while its intent is still being written",
    "a create that is not seen at once is taken for absent",
    "a delete does not wait for what stands on its object",
    "a run closes intents of which nothing is known",
    "values of secret outputs are not marked where they are used",
    "slots that a dead run left open stay open",
    "a delete that shows no effect is believed at once to have none",
    "a host that was stopped and continued sends on the strength of an old lease",
    "what is to be retained is deleted",
  ];

  test.each(some)("%s", { timeout: patienceMs }, async (name) => {
    const mutant = mutants.find((each) => each.name === name)!;
    const found = await withMutant(mutant, (workerUrl) =>
      simulate({ from: 1, count: 400, workers: 1, maxFailures: 1, workerUrl }),
    );
    expect(found.length).toBeGreaterThan(0);
  });

  test("every one still fits the source it is planted into", { timeout: patienceMs }, async () => {
    const fits = await Promise.all(mutants.map((mutant) => withMutant(mutant, async () => mutant.name)));
    expect(fits).toHaveLength(mutants.length);
  });
});
