import {
  applyPlan,
  planStack,
  recoverRuns,
  type ApplyOptions,
  type EngineDeps,
  type EngineEvent,
  type Hooks,
  type Lease,
  type Planned,
  type PlanInput,
  type Provider,
  type RecoverDeps,
  type RecoveryReport,
  type RunReport,
  type Store,
} from "@wfctl/engine";
import type { DesiredResource, JournalEvent, JsonObject, OnFailure, ResourceRecord, StackState } from "@wfctl/model";
import {
  createMemoryDisk,
  createMemoryStore,
  sampleHolder,
  type MemoryDisk,
  type MemoryStore,
} from "@wfctl/state/testing";
import type { CloudEffect } from "../cloud/cloud-object.ts";
import { createFakeCloud, type CloudOptions, type FakeCloud } from "../cloud/fake-cloud.ts";
import { createFakeProvider, type FakeProvider, type FakeProviderOptions } from "../provider/fake-provider.ts";
import { createPlainDigester } from "../random/plain-digester.ts";
import { createSeededRandom, type SeededRandom } from "../random/seeded-random.ts";
import { createVirtualClock, type VirtualClock } from "../time/virtual-clock.ts";
import { createHostProcess, type CrashPoint, type HostProcess } from "./host-process.ts";

export interface TestStackOptions {
  /** @default 1 */
  readonly seed?: number | string;
  readonly cloud?: Partial<CloudOptions>;
  /** The only provider, of module `cloud`. Ignored where `providers` is given. */
  readonly provider?: Partial<FakeProviderOptions>;
  readonly providers?: (cloud: FakeCloud, clock: VirtualClock) => readonly FakeProvider[];
  /** Awaited before each write of the store; what it throws fails the write. */
  readonly beforeWrite?: (commits: readonly (readonly JournalEvent[])[]) => Promise<void> | void;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly moved?: PlanInput["moved"];
  readonly onEffect?: (effect: CloudEffect) => void;
}

export interface CommandOptions {
  readonly onFailure?: OnFailure;
  readonly refresh?: boolean;
  readonly replace?: readonly string[];
  readonly allowReplace?: readonly string[];
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly moved?: PlanInput["moved"];
  readonly imports?: PlanInput["imports"];
  readonly hooks?: Hooks;
  readonly signal?: AbortSignal;
  readonly graceMs?: number;
  readonly parallelism?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whether older plugin processes on this machine could be killed. @default true */
  readonly pluginsGone?: boolean;
  readonly providerConfigs?: Readonly<Record<string, JsonObject>>;
  readonly emergency?: EngineDeps["emergency"];
  /** Kills the host at the first point that fits. */
  readonly crashWhen?: (point: CrashPoint) => boolean;
  readonly onDeath?: () => void;
  /** The host is stopped instead of killed; continued by the function that this is given. */
  readonly stops?: (wake: () => void) => void;
  /** Commits that survive a death in the middle of a write. @default 0 */
  readonly keep?: number;
  /** The host is another machine: its plugins outlive it, and nobody can kill them. */
  readonly elsewhere?: boolean;
  readonly onPlan?: (planned: Planned, command: "apply" | "destroy") => void;
}

/** The plan has errors: the command ends before its run. */
export class PlanRefused extends Error {
  readonly diagnostics: Planned["diagnostics"];

  constructor(diagnostics: Planned["diagnostics"]) {
    super(diagnostics.map((each) => `${each.code}: ${each.summary}`).join("\n"));
    this.name = "PlanRefused";
    this.diagnostics = diagnostics;
  }
}

