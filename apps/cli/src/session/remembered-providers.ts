import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Digester, Provider, ProviderFeatures, TypeTraits } from "@wfctl/engine";
import { WfctlError, canonicalJson, makeFolders, type Json, type ProviderModule } from "@wfctl/model";
import { pluginFingerprint, type InstalledPlugin, type PluginProvider } from "@wfctl/plugin-host";
import type { Context } from "../context.ts";
import { version as wfctlVersion } from "../version.ts";
import { bundledPlugins } from "./plugin-folders.ts";
import type { Providers } from "./providers.ts";
import { resolveVariables } from "./resolve-variables.ts";

/** What decides whether a resource is unchanged, as its plugin said it last time. */
interface Facts {
  readonly name: string;
  readonly version: string;
  readonly identity: string | null;
  readonly schemaDigest: string;
  readonly features: ProviderFeatures;
  /** Traits by type; null where the plugin supports all types alike. */
  readonly types: Readonly<Record<string, TypeTraits>> | null;
}

/** What a file holds: the facts, and whose they are. */
interface Remembered {
  readonly facts: Facts;
  /** Digest of the plugin's folder; null for a plugin beside this program, which no lock file lists. */
  readonly digest: string | null;
}

/** Providers that stand on what is remembered. */
export interface RecalledProviders {
  readonly providers: ReadonlyMap<string, Provider & { readonly resourceTypes: readonly string[] }>;
  /** A plugin was started and says other things than are remembered: what was planned does not count. */
  isOutdated(): boolean;
}

export interface RememberOptions {
  readonly modules: readonly ProviderModule[];
  readonly digester: Digester;
  readonly context: Context;
  readonly pluginDir?: string;
}

/**
 * Providers that know from last time what a plan without changes needs, and start their plugin with the first call.
 * Undefined where something is not remembered, or is of a plugin that is not accepted now: then the plugins have to be
 * started, which tells why one is refused.
 */
export async function recallProviders(
  needed: ReadonlySet<string>,
  providers: Providers,
  options: RememberOptions,
): Promise<RecalledProviders | undefined> {
  const recalled = new Map<string, ReturnType<typeof lazyProvider>>();
  let outdated = false;
  for (const name of needed) {
    const place = placeOf(name, options);
    const remembered = place && readRemembered(place.file);
    if (place === undefined || remembered === undefined) return undefined;
    if (!(await isAccepted(place.plugin, remembered, options.context))) return undefined;
    const onChange = (): void => {
      outdated = true;
    };
    recalled.set(name, lazyProvider(name, remembered.facts, providers, onChange));
  }
  return { providers: recalled, isOutdated: () => outdated };
}

/** The lock file and the pin count as they are now. The files of the plugin are those of the remembered digest. */
async function isAccepted(plugin: InstalledPlugin, { digest }: Remembered, context: Context): Promise<boolean> {
  if (plugin.bundled) return true;
  const { isLocked } = await import("../plugins/check-lock.ts");
  return isLocked(plugin, digest, context.cwd);
}

/** Keeps what the started plugins have said. A cache: what goes wrong with it is passed over. */
export async function rememberProviders(
  started: ReadonlyMap<string, PluginProvider>,
  options: RememberOptions,
): Promise<void> {
  for (const [name, provider] of started) {
    if (!provider.stableIdentity) continue;
    const place = placeOf(name, options);
    if (place === undefined) continue;
    const { file, plugin } = place;
    const facts = factsOf(provider);
    const before = readRemembered(file);
    if (before !== undefined && toText(before.facts) === toText(facts)) continue;
    try {
      const digest = await digestPlugin(plugin);
      makeFolders(join(file, ".."), { mkdirSync, statSync }, 0o700);
      writeFileSync(`${file}.${process.pid}`, toText({ facts, digest }), { mode: 0o600 });
      renameSync(`${file}.${process.pid}`, file);
    } catch {
      // A read-only home only costs time.
    }
  }
}

