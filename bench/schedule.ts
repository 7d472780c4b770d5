import { applyPlan, createDurations, planStack, type LiveObject, type Provider } from "@wfctl/engine";
import type { DesiredResource } from "@wfctl/model";
import { createLimiter } from "@wfctl/plugin-sdk";
import { createMemoryStore, sampleHolder } from "@wfctl/state/testing";
import {
  createPlainDigester,
  createSeededRandom,
  createVirtualClock,
  ref,
  wanted,
  type SeededRandom,
} from "@wfctl/testkit";

/** A graph of actions with what each call takes, and the rate that the API allows. */
export interface Problem {
  /** Indexes, all lower than the action's own. */
  readonly parents: readonly (readonly number[])[];
  readonly latencyMs: readonly number[];
  /** Number of each action's resource type. @default all of one type */
  readonly types?: readonly number[];
  /** What calls of each type take in the mean. */
  readonly typeMs?: readonly number[];
  readonly callsPerSecond: number;
}

/**
 * What calls take: 200 ms each; by type, some types fast and some slow, give or take a tenth; or 100 to 300 ms each with no
 * rule.
 */
export type Latencies = "equal" | "by-type" | "unforeseeable";

/**
 * What the engine knows of types before the run: nothing; what the plugin says, within a factor of two; or what earlier runs
 * have learned.
 */
export type Knowledge = "nothing" | "declared" | "learned";

export interface Efficiency {
  readonly actions: number;
  readonly boundMs: number;
  readonly tookMs: number;
  /** Bound over time taken: 1 is the best any schedule could do. */
  readonly efficiency: number;
}

/** A random graph: a few layers or none, hubs, chains. */
export function randomProblem(random: SeededRandom, { latencies }: { readonly latencies: Latencies }): Problem {
  const size = 20 + random.below(180);
  const spread = 1 + random.below(40);
  const share = random.number();
  const parents = Array.from({ length: size }, (_, index) => {
    if (index === 0 || random.number() > share) return [];
    const count = 1 + random.below(3);
    return [...new Set(Array.from({ length: count }, () => Math.max(0, index - 1 - random.below(spread))))];
  });
  if (latencies === "equal") return { parents, latencyMs: parents.map(() => 200), callsPerSecond: 30 };
  if (latencies === "unforeseeable") {
    // Each of a type of its own: the time of one call says nothing of another.
    const typeMs = parents.map(() => 100 + random.below(200));
    const types = typeMs.map((_, type) => type);
    return { parents, latencyMs: typeMs, types, typeMs, callsPerSecond: 10 + random.below(60) };
  }
  const typeMs = Array.from({ length: 2 + random.below(5) }, () => Math.round(50 * 40 ** random.number()));
  const types = parents.map(() => random.below(typeMs.length));
  const latencyMs = types.map((type) => Math.round((typeMs[type] as number) * (0.9 + random.number() / 5)));
  return { parents, latencyMs, types, typeMs, callsPerSecond: 10 + random.below(60) };
}

/**
 * No schedule is faster than this: for any head h and tail t, the actions that cannot start before h and have at least t
 * to go must still pass the rate limit one after the other.
 */
export function boundMs(problem: Problem): number {
  const { parents, latencyMs, callsPerSecond } = problem;
  const heads = parents.map(() => 0);
  const tails = [...latencyMs];
  for (const [index, before] of parents.entries()) {
    for (const parent of before) heads[index] = Math.max(heads[index]!, heads[parent]! + latencyMs[parent]!);
  }
  for (let index = parents.length - 1; index >= 0; index -= 1) {
    for (const parent of parents[index]!) tails[parent] = Math.max(tails[parent]!, latencyMs[parent]! + tails[index]!);
  }
  const gapMs = 1000 / callsPerSecond;
  let bound = 0;
  for (const head of new Set(heads)) {
    const later = tails.filter((_, index) => heads[index]! >= head).toSorted((a, b) => b - a);
    for (const [count, tail] of later.entries()) bound = Math.max(bound, head + count * gapMs + tail);
  }
  return bound;
}

