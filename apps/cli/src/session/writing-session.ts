import { secretsProvider, type StackConfig } from "@wfctl/config";
import { recoverRuns, type Digester, type Lease, type RecoveryReport } from "@wfctl/engine";
import type { StackState } from "@wfctl/model";
import { killLeftoverPlugins } from "@wfctl/plugin-host";
import { thisHolder, type StateStore } from "@wfctl/state";
import type { Context } from "../context.ts";
import { watchInterrupts, type Interrupts } from "../terminal/interrupts.ts";
import { version } from "../version.ts";
import type { View } from "../views/view.ts";
import { createProviders, type Providers } from "./providers.ts";
import type { StateLocation } from "./locate-state.ts";
import type { OpenState } from "./open-state.ts";
import { recordEmergencies } from "./emergencies.ts";
import { realClock, realRandom } from "./runtime.ts";

/**
 * A command that may write: it holds the lease, and what earlier runs left in flight has been resolved.
 * Disposing ends the plugins first and gives the lease back after them.
 */
export interface WritingSession extends AsyncDisposable {
  readonly stack: StackConfig;
  readonly store: StateStore;
  readonly location: StateLocation;
  readonly lease: Lease;
  readonly digester: Digester;
  readonly providers: Providers;
  readonly interrupts: Interrupts;
  readonly recovery: RecoveryReport;
  /** After the recovery. */
  readonly state: StackState;
  /** The run that plugin processes which start from now on are journaled with. */
  setRun(run: string): void;
}

export interface WritingOptions {
  /** For people: what holds the lease. */
  readonly command: string;
  readonly stack: StackConfig;
  readonly opened: OpenState;
  readonly context: Context;
  readonly view: View;
  readonly pluginDir?: string;
  /** Provider modules to start at once, while the store is still busy. */
  readonly warmUp?: readonly string[];
}

/** Takes the lease and recovers. Throws LEASE_HELD; nothing is left open on any failure. */
export async function beginWriting(options: WritingOptions): Promise<WritingSession> {
  const { stack, opened, context, view } = options;
  const { store, location, digester } = opened;
  let run: string | undefined;
  let lease: Lease | undefined;
  let state: StackState | undefined;
  const providers = createProviders({
    stack,
    context,
    view,
    ...(options.pluginDir === undefined ? {} : { pluginDir: options.pluginDir }),
    recorded: () => state?.providerConfigs ?? new Map(),
    secrets: { records: () => state?.records ?? new Map(), digest: (text) => digester.digest(text) },
    async onProcess(process) {
      if (run !== undefined && lease !== undefined) {
        await store.commit(lease, [{ kind: "plugin-started", run, process }]);
      }
    },
  });
  const interrupts = watchInterrupts(context, {
    first: () => view.notice("Interrupted: nothing new starts, answers in flight are awaited; once more exits at once"),
    shutdown: () => void providers.pool.shutdownAll(),
  });
  const end = async (): Promise<void> => {
    try {
      await providers.pool.shutdownAll();
      await lease?.release();
      await store.close();
    } finally {
      interrupts[Symbol.dispose]();
    }
  };
  try {
    const holder = thisHolder(options.command);
    // A plugin that starts has no configuration yet: it can do nothing, whoever holds the lease.
    const warm = options.warmUp?.filter((module) => module !== secretsProvider) ?? [];
    if (warm.length > 0) providers.pool.warmUp(warm);
    lease = await store.acquire(holder);
    await recordEmergencies({ location, store, lease }, view);
    state = await store.load();
    const open = describeOpen(state);
    if (open.length > 0) view.notice(`Resolving what earlier runs left open: ${open.join(", ")}`);
    const isOpen = state.openRuns.length > 0 || state.unknown.size > 0 || state.hooksOwed.length > 0;
    const hooks = isOpen ? await providers.recovery.hooks() : undefined;
    const recovery = await recoverRuns({
      store,
      lease,
      provider: (module) => providers.recovery.start(module),
      ...(hooks === undefined ? {} : { hooks }),
      killPlugins: async (processes) => (await killLeftoverPlugins(processes)).elsewhere.length === 0,
      clock: realClock,
      random: realRandom,
      digester,
      emit: (event) => view.event(event),
      signal: interrupts.signal,
      engineVersion: version,
      user: holder.user,
      host: holder.host,
    });
    interrupts.throwIfInterrupted();
    if (recovery.runs.length > 0 || recovery.resolved.length > 0) {
      view.recovery(recovery);
      state = await store.load();
    }
    return {
      stack,
      store,
      location,
      lease,
      digester,
      providers,
      interrupts,
      recovery,
      state,
      setRun(id) {
        run = id;
      },
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** What has no known end yet, in words: asking for it may take as long as a cloud takes to settle. */
function describeOpen(state: StackState): string[] {
  const intents = [
    ...state.openRuns.flatMap((run) => run.openIntents),
    ...[...state.unknown.values()].map(({ intent }) => intent),
  ];
  return intents.map((intent) => `${intent.operation} ${intent.name}`);
}
