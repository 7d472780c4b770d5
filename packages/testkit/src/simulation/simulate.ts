import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { generateScenario } from "./generate-scenario.ts";
import { runScenario } from "./run-scenario.ts";
import { shrinkScenario } from "./shrink-scenario.ts";

export interface Failure {
  readonly seed: number;
  readonly violations: readonly string[];
}

export interface SimulateOptions {
  /** First seed. */
  readonly from: number;
  readonly count: number;
  /** Worker threads; 0 runs here. @default one per core */
  readonly workers?: number;
  /** Stop after so many failing seeds. @default 10 */
  readonly maxFailures?: number;
  /** Entry of the simulation to run in workers, where it is not this package's own: a copy with a planted bug. */
  readonly workerUrl?: URL;
  readonly onProgress?: (done: number) => void;
}

/** Plays the scenarios of the seeds and gives those that break a rule, lowest seed first. */
export async function simulate(options: SimulateOptions): Promise<readonly Failure[]> {
  const workers = options.workers ?? availableParallelism();
  const maxFailures = options.maxFailures ?? 10;
  const failures: Failure[] = [];
  const end = options.from + options.count;
  let next = options.from;
  let done = 0;
  const chunk = Math.max(1, Math.min(100, Math.ceil(options.count / Math.max(1, workers * 4))));
  const take = (): { from: number; count: number } | undefined => {
    if (next >= end || failures.length >= maxFailures) return undefined;
    const from = next;
    next = Math.min(end, next + chunk);
    return { from, count: next - from };
  };
  const add = (count: number, found: readonly Failure[]): void => {
    done += count;
    failures.push(...found);
    options.onProgress?.(done);
  };
  if (workers === 0) {
    for (let part = take(); part !== undefined; part = take()) add(part.count, await playSeeds(part.from, part.count));
  } else {
    const url = options.workerUrl ?? new URL("./worker.ts", import.meta.url);
    await Promise.all(Array.from({ length: workers }, () => serveWorker(url, take, add)));
  }
  return failures.toSorted((a, b) => a.seed - b.seed).slice(0, maxFailures);
}

async function serveWorker(
  url: URL,
  take: () => { from: number; count: number } | undefined,
  add: (count: number, found: readonly Failure[]) => void,
): Promise<void> {
  const worker = new Worker(url);
  const ended = Promise.withResolvers<void>();
  let part: { from: number; count: number } | undefined;
  const give = (): void => {
    part = take();
    if (part === undefined) ended.resolve();
    else worker.postMessage(part);
  };
  worker.on("message", (found: readonly Failure[]) => {
    add(part?.count ?? 0, found);
    give();
  });
  worker.on("error", ended.reject);
  worker.on("exit", (code) => ended.reject(new Error(`A simulation worker ended with code ${code}`)));
  give();
  try {
    await ended.promise;
  } finally {
    await worker.terminate();
  }
}

/** Plays seeds one after the other. */
export async function playSeeds(from: number, count: number): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const { violations } = await runScenario(generateScenario(seed));
    if (violations.length > 0) failures.push({ seed, violations });
  }
  return failures;
}

/** What a person needs to look into a failing seed: how to play it again, and the smallest scenario that shows the same. */
export async function explainFailure(failure: Failure): Promise<string> {
  const small = await shrinkScenario(generateScenario(failure.seed));
  const { violations, story } = await runScenario(small, { trace: true });
  return [
    `seed ${failure.seed}: ${failure.violations.join("\n  ")}`,
    `  again: npm run simulate -- --seed ${failure.seed}`,
    `  smallest scenario found (${small.steps.length} steps): ${JSON.stringify(small)}`,
    ...story.map((line) => `  ${line}`),
    ...violations.map((violation) => `  => ${violation}`),
  ].join("\n");
}
