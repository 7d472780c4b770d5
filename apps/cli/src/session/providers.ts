import { secretsProvider, type StackConfig } from "@wfctl/config";
import type { Hooks, Provider } from "@wfctl/engine";
import { WfctlError, type JsonObject, type PluginProcess, type ResourceRecord, type StackState } from "@wfctl/model";
import { createProviderPool, type PluginProvider, type ProviderPool } from "@wfctl/plugin-host";
import type { Context } from "../context.ts";
import type { View } from "../views/view.ts";
import { admitAccepted } from "./admit-plugin.ts";
import { missingPlugin } from "./missing-plugin.ts";
import { bundledPlugins } from "./plugin-folders.ts";
import { resolveVariables } from "./resolve-variables.ts";
import type { SecretParts } from "./secret-parts.ts";
import { stackEnv } from "./stack-env.ts";

export interface ProvidersOptions {
  readonly stack: StackConfig;
  readonly context: Context;
  readonly view: Pick<View, "notice" | "waiting">;
  readonly pluginDir?: string;
  /** Configurations that the state holds of modules that may be gone from the file. */
  readonly recorded: () => StackState["providerConfigs"];
  /** Records of the state, and its keyed digest: what secrets need. Absent where nothing is planned or done. */
  readonly secrets?: {
    readonly records: () => ReadonlyMap<string, ResourceRecord>;
    readonly digest: (text: string) => string;
  };
  /** Awaited when a plugin process is there, before it gets a configuration. */
  readonly onProcess?: (process: PluginProcess) => Promise<void>;
}

/** The providers of one command, by module name, started when they are needed. */
export interface Providers {
  readonly pool: ProviderPool;
  /** Configurations in force, for the state to keep. */
  readonly configs: ReadonlyMap<string, { readonly name: string; readonly config: JsonObject }>;
  /** Present once a provider was started, where secret outputs are routed to a store. */
  hooks(): Pick<Hooks, "onResourceApplied"> | undefined;
  /** With the configuration of the file, else the recorded one; undefined where there is neither. */
  start(module: string): Promise<PluginProvider | undefined>;
  /** What a recovery uses: secrets that a dead process may not have stored are stored, or refused by the hooks. */
  readonly recovery: {
    start(module: string): Promise<PluginProvider | undefined>;
    hooks(): Promise<Hooks | undefined>;
  };
  /** Starts them at the same time. Throws what failed, all of it, once all have ended their start. */
  startAll(modules: Iterable<string>): Promise<ReadonlyMap<string, PluginProvider>>;
}

export function createProviders(options: ProvidersOptions): Providers {
  const { stack, context, view } = options;
  const { WFCTL_NEW_KEY: _, ...env } = context.env;
  const verbose = (context.env["WFCTL_DEBUG"] ?? "") !== "";
  const pool = createProviderPool({
    modules: stack.providers.filter((module) => module.provider !== secretsProvider),
    cwd: context.cwd,
    env,
    get extraDirs() {
      return bundledPlugins();
    },
    ...(options.pluginDir === undefined ? {} : { pluginDir: options.pluginDir }),
    log(line) {
      if (verbose || line.startsWith("warning: ")) view.notice(line);
    },
    onWaiting: (line) => view.waiting(line),
    admit: admitAccepted(context),
    ...(options.onProcess === undefined ? {} : { onProcess: options.onProcess }),
  });
  const configs = new Map<string, { readonly name: string; readonly config: JsonObject }>();

  let parts: Promise<SecretParts | undefined> | undefined;
  let hooks: Pick<Hooks, "onResourceApplied"> | undefined;
  const openParts = async (): Promise<SecretParts | undefined> => {
    const module = stack.providers.find((candidate) => candidate.provider === secretsProvider);
    const config =
      module === undefined
        ? options.recorded().get(secretsProvider)?.config
        : resolveVariables(module, stackEnv(stack, context), stack.secrets).config;
    if (config === undefined) return undefined;
    configs.set(secretsProvider, { name: secretsProvider, config });
    const { createSecretParts } = await import("./secret-parts.ts");
    const made = createSecretParts(config, {
      stack,
      context,
      records: options.secrets?.records ?? (() => new Map()),
      digest: options.secrets?.digest ?? (() => ""),
    });
    hooks = made.hooks;
    return made;
  };
  const secretParts = (): Promise<SecretParts | undefined> => (parts ??= openParts());

  const startWith = async (
    name: string,
    route: (secrets: SecretParts, provider: PluginProvider) => PluginProvider,
  ): Promise<PluginProvider | undefined> => {
    const secrets = await secretParts();
    if (name === secretsProvider) return secrets?.provider;
    const module = stack.providers.find((candidate) => candidate.name === name);
    const provider = await startPlugin(name, module);
    return provider === undefined || secrets === undefined ? provider : route(secrets, provider);
  };
  const start = (name: string): Promise<PluginProvider | undefined> =>
    startWith(name, (secrets, provider) => secrets.route(provider));
  const startPlugin = async (
    name: string,
    module: StackConfig["providers"][number] | undefined,
  ): Promise<PluginProvider | undefined> => {
    if (module !== undefined) {
      const { config, secrets } = resolveVariables(module, stackEnv(stack, context), stack.secrets);
      configs.set(name, { name: module.provider, config });
      return pool.configureProvider(name, config, { provider: module.provider, secrets });
    }
    const recorded = options.recorded().get(name);
    if (recorded === undefined) return undefined;
    configs.set(name, recorded);
    return pool.configureProvider(name, recorded.config, { provider: recorded.name });
  };
  return {
    pool,
    configs,
    hooks: () => hooks,
    start,
    recovery: {
      start: (name) => startWith(name, (secrets, provider) => secrets.recovery.route(provider)),
      hooks: async () => (await secretParts())?.recovery.hooks,
    },
    async startAll(modules) {
      const names = [...new Set(modules)];
      const settled = await Promise.allSettled(names.map(start));
      const failures = settled.flatMap((result, index) =>
        result.status === "rejected" ? [{ name: names[index] as string, error: WfctlError.from(result.reason) }] : [],
      );
      if (failures.length > 0) throw notStarted(failures, stack);
      const providers = new Map<string, PluginProvider>();
      for (const [index, result] of settled.entries()) {
        const name = names[index] as string;
        const provider = (result as PromiseFulfilledResult<PluginProvider | undefined>).value;
        if (provider === undefined) throw moduleGone(name);
        providers.set(name, provider);
      }
      return providers;
    },
  };
}

