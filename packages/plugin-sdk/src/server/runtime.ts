import { randomInt } from "node:crypto";
import type { Clock } from "../author/clock.ts";
import type { Provider } from "../author/define-provider.ts";
import type { Log } from "../author/log.ts";
import { createInstances, type Instances } from "../calls/instances.ts";
import { createOperations, type Operations } from "../calls/operations.ts";
import { createRuns, type Runs } from "../calls/runs.ts";
import { createBroadcast, type Broadcast } from "./broadcast.ts";

/** What the services of one plugin process share. */
export interface Runtime {
  readonly provider: Provider;
  readonly instances: Instances;
  readonly runs: Runs;
  readonly operations: Operations;
  /** Progress of calls that came as rpcs of their own. */
  readonly progress: Broadcast<CallReport>;
  readonly log: Log;
  /** Aborts when the plugin shuts down: streams end. */
  readonly ending: AbortSignal;
  /** Ends the plugin. Returns at once. */
  end(reason: string): void;
}

export interface CallReport {
  readonly clientToken: string;
  readonly message: string;
  readonly waiting: boolean;
  readonly limited: boolean;
}

export function createRuntime(
  provider: Provider,
  environment: { clock: Clock; log: Log; ending: AbortSignal; end: (reason: string) => void },
): Runtime {
  const { clock, log, ending, end } = environment;
  const instances = createInstances(provider, { clock, log, signal: ending });
  const runs = createRuns();
  const operations = createOperations({ provider, instances, runs, clock, log, ending });
  return { provider, instances, runs, operations, progress: createBroadcast(), log, ending, end };
}

/** An id in the form upstream gives its plans. */
export function newPlanId(): string {
  return `plan-${BigInt(Date.now()) * 1_000_000n + BigInt(randomInt(1_000_000))}`;
}
