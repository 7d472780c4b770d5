import type { BoundedRun } from "@wfctl/expressions";
import type {
  ErrorCode,
  JournalEvent,
  JsonObject,
  Outcome,
  Plan,
  PlanAction,
  PlanNode,
  PluginProcess,
  ResourceRecord,
  StackState,
  WfctlError,
} from "@wfctl/model";
import type {
  Clock,
  Digester,
  EnvironmentVariables,
  EventSink,
  Hooks,
  Lease,
  Provider,
  Random,
  Store,
} from "../ports/index.ts";
import type { CompensationReport } from "../compensate/undo.ts";
import { createBeats, type Beats } from "./beats.ts";
import { createDurations, type Durations } from "./durations.ts";
import { watchExits } from "./watch-exits.ts";
import { createSecretSet, secretsOfState, type SecretSet } from "../report/redact.ts";

/** What the engine needs from outside to run a plan. */
export interface EngineDeps {
  readonly store: Store;
  readonly lease: Lease;
  /** Started providers by module name. */
  readonly providers: ReadonlyMap<string, Provider>;
  /** Configuration of each module, kept (sealed) with the records so that an orphan can be deleted later. */
  readonly providerConfigs: ReadonlyMap<string, { readonly name: string; readonly config: JsonObject }>;
  readonly clock: Clock;
  readonly random: Random;
  readonly digester: Digester;
  readonly env: EnvironmentVariables;
  /** Runs expressions over outputs. */
  readonly bounded: BoundedRun;
  readonly hooks?: Hooks;
  readonly emit: EventSink;
  /** What earlier runs have learned; learns on. @default nothing is known */
  readonly durations?: Durations;
  /** Where outcomes go when the store refuses them. */
  readonly emergency?: (events: readonly JournalEvent[]) => Promise<void>;
  readonly engineVersion: string;
  readonly user: string;
  readonly host: string;
}

export interface ApplyOptions {
  readonly runId: string;
  /** Open calls per provider that does not limit itself. @default 10 */
  readonly parallelism?: number;
  /** Aborts on the first interrupt of the user. */
  readonly signal?: AbortSignal;
  /** How long calls in flight may go on after the interrupt before their answer is given up. @default 4000 */
  readonly graceMs?: number;
  readonly allowReplace?: ReadonlySet<string>;
  /** Record changes without an action, as the planner gave them: durable with the start of the run, whatever its end. */
  readonly settle?: readonly ({ readonly put: ResourceRecord } | { readonly remove: string })[];
  /** Plugin processes that serve the run: whoever recovers it on the same machine ends them first. */
  readonly plugins?: readonly PluginProcess[];
}

/** What a run needs of its plan. */
export type RunPlan = Pick<Plan, "id" | "command" | "actions" | "nodes" | "onFailure">;

/** Why nothing new starts. The first reason stays. */
export interface Halt {
  readonly kind: "cancelled" | "failed" | "fatal";
  readonly error?: WfctlError;
}

