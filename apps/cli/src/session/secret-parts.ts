import { dirname } from "node:path";
import { secretsProvider, type StackConfig } from "@wfctl/config";
import type { Hooks } from "@wfctl/engine";
import { isJsonObject, WfctlError, type JsonObject, type PluginProcess, type ResourceRecord } from "@wfctl/model";
import type { PluginProvider } from "@wfctl/plugin-host";
import { createSecretRouter, createSecretsProvider, openSecretStore, type SecretStore } from "@wfctl/secrets";
import type { Context } from "../context.ts";
import { version } from "../version.ts";

export interface SecretPartsOptions {
  readonly stack: Pick<StackConfig, "files">;
  readonly context: Pick<Context, "cwd" | "env">;
  readonly records: () => ReadonlyMap<string, ResourceRecord>;
  readonly digest: (text: string) => string;
}

/** Secrets of one command: the built-in provider, and the store that secret outputs are routed to. */
export interface SecretParts {
  /** The built-in provider over the stores of its configuration. */
  readonly provider: PluginProvider;
  /** The same provider where nothing is routed. */
  route(provider: PluginProvider): PluginProvider;
  readonly hooks: Pick<Hooks, "onResourceApplied"> | undefined;
  /** The same for what a dead process left open. */
  readonly recovery: {
    route(provider: PluginProvider): PluginProvider;
    readonly hooks: Pick<Hooks, "onResourceApplied" | "onResourceDeleted"> | undefined;
  };
}

/** `config` is that of the built-in module, with all its references resolved. */
export function createSecretParts(config: JsonObject, options: SecretPartsOptions): SecretParts {
  const { stack, context, records, digest } = options;
  const store = createStoreFinder(config, dirname(stack.files[0] ?? context.cwd), context.env);
  const route = config["route"];
  const target = typeof route === "string" ? store(route) : undefined;
  const router =
    target === undefined
      ? undefined
      : createSecretRouter({ store: target, digest, recorded: (name) => records().get(name) });
  const provider = createSecretsProvider({
    module: secretsProvider,
    version,
    store,
    recorded: (name) => records().get(name)?.outputs,
    credentials: {
      token: context.env["DIGITALOCEAN_TOKEN"],
      ...(context.env["DIGITALOCEAN_API_URL"] === undefined ? {} : { endpoint: context.env["DIGITALOCEAN_API_URL"] }),
      fetch,
    },
  });
  return {
    provider: asPlugin(provider),
    route: (plugin) => router?.route(plugin) ?? plugin,
    hooks: router?.hooks,
    recovery: {
      route: (plugin) => router?.recovery.route(plugin) ?? plugin,
      hooks: router?.recovery.hooks,
    },
  };
}

/** Opens each store once. */
export function createStoreFinder(config: JsonObject, cwd: string, env: Context["env"]): (name: string) => SecretStore {
  const opened = new Map<string, SecretStore>();
  const stores = isJsonObject(config["stores"]) ? config["stores"] : {};
  return (name) => {
    const known = opened.get(name);
    if (known !== undefined) return known;
    const entry = stores[name];
    if (!isJsonObject(entry)) {
      throw new WfctlError("CONFIG_INVALID", `The secret store "${name}" is not in the stack file`, {
        hint: "Declare it under secretStores:",
      });
    }
    const provider = typeof entry["provider"] === "string" ? entry["provider"] : name;
    const settings = isJsonObject(entry["config"]) ? entry["config"] : {};
    const store = openSecretStore(provider, settings, { cwd, env });
    opened.set(name, store);
    return store;
  };
}

/** It has no process of its own: nothing is started, and nothing has to be ended. */
function asPlugin(provider: ReturnType<typeof createSecretsProvider>): PluginProvider {
  const end = (): Promise<void> => Promise.resolve();
  const own: PluginProcess = {
    provider: provider.name,
    plugin: provider.name,
    version: provider.version,
    pid: process.pid,
    startTime: "",
    bootId: "",
    pidNamespace: "",
  };
  return {
    ...provider,
    identityLabels: {},
    stableIdentity: true,
    resourceTypes: ["secret.random", "secret.output", "secret.provider_credential"],
    configSchema: undefined,
    listObjects: () => Promise.resolve(undefined),
    process: own,
    kill: () => undefined,
    shutdown: end,
    [Symbol.asyncDispose]: end,
  };
}