/** One stack with its store, its cloud and its providers, and the commands on it: what a CLI does, without one. */
export interface TestStack {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly cloud: FakeCloud;
  readonly disk: MemoryDisk;
  /** The first provider. */
  readonly provider: FakeProvider;
  readonly providers: ReadonlyMap<string, FakeProvider>;
  /** What the last command emitted. */
  readonly events: readonly EngineEvent[];
  state(): Promise<StackState>;
  record(name: string): Promise<ResourceRecord | undefined>;
  plan(desired: readonly DesiredResource[], options?: CommandOptions): Promise<Planned>;
  /** Recovers, plans and applies. Throws where the plan has errors. */
  apply(desired: readonly DesiredResource[], options?: CommandOptions): Promise<Applied>;
  /** Applies a plan that was made before. */
  applyPlanned(planned: Planned, options?: CommandOptions): Promise<RunReport>;
  destroy(options?: CommandOptions): Promise<Applied>;
  recover(options?: CommandOptions): Promise<RecoveryReport>;
  /** As `apply` and `destroy`; undefined where the host died in the middle. */
  attempt(
    kind: "apply" | "destroy",
    desired: readonly DesiredResource[],
    options?: CommandOptions,
  ): Promise<Applied | undefined>;
  /** As `apply`, in a host that dies at the first point that fits. Throws where the run ends before. */
  applyUntil(
    crashWhen: (point: CrashPoint) => boolean,
    desired: readonly DesiredResource[],
    options?: CommandOptions & { readonly keep?: number; readonly destroy?: boolean },
  ): Promise<void>;
  /** Takes the lease, gives everything an engine call needs, and releases the lease in the end. */
  hold<T>(work: (held: Held) => Promise<T>, options?: CommandOptions): Promise<T>;
}

export interface Held {
  readonly host: HostProcess;
  readonly memory: MemoryStore;
  readonly store: Store;
  readonly lease: Lease;
  readonly deps: EngineDeps;
  readonly recoverDeps: RecoverDeps;
}

export interface Applied extends RunReport {
  readonly planned: Planned;
  readonly recovery: RecoveryReport;
  /** `status/code` of each action by resource name, the last one of each. */
  readonly ends: Readonly<Record<string, string>>;
}