/** One run of one plan while it goes on. Owned by `applyPlan`; the other modules of this folder work on it. */
export interface Run {
  readonly id: string;
  readonly deps: EngineDeps;
  readonly plan: RunPlan;
  readonly options: ApplyOptions;
  readonly lineage: string;
  /** The truth as far as it is committed or on its way to be, by name. */
  readonly records: Map<string, ResourceRecord>;
  /** Resources whose state is not known: nothing may stand on them. */
  readonly unknown: StackState["unknown"];
  readonly outcomes: (Outcome | undefined)[];
  readonly attempts: Uint32Array;
  readonly startedAt: Float64Array;
  readonly durations: Durations;
  /** For what is told of calls that take long. */
  readonly beats: Beats;
  readonly secrets: SecretSet;
  /** Modules whose finalizer is owed by this run. */
  readonly finalizeOwed: Set<string>;
  /** The finalizers had their turn. */
  finalizersCalled: boolean;
  /** Modules whose plugin died in this run: what its finalizer was to do may be forgotten. */
  readonly restarted: Set<string>;
  /** Modules whose finalizer an earlier run left owed. */
  readonly inheritedFinalizers: readonly string[];
  readonly finalizeErrors: { provider: string; resource: string; action: string; error: string }[];
  /** Aborts calls whose answer is given up. */
  readonly calls: AbortController;
  readonly replacedIds: Map<string, string>;
  /** Who had which id when a reply last was looked at. */
  idHolders: Map<string, string> | undefined;
  /** Outputs that resources of the plan refer to, by the resource that gives them, once they were looked for. */
  referredOutputs: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  halt: Halt | undefined;
  /** Some action or finalizer did not succeed. */
  failed: boolean;
  /** The undo of the run, once it was done. */
  compensation: CompensationReport | undefined;
  /** Resolves with the last commit so far; later commits come after it. */
  durable: Promise<unknown>;
  cleanupStarted: boolean;
  /** The commit that says so. */
  cleanupMark: Promise<unknown> | undefined;
  /** Hooks run one at a time. */
  hookChain: Promise<void>;
}

export function actionOf(run: Run, node: PlanNode): PlanAction {
  return run.plan.actions[node.action] as PlanAction;
}

/** Makes the events durable after all that was committed before. A refusal halts the run: nothing is sent that is not journaled. */
export function commit(run: Run, events: readonly JournalEvent[]): Promise<number> {
  const written = run.deps.store.commit(run.deps.lease, events);
  run.durable = written;
  return written;
}

export function halt(run: Run, reason: Halt): void {
  // A fatal reason outranks a failed action; the first of a rank stays.
  if (run.halt === undefined || (run.halt.kind === "failed" && reason.kind !== "failed")) run.halt = reason;
}

export function outcomeOf(
  run: Run,
  action: number,
  end: {
    readonly status: Outcome["status"];
    readonly code?: ErrorCode;
    readonly message?: string;
    readonly causes?: readonly string[];
  },
): Outcome {
  const started = run.startedAt[action] as number;
  return {
    action,
    status: end.status,
    ...(end.code === undefined ? {} : { code: end.code }),
    ...(end.message === undefined ? {} : { message: run.secrets.redact(end.message) }),
    ...(end.causes === undefined || end.causes.length === 0 ? {} : { causes: end.causes }),
    attempts: run.attempts[action] as number,
    durationMs: started === 0 ? 0 : Math.max(0, Math.round(run.deps.clock.now() - started)),
  };
}

/** A run that has written and sent nothing yet. */
export function createRun(
  deps: EngineDeps,
  state: StackState,
  facts: { readonly runId: string; readonly plan: RunPlan; readonly options: ApplyOptions },
): Run {
  const { plan, options } = facts;
  const secrets = createSecretSet();
  const records = new Map(state.records);
  secretsOfState(state, secrets);
  for (const change of options.settle ?? []) {
    if ("put" in change) records.set(change.put.name, change.put);
    else records.delete(change.remove);
  }
  const restarted = new Set<string>();
  return {
    id: facts.runId,
    deps: { ...deps, providers: watchExits(deps.providers, (module) => restarted.add(module)) },
    plan,
    options,
    lineage: state.lineage,
    records,
    unknown: state.unknown,
    outcomes: Array.from({ length: plan.actions.length }, () => undefined),
    attempts: new Uint32Array(plan.actions.length),
    startedAt: new Float64Array(plan.actions.length),
    durations: deps.durations ?? createDurations(),
    beats: createBeats(deps.clock),
    secrets,
    finalizeOwed: new Set(),
    finalizersCalled: false,
    restarted,
    inheritedFinalizers: state.finalizeOwed,
    finalizeErrors: [],
    calls: new AbortController(),
    replacedIds: new Map(),
    idHolders: undefined,
    referredOutputs: undefined,
    halt: undefined,
    failed: false,
    compensation: undefined,
    durable: Promise.resolve(),
    cleanupStarted: false,
    cleanupMark: undefined,
    hookChain: Promise.resolve(),
  };
}