/** Runs the problem through the engine with the SDK's limiter, in virtual time. */
export async function runProblem(
  problem: Problem,
  seed: string,
  { knowledge = "nothing" }: { readonly knowledge?: Knowledge } = {},
): Promise<Efficiency> {
  const clock = createVirtualClock();
  const random = createSeededRandom(seed);
  const limiter = createLimiter({ ratePerSecond: problem.callsPerSecond, burst: 1 }, clock);
  const desired = problem.parents.map((parents, index): DesiredResource =>
    wanted(
      `r${index}`,
      { parents: parents.map((parent) => ref(`r${parent}`, "id")) },
      { type: `infra.test${problem.types?.[index] ?? ""}` },
    ),
  );
  const typicalMs = knowledge === "declared" ? declared(problem, createSeededRandom(`${seed}-declared`)) : {};
  const provider = slowProvider(typicalMs, async (name, options) => {
    let { priority = 0 } = options;
    const unwatch = options.watchPriority?.((changed) => {
      priority = changed;
    });
    await limiter.acquire({
      priority: () => priority,
      onWait: () => options.onProgress?.({ message: "waiting for the API's rate limit", waiting: true, limited: true }),
    });
    unwatch?.();
    options.onProgress?.({ message: "creating", waiting: false });
    await clock.sleep(problem.latencyMs[Number(name.slice(1))]!);
  });
  const store = createMemoryStore({ clock });
  const lease = await store.acquire(sampleHolder());
  const state = await store.load();
  const providers = new Map([[provider.module, provider]]);
  const digester = createPlainDigester();
  const common = { providers, clock, random, digester, env: {}, bounded: <T>(run: () => T) => run() };
  const { plan } = await planStack({
    ...common,
    command: "apply",
    stack: { name: "bench", environment: "" },
    desired,
    moved: [],
    state,
    onFailure: "continue",
    refresh: false,
    replace: new Set(),
    allowReplace: new Set(),
    runId: "plan",
  });
  const startedMs = clock.now();
  const report = await applyPlan(
    {
      ...common,
      store,
      lease,
      providerConfigs: new Map(),
      emit: () => undefined,
      durations: createDurations(knowledge === "learned" ? learned(problem) : {}),
      engineVersion: "0.0.0",
      user: "bench",
      host: "bench",
    },
    plan,
    state,
    { runId: "apply" },
  );
  if (report.end !== "succeeded") throw new Error(`The run of ${seed} ended ${report.end}`);
  const tookMs = clock.now() - startedMs;
  const bound = boundMs(problem);
  return { actions: desired.length, boundMs: Math.round(bound), tookMs, efficiency: bound / tookMs };
}

function learned({ typeMs = [] }: Problem): Record<string, number> {
  return Object.fromEntries(typeMs.map((ms, type) => [`cloud infra.test${type} create`, ms]));
}

function declared({ typeMs = [] }: Problem, random: SeededRandom): Record<string, number> {
  return Object.fromEntries(
    typeMs.map((ms, type) => [`infra.test${type}`, Math.ceil(ms * 4 ** (random.number() - 0.5))]),
  );
}

function slowProvider(
  typicalMs: Readonly<Record<string, number>>,
  call: (name: string, options: Parameters<Provider["create"]>[1]) => Promise<void>,
): Provider {
  let made = 0;
  const object = (name: string, type: string, providerId: string): LiveObject => ({
    name,
    type,
    providerId,
    outputs: {},
    sensitive: [],
    status: "running",
  });
  return {
    module: "cloud",
    name: "cloud",
    version: "1.0.0",
    identity: "cloud:bench",
    schemaDigest: "",
    features: {
      drivers: true,
      finalizer: false,
      clientTokens: true,
      lookup: true,
      stop: false,
      ownLimits: true,
      readsInputs: true,
    },
    traits: (type) => {
      const create = typicalMs[type];
      return { lookup: true, convergentCreate: true, ...(create === undefined ? {} : { typicalMs: { create } }) };
    },
    async create(spec, options) {
      await call(spec.name, options);
      return object(spec.name, spec.type, `id-${(made += 1)}`);
    },
    read: async (readRef) => object(readRef.name, readRef.type, readRef.providerId),
    update: async (updateRef) => object(updateRef.name, updateRef.type, updateRef.providerId),
    delete: async () => undefined,
    diff: async () => ({ needsUpdate: false, needsReplace: false, changes: [] }),
    resolveSizing: async () => undefined,
    lookup: async () => undefined,
    finalize: async () => [],
    stop: async () => undefined,
    processGone: () => false,
  };
}
