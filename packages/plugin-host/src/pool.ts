import { setTimeout as sleep } from "node:timers/promises";

import type { Clock } from "@wfctl/engine";
import { canonicalJson, WfctlError, type JsonObject, type PluginProcess } from "@wfctl/model";

import { listPlugins, type PluginListing } from "./discovery.ts";
import { checkManifestGate } from "./gate.ts";
import type { LoadedPlugin } from "./load.ts";
import { findPlugin } from "./lookup.ts";
import type { HostTimeouts, PluginProvider, PoolOptions, ProviderOptions, ProviderPool } from "./options.ts";
import { createProcessGuard } from "./process-guard.ts";
import { createPluginSource, type PluginSource } from "./plugin-source.ts";
import { findSecrets } from "./redact.ts";
import { startPlugin, type StartOptions } from "./start.ts";

const defaultTimeouts: Required<HostTimeouts> = {
  startMs: 60_000,
  loadCallMs: 10_000,
  capabilitiesMs: 10_000,
  initializeMs: 120_000,
  exitMs: 2_000,
  noticeMs: 5_000,
};
const defaultMaxReplyBytes = 256 * 1024 * 1024;

/** A test holds it equal to `@wfctl/contract`, which is not loaded before a plugin is. */
export const configurationsService = "wfctl.ext.v1.Configurations";

const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
};

/** What the pool holds of one module. */
interface Entry {
  readonly provider: string;
  /** Ends what is being started for it. */
  readonly closing: AbortController;
  source: PluginSource;
  /** The source is there for several modules. */
  shared: boolean;
  configured: { readonly key: string; readonly provider: Promise<PluginProvider> } | undefined;
  ready: PluginProvider | undefined;
}

/** Nothing is started before it is asked for. */
export function createProviderPool(options: PoolOptions): ProviderPool {
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const log = options.log ?? (() => {});
  const waiting = { afterMs: timeouts.noticeMs, tell: options.onWaiting ?? (() => {}) };
  const guard = createProcessGuard();
  const modules = new Map(options.modules.map(({ name, provider }) => [name, provider]));
  const entries = new Map<string, Entry>();
  /** Sources of the providers whose modules share a process. */
  const shared = new Map<string, PluginSource>();
  const processes: PluginProcess[] = [];
  let listing: PluginListing | undefined;
  let closed = false;

  const locate = (provider: string) => {
    const found = findPlugin(provider, (listing ??= listPlugins(options)));
    checkManifestGate(found);
    for (const warning of found.warnings) log(`warning: ${warning}`);
    return found;
  };

  const createSource = (provider: string): PluginSource => {
    let found: StartOptions["found"] | undefined;
    return createPluginSource(provider, async (signal, redact) => {
      found ??= locate(provider);
      await options.admit?.(found);
      return await startPlugin(
        {
          found,
          env: options.env ?? process.env,
          guard,
          timeouts,
          maxReplyBytes: options.maxReplyBytes ?? defaultMaxReplyBytes,
          log,
          redact,
          waiting,
        },
        signal,
      );
    });
  };

  /** Several modules of one provider share a process where the plugin's manifest says that it can have several configurations. */
  const mayShare = (provider: string): boolean => {
    if ([...modules.values()].filter((name) => name === provider).length < 2) return false;
    try {
      const { manifest } = findPlugin(provider, (listing ??= listPlugins(options)));
      return manifest.services.includes(configurationsService);
    } catch {
      // The start tells what is wrong.
      return false;
    }
  };
  const sharedSource = (provider: string): PluginSource => {
    const known = shared.get(provider);
    if (known !== undefined) return known;
    const made = createSource(provider);
    shared.set(provider, made);
    return made;
  };
  const createEntry = (provider: string): Entry => {
    const shares = mayShare(provider);
    return {
      provider,
      closing: new AbortController(),
      source: shares ? sharedSource(provider) : createSource(provider),
      shared: shares,
      configured: undefined,
      ready: undefined,
    };
  };
  /** The plugin turned out to take one configuration only: this module gets a process of its own. */
  const separate = async (entry: Entry, secrets: readonly string[]): Promise<void> => {
    await entry.source.release(entry, timeouts.exitMs);
    entry.source = createSource(entry.provider);
    entry.source.hide(secrets);
    entry.shared = false;
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

  const load = (entry: Entry): Promise<LoadedPlugin> => entry.source.take(entry, entry.closing.signal);

  const configure = async (
    module: string,
    entry: Entry,
    config: JsonObject,
    secrets: readonly string[],
  ): Promise<PluginProvider> => {
    const { signal } = entry.closing;
    entry.source.hide(secrets);
    let first = await load(entry);
    if (entry.shared && !first.services.has(configurationsService)) {
      await separate(entry, secrets);
      first = await load(entry);
    }
    const [{ createProvider }, { ConfigurationsUnserved }] = await Promise.all([
      import("./provider.ts"),
      import("./configure.ts"),
    ]);
    const create = (loaded: LoadedPlugin): Promise<PluginProvider> =>
      createProvider({
        module,
        provider: entry.provider,
        config,
        first: loaded,
        source: entry.source,
        user: entry,
        instance: entry.shared ? module : undefined,
        timeouts,
        clock: options.clock ?? realClock,
        log,
        signal,
        async onProcess(started) {
          processes.push(started);
          await options.onProcess?.(started, module);
        },
      });
    try {
      try {
        entry.ready = await create(first);
      } catch (error) {
        if (!(error instanceof ConfigurationsUnserved)) throw error;
        await separate(entry, secrets);
        entry.ready = await create(await load(entry));
      }
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
    if (entry.ready === undefined) await entry.source.release(entry, timeouts.exitMs);
    else await entry.ready.shutdown();
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
      const configuring = configure(module, entry, config, [...findSecrets(config), ...secrets]);
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
        entry.source.kill(entry);
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