export function createTestStack(options: TestStackOptions = {}): TestStack {
  const clock = createVirtualClock();
  const random = createSeededRandom(options.seed ?? 1);
  const digester = createPlainDigester();
  const cloud = createFakeCloud({ clock, ...options.cloud });
  const list = options.providers?.(cloud, clock) ?? [createFakeProvider(cloud, { clock, ...options.provider })];
  const providers = new Map(list.map((provider) => [provider.module, provider]));
  const disk = createMemoryDisk({ lineage: "lineage-1" });
  let runs = 0;

  let host: HostProcess | undefined;
  let isElsewhere = false;
  cloud.onEffect = (effect) => {
    options.onEffect?.(effect);
    host?.pass({ at: "effect", effect });
  };

  const openStore = (own: HostProcess): MemoryStore =>
    createMemoryStore({
      disk,
      clock,
      async beforeWrite(commits) {
        await options.beforeWrite?.(commits);
        own.pass({ at: "write", events: commits.flat() });
      },
    });
  const state = (): Promise<StackState> => createMemoryStore({ disk, clock }).load();
  const planInput = (
    command: "apply" | "destroy",
    desired: readonly DesiredResource[],
    current: StackState,
    command_: CommandOptions,
    runId: string,
    engine: Pick<PlanInput, "providers" | "clock">,
  ): PlanInput => ({
    command,
    stack: { name: "shop", environment: "test" },
    desired,
    moved: command_.moved ?? options.moved ?? [],
    ...(command_.imports === undefined ? {} : { imports: command_.imports }),
    state: current,
    ...engine,
    env: command_.env ?? options.env ?? {},
    bounded: (run) => run(),
    onFailure: command_.onFailure ?? "continue",
    refresh: command_.refresh ?? false,
    replace: new Set(command_.replace),
    allowReplace: new Set(command_.allowReplace),
    ...(command_.include === undefined ? {} : { include: new Set(command_.include) }),
    ...(command_.exclude === undefined ? {} : { exclude: new Set(command_.exclude) }),
    random,
    digester,
    runId,
  });
  const hold: TestStack["hold"] = async (work, command = {}) => {
    const leave = (host?.dead === true || host?.stopped === true) && isElsewhere;
    isElsewhere = command.elsewhere ?? false;
    for (const provider of list) provider.relaunch({ leave });
    const own = createHostProcess({
      clock,
      keep: () => command.keep ?? 0,
      pluginsLive: isElsewhere,
    });
    host = own;
    own.crashWhen = command.crashWhen;
    own.onDeath = command.onDeath;
    own.stops = command.stops;
    const memory = openStore(own);
    const store = own.wrapStore(memory);
    const lease = await store.acquire(sampleHolder());
    const wrapped = new Map<string, Provider>(list.map((provider) => [provider.module, own.wrapProvider(provider)]));
    const configs = Object.entries(command.providerConfigs ?? {}).map(
      ([module, config]) => [module, { name: providers.get(module)?.name ?? module, config }] as const,
    );
    const shared = {
      store,
      lease,
      clock: own.clock,
      random,
      digester,
      ...(command.hooks === undefined ? {} : { hooks: own.wrapHooks(command.hooks) }),
      emit: (event: EngineEvent): void => void own.events.push(event),
      engineVersion: "0.1.0",
      user: "someone",
      host: "somewhere",
    };
    const deps: EngineDeps = {
      ...shared,
      providers: wrapped,
      providerConfigs: new Map(configs),
      env: command.env ?? options.env ?? {},
      bounded: (run) => run(),
      ...(command.emergency === undefined ? {} : { emergency: command.emergency }),
    };
    const recoverDeps: RecoverDeps = {
      ...shared,
      provider: async (module) => wrapped.get(module),
      // Those of another machine live on, and nobody here can end them.
      killPlugins: async (processes) =>
        command.pluginsGone ?? processes.every((process) => process.bootId !== "elsewhere"),
      signal: new AbortController().signal,
    };
    try {
      return await work({ host: own, memory, store, lease, deps, recoverDeps });
    } finally {
      await lease.release();
    }
  };
  const applyOptions = (runId: string, command: CommandOptions, planned: Planned): ApplyOptions => ({
    runId,
    settle: planned.settle,
    plugins: list.map((provider) => ({
      provider: provider.module,
      plugin: provider.name,
      version: provider.version,
      pid: 1,
      startTime: "1",
      bootId: command.elsewhere === true ? "elsewhere" : "here",
      pidNamespace: "pid:[1]",
    })),
    allowReplace: new Set(command.allowReplace),
    ...(command.signal === undefined ? {} : { signal: command.signal }),
    ...(command.graceMs === undefined ? {} : { graceMs: command.graceMs }),
    ...(command.parallelism === undefined ? {} : { parallelism: command.parallelism }),
  });
  const runCommand = async (
    kind: "apply" | "destroy",
    desired: readonly DesiredResource[],
    command: CommandOptions,
  ): Promise<Applied> => {
    const runId = `run-${(runs += 1)}`;
    return hold(async ({ store, deps, recoverDeps }) => {
      const recovery = await recoverRuns(recoverDeps);
      const current = await store.load();
      const planned = await planStack(planInput(kind, desired, current, command, runId, deps));
      const errors = planned.diagnostics.filter((each) => each.severity === "error");
      if (errors.length > 0) throw new PlanRefused(errors);
      command.onPlan?.(planned, kind);
      const report = await applyPlan(deps, planned.plan, current, applyOptions(runId, command, planned));
      return { ...report, planned, recovery, ends: endsOf(planned, report) };
    }, command);
  };

  return {
    clock,
    random,
    cloud,
    disk,
    provider: list[0]!,
    providers,
    get events() {
      return host?.events ?? [];
    },
    state,
    record: async (name) => (await state()).records.get(name),
    async plan(desired, command = {}) {
      return planStack(planInput("apply", desired, await state(), command, "run-plan", { providers, clock }));
    },
    apply: (desired, command = {}) => runCommand("apply", desired, command),
    applyPlanned: (planned, command = {}) => {
      const runId = `run-${(runs += 1)}`;
      return hold(
        async ({ store, deps }) =>
          applyPlan(deps, planned.plan, await store.load(), applyOptions(runId, command, planned)),
        command,
      );
    },
    destroy: (command = {}) => runCommand("destroy", [], command),
    recover: (command = {}) => hold(({ recoverDeps }) => recoverRuns(recoverDeps), command),
    attempt: (kind, desired, command = {}) =>
      new Promise((resolve, reject) => {
        runCommand(kind, desired, { ...command, onDeath: () => resolve(undefined) }).then(resolve, reject);
      }),
    applyUntil: (crashWhen, desired, command = {}) =>
      new Promise<void>((resolve, reject) => {
        runCommand(command.destroy === true ? "destroy" : "apply", desired, {
          ...command,
          crashWhen,
          onDeath: resolve,
        }).then(
          (applied) => reject(new Error(`The run ended before it could crash: ${JSON.stringify(applied.ends)}`)),
          reject,
        );
      }),
    hold,
  };
}

function endsOf(planned: Planned, report: RunReport): Record<string, string> {
  const ends: Record<string, string> = {};
  for (const outcome of report.outcomes) {
    const name = planned.plan.actions[outcome.action]!.name;
    ends[name] = outcome.code === undefined ? outcome.status : `${outcome.status}/${outcome.code}`;
  }
  return ends;
}