/** One failure as it is, several with the place of each. */
function notStarted(
  failures: readonly { readonly name: string; readonly error: WfctlError }[],
  stack: Pick<StackConfig, "providers">,
): WfctlError {
  const distinct = [...new Map(failures.map((failure) => [failure.error.message, failure])).values()];
  const [first, second] = distinct as [(typeof distinct)[0], (typeof distinct)[0]?];
  if (second === undefined) return first.error;
  const diagnostics = distinct.map(({ name, error }) =>
    missingPlugin(stack.providers.find((module) => module.name === name) ?? { name }, error),
  );
  return new WfctlError(first.error.code, `${distinct.length} providers cannot be used`, {
    hint: "Correct each as it says",
    diagnostics,
  });
}

/** Modules that a plan of this stack and state needs: of what is wanted, of what is recorded, of finalizers that are owed. */
export function modulesOf(stack: Pick<StackConfig, "resources">, state: StackState): Set<string> {
  const modules = new Set(stack.resources.map((resource) => resource.provider));
  const desired = new Set(stack.resources.map((resource) => resource.name));
  for (const record of state.records.values()) {
    // What is only forgotten needs no provider.
    if (!record.retain || desired.has(record.name)) modules.add(record.provider);
    for (const old of record.deposed) modules.add(old.provider);
  }
  for (const module of state.finalizeOwed) modules.add(module);
  return modules;
}

/**
 * Throws OTHER_ACCOUNT where a module answers for another account than the one its records were made in: nothing of what
 * is recorded could be found there, and all of it would be made again.
 */
export function refuseOtherAccounts(
  records: Iterable<ResourceRecord>,
  providers: ReadonlyMap<string, Pick<Provider, "identity" | "name">>,
): void {
  const moved = new Map<string, { readonly recorded: string; readonly now: string; readonly names: string[] }>();
  for (const record of records) {
    const provider = providers.get(record.provider);
    if (provider?.identity === undefined || record.providerIdentity === undefined) continue;
    if (provider.identity === record.providerIdentity || provider.name !== record.providerName) continue;
    const entry = moved.get(record.provider) ?? {
      recorded: record.providerIdentity,
      now: provider.identity,
      names: [],
    };
    entry.names.push(record.name);
    moved.set(record.provider, entry);
  }
  for (const [module, { recorded, now, names }] of moved) {
    const [first = "", ...rest] = names;
    const whose = rest.length === 0 ? `"${first}" was made` : `"${first}" and ${rest.length} more were made`;
    throw new WfctlError("OTHER_ACCOUNT", `Provider module "${module}" answers for ${now}; ${whose} in ${recorded}`, {
      address: module,
      hint: `Use the credentials of ${recorded}, or give the new account a provider module of its own`,
    });
  }
}

function moduleGone(module: string): WfctlError {
  return new WfctlError(
    "CONFIG_INVALID",
    `Provider module "${module}" is neither in the stack file nor in the state, and resources of it are recorded`,
    { address: module, hint: `Add the module "${module}" to the stack file again: its objects are deleted through it` },
  );
}
