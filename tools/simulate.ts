/**
 * Plays random stacks under random faults against the engine, and checks the rules of its lifecycle.
 *
 *   npm run simulate                         100,000 seeds on all cores
 *   npm run simulate -- --count 5000 --from 1
 *   npm run simulate -- --seed 42            one seed, with all that happened
 *   npm run simulate -- --mutants [--skip 10]   every planted bug has to be found
 */
import { parseArgs } from "node:util";
import {
  explainFailure,
  generateScenario,
  mutants,
  runScenario,
  simulate,
  withMutant,
} from "@wfctl/testkit/simulation";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    mutants: { type: "boolean", default: false },
    skip: { type: "string", default: "0" },
    workers: { type: "string" },
  },
});
const workers = values.workers === undefined ? {} : { workers: Number(values.workers) };

if (values.seed !== undefined) {
  const { violations, story } = await runScenario(generateScenario(Number(values.seed)), { trace: true });
  for (const line of story) console.log(line);
  for (const violation of violations) console.log(`=> ${violation}`);
  process.exitCode = violations.length === 0 ? 0 : 1;
} else if (values.mutants) {
  let survivors = 0;
  const planted = mutants.slice(Number(values.skip));
  for (const mutant of planted) {
    const count = Number(values.count === "100000" ? "20000" : values.count);
    const options = { from: Number(values.from), count, maxFailures: 1, ...workers };
    const [found] = await withMutant(mutant, (workerUrl) => simulate({ ...options, workerUrl }));
    if (found === undefined) survivors += 1;
    console.log(
      `${found === undefined ? "SURVIVES" : `seed ${found.seed}`.padEnd(12)} ${mutant.name}${found === undefined ? "" : `: ${found.violations[0]}`}`,
    );
  }
  console.log(`${planted.length} planted bugs, ${survivors} not found`);
  process.exitCode = survivors === 0 ? 0 : 1;
} else {
  const count = Number(values.count);
  const began = performance.now();
  let told = 0;
  const failures = await simulate({
    from: Number(values.from),
    count,
    ...workers,
    onProgress(done) {
      if (done - told < count / 20) return;
      told = done;
      console.log(`${done} of ${count} seeds`);
    },
  });
  for (const failure of failures) console.log(await explainFailure(failure));
  const seconds = (performance.now() - began) / 1000;
  console.log(`${count} seeds, ${failures.length} failing, ${seconds.toFixed(0)} s`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}