async function digestPlugin({ bundled, directory }: InstalledPlugin): Promise<string | null> {
  if (bundled) return null;
  const { digestFolder } = await import("../plugins/folder-digest.ts");
  return digestFolder(directory).digest;
}

function toText(value: object): string {
  return canonicalJson(value as Json);
}

function factsOf(provider: PluginProvider): Facts {
  const types: Record<string, TypeTraits> = {};
  for (const type of provider.resourceTypes) {
    types[type] = provider.traits(type) ?? {};
  }
  return {
    name: provider.name,
    version: provider.version,
    identity: provider.identity ?? null,
    schemaDigest: provider.schemaDigest,
    features: provider.features,
    types: provider.resourceTypes.length === 0 ? null : types,
  };
}

/** One file for each plugin as it is and configuration as it is. The name is a keyed digest: it tells nothing. */
function placeOf(
  module: string,
  options: RememberOptions,
): { readonly file: string; readonly plugin: InstalledPlugin } | undefined {
  const { context, digester } = options;
  const wanted = options.modules.find((candidate) => candidate.name === module);
  if (wanted === undefined) return undefined;
  try {
    const known = pluginFingerprint(wanted.provider, {
      env: context.env,
      cwd: context.cwd,
      // Looked for where the plugin directory does not have it.
      get extraDirs() {
        return bundledPlugins();
      },
      ...(options.pluginDir === undefined ? {} : { pluginDir: options.pluginDir }),
    });
    if (known === undefined) return undefined;
    const { config } = resolveVariables(wanted, context.env);
    const key = digester.digest(["provider-facts/2", wfctlVersion, known.fingerprint, wanted.provider, config]);
    const cache = context.env["XDG_CACHE_HOME"] || join(context.env["HOME"] || homedir(), ".cache");
    return { file: join(cache, "wfctl", "providers", `${key}.json`), plugin: known.found.plugin };
  } catch {
    // Starting the plugin tells what is wrong with it.
    return undefined;
  }
}

function readRemembered(file: string): Remembered | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Remembered;
  } catch {
    return undefined;
  }
}

function lazyProvider(
  module: string,
  facts: Facts,
  providers: Providers,
  onChange: () => void,
): Provider & { readonly resourceTypes: readonly string[] } {
  let starting: Promise<PluginProvider> | undefined;
  const start = async (): Promise<PluginProvider> => {
    const provider = await providers.start(module);
    if (provider === undefined) throw new WfctlError("INTERNAL", `Provider module "${module}" cannot be started`);
    if (toText(factsOf(provider)) !== toText(facts)) onChange();
    return provider;
  };
  const started = (): Promise<PluginProvider> => (starting ??= start());
  return {
    module,
    name: facts.name,
    version: facts.version,
    identity: facts.identity ?? undefined,
    schemaDigest: facts.schemaDigest,
    features: facts.features,
    resourceTypes: Object.keys(facts.types ?? {}),
    traits: (type) => (facts.types === null ? {} : facts.types[type]),
    create: async (spec, call) => (await started()).create(spec, call),
    importId: async (type, id, call) => {
      const provider = await started();
      return provider.importId === undefined ? id : provider.importId(type, id, call);
    },
    read: async (ref, call) => (await started()).read(ref, call),
    update: async (ref, spec, call) => (await started()).update(ref, spec, call),
    delete: async (ref, call) => (await started()).delete(ref, call),
    diff: async (spec, current, call) => (await started()).diff(spec, current, call),
    resolveSizing: async (type, size, hints, call) => (await started()).resolveSizing(type, size, hints, call),
    lookup: async (type, token, name, call) => (await started()).lookup(type, token, name, call),
    finalize: async (planId, call) => (await started()).finalize(planId, call),
    stop: async (run) => (await started()).stop(run),
    processGone: () => false,
  };
}
