import { setTimeout as sleep } from "node:timers/promises";

import type { Clock } from "@wfctl/engine";
import { canonicalJson, WfctlError, type JsonObject, type PluginProcess } from "@wfctl/model";

import { listPlugins, type PluginListing } from "./discovery.ts";
import { checkManifestGate } from "./gate.ts";
import type { LoadedPlugin } from "./load.ts";
import { findPlugin } from "./lookup.ts";
import type { HostTimeouts, PluginProvider, PoolOptions, ProviderOptions, ProviderPool } from "./options.ts";
import { createProcessGuard } from "./process-guard.ts";
import { createRedactor, findSecrets } from "./redact.ts";
import { startPlugin, type StartOptions } from "./start.ts";

const defaultTimeouts: Required<HostTimeouts> = {
  startMs: 60_000,
  loadCallMs: 10_000,
  capabilitiesMs: 10_000,
  initializeMs: 120_000,
  exitMs: 2_000,
};
const defaultMaxReplyBytes = 256 * 1024 * 1024;

const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
};

/** What the pool holds of one module. */
interface Entry {
  readonly provider: string;
  /** Kills what is being started. */
  readonly closing: AbortController;
  readonly hidden: { redact: (text: string) => string };
  readonly start: (signal: AbortSignal) => Promise<LoadedPlugin>;
  loading: Promise<LoadedPlugin> | undefined;
  configured: { readonly key: string; readonly provider: Promise<PluginProvider> } | undefined;
  ready: PluginProvider | undefined;
}

/** Nothing is started before it is asked for. */
export function createProviderPool(options: PoolOptions): ProviderPool {
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const log = options.log ?? (() => {});
  const guard = createProcessGuard();
  const modules = new Map(options.modules.map(({ name, provider }) => [name, provider]));
  const entries = new Map<string, Entry>();
  const processes: PluginProcess[] = [];
  let listing: PluginListing | undefined;
  let closed = false;

  const locate = (provider: string) => {
    const found = findPlugin(provider, (listing ??= listPlugins(options)));
    checkManifestGate(found);
    for (const warning of found.warnings) log(`warning: ${warning}`);
    return found;
  };

  const createEntry = (provider: string): Entry => {
    const hidden = { redact: (text: string) => text };
    const startOptions: Omit<StartOptions, "found"> = {
      env: options.env ?? process.env,
      guard,
      timeouts,
      maxReplyBytes: options.maxReplyBytes ?? defaultMaxReplyBytes,
      log,
      redact: (text) => hidden.redact(text),
    };
    let found: StartOptions["found"] | undefined;
    const start = async (signal: AbortSignal): Promise<LoadedPlugin> => {
      found ??= locate(provider);
      await options.admit?.(found);
      return await startPlugin({ ...startOptions, found }, signal);
    };
    return {
      provider,
      closing: new AbortController(),
      hidden,
      start,
      loading: undefined,
      configured: undefined,
      ready: undefined,
    };
  };

  const entryOf = (module: string, given?: string): Entry => {
    if (closed)
      throw new WfctlError("CANCELLED", `Provider module "${module}" was asked for while the host is shutting down`);
    const existing = entries.get(module);
    if (existing !== undefined) return existing;
    const provider = given ?? modules.get(module);
    if (provider === undefined)
      throw new WfctlError("INTERNAL", `Provider module "${module}" is not known to the pool`);
    const entry = createEntry(provider);
    entries.set(module, entry);
    return entry;
  };

  /** The plugin loaded and alive; started now where it was not, or has died since. */
  const load = async (entry: Entry): Promise<LoadedPlugin> => {
    const { signal } = entry.closing;
    const begin = (): Promise<LoadedPlugin> => {
      const loading = entry.start(signal).catch((error: unknown) => {
        entry.loading = undefined;
        throw signal.aborted ? signal.reason : error;
      });
      // Whoever needs it awaits it and is told.
      loading.catch(() => {});
      return loading;
    };
    const loaded = await (entry.loading ??= begin());
    if (loaded.connection.child.exit === undefined) return loaded;
    return await (entry.loading = begin());
  };

  const configure = async (module: string, entry: Entry, config: JsonObject): Promise<PluginProvider> => {
    const { signal } = entry.closing;
    const first = await load(entry);
    const { createProvider } = await import("./provider.ts");
    try {
      entry.ready = await createProvider({
        module,
        provider: entry.provider,
        config,
        first,
        start: entry.start,
        timeouts,
        clock: options.clock ?? realClock,
        log,
        signal,
        async onProcess(started) {
          processes.push(started);
          await options.onProcess?.(started, module);
        },
      });
      return entry.ready;
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  };

  const close = async (entry: Entry): Promise<void> => {
    if (entry.ready === undefined) {
      entry.closing.abort(
        new WfctlError("CANCELLED", `Start of the plugin for provider "${entry.provider}" was cancelled`),
      );
      await entry.configured?.provider.catch(() => {});
    }
    if (entry.ready !== undefined) return await entry.ready.shutdown();
    const loaded = await entry.loading?.catch(() => undefined);
    await loaded?.connection.shutdown(timeouts.exitMs);
  };

  const shutdownAll = async (): Promise<void> => {
    closed = true;
    await Promise.all([...entries.values()].map(close));
  };

  const ready = (): PluginProvider[] => [...entries.values()].flatMap((entry) => entry.ready ?? []);

  return {
    warmUp(names = [...modules.keys()]) {
      for (const name of names) load(entryOf(name)).catch(() => {});
    },
    async describeProvider(module) {
      const loaded = await load(entryOf(module));
      const { describeLoaded } = await import("./describe.ts");
      return describeLoaded(entryOf(module).provider, loaded);
    },
    async configureProvider(module, config, { provider, secrets = [] } = {}) {
      let entry = entryOf(module, provider);
      const key = canonicalJson({ provider: provider ?? entry.provider, config });
      if (entry.configured?.key === key) return await entry.configured.provider;
      if (entry.configured !== undefined || (provider !== undefined && provider !== entry.provider)) {
        entries.delete(module);
        await close(entry);
        entry = entryOf(module, provider);
      }
      entry.hidden.redact = createRedactor([...findSecrets(config), ...secrets]);
      const configuring = configure(module, entry, config);
      entry.configured = { key, provider: configuring };
      try {
        return await configuring;
      } catch (error) {
        // The next attempt starts afresh.
        if (entries.get(module) === entry) entries.delete(module);
        throw error;
      }
    },
    provider: (module) => entries.get(module)?.ready,
    providers: ready,
    processes: () => [...processes],
    async stopAll(run) {
      await Promise.all(ready().map((provider) => provider.stop(run).catch(() => {})));
    },
    shutdownAll,
    killAll() {
      closed = true;
      for (const entry of entries.values()) {
        entry.closing.abort(new WfctlError("CANCELLED", `Plugin for provider "${entry.provider}" was killed`));
        entry.ready?.kill();
        entry.loading?.then(
          ({ connection }) => connection.child.kill(),
          () => {},
        );
      }
    },
    [Symbol.asyncDispose]: shutdownAll,
  };
}

/**
 * Finds, checks, launches, loads and configures the plugin of one module. Throws a `WfctlError` with one of the
 * `PLUGIN_*` codes; no process is left then. The caller shuts the provider down.
 */
export async function createPluginProvider(options: ProviderOptions): Promise<PluginProvider> {
  const { module, provider, config, secrets, ...host } = options;
  const pool = createProviderPool({ ...host, modules: [{ name: module, provider, config }] });
  return await pool.configureProvider(module, config, secrets === undefined ? {} : { secrets });
}
