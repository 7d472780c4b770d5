import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { WfctlError } from "@wfctl/model";
import {
  listPlugins,
  pluginDirectory,
  upgradeHint,
  type InstalledPlugin,
  type PluginManifest,
} from "@wfctl/plugin-host";
import type { Context } from "../context.ts";
import { acceptCommand, compareWithLock } from "./check-lock.ts";
import { fetchPlugin, type FetchedPlugin } from "./fetch-plugin.ts";
import { digestFolder, type FolderDigest } from "./folder-digest.ts";
import { readLockFile, writeLockFile, type LockedPlugin, type LockFile } from "./lock-file.ts";
import { listAvailable } from "./name-plugin.ts";
import { createNpm } from "./npm.ts";
import { openPluginStore, type PluginStore } from "./plugin-store.ts";
import { parseSource, type PluginSource } from "./source.ts";

/** What a change did to one plugin. */
export interface PluginChange {
  readonly folder: string;
  readonly did: "installed" | "upgraded" | "unchanged" | "removed";
  readonly version: string;
  /** Version that was there before. */
  readonly before?: string;
  readonly directory: string;
  readonly lockFile: string;
}

export interface PluginPlaces {
  readonly context: Pick<Context, "cwd" | "env">;
  readonly pluginDir?: string;
}

/** The plugin of a name in the plugin directory; undefined where there is none. */
export function findInstalled(places: PluginPlaces, name: string): InstalledPlugin | undefined {
  return listInstalled(places).find(
    (plugin) => plugin.folder === name || plugin.parsed.name === name || plugin.parsed.providerName === name,
  );
}

export function listInstalled({ context, pluginDir }: PluginPlaces): readonly InstalledPlugin[] {
  const { cwd, env } = context;
  return listPlugins({ cwd, env, ...(pluginDir === undefined ? {} : { pluginDir }) }).plugins;
}

/** Installs what is not there. What is there already and the same stays; what is there and another is refused. */
export function installPlugin(places: PluginPlaces, text: string): Promise<PluginChange> {
  return withStore(places, (change) => change.install(parseSource(text, places.context.cwd)));
}

/** Installs everything that the lock file lists and that is not there, each exactly as it was accepted. */
export function installLocked(places: PluginPlaces): Promise<readonly PluginChange[]> {
  return withStore(places, async (change) => {
    const { plugins, path, exists } = change.lock;
    if (!exists) {
      throw new WfctlError("USAGE", `There is nothing to install: no plugin is named, and there is no ${path}`, {
        hint: "See: wfctl help plugin install",
      });
    }
    const done: PluginChange[] = [];
    for (const [folder, locked] of Object.entries(plugins)) done.push(await change.restore(folder, locked));
    return done;
  });
}

/** Replaces a plugin by what the source gives now: the given one, else the one that it came from, without its version. */
export function upgradePlugin(places: PluginPlaces, name: string, text: string | undefined): Promise<PluginChange> {
  return withStore(places, (change) => change.upgrade(name, text));
}

/** Removes a plugin and its entry in the lock file. */
export function removePlugin(places: PluginPlaces, name: string): Promise<PluginChange> {
  return withStore(places, (change) => Promise.resolve(change.remove(name)));
}

/** Records plugins as they are now. */
export function acceptPlugins(places: PluginPlaces, names: readonly string[]): Promise<readonly PluginChange[]> {
  return withStore(places, (change) => Promise.resolve(names.map((name) => change.accept(name))));
}

async function withStore<T>(places: PluginPlaces, work: (change: Changes) => Promise<T>): Promise<T> {
  const { context, pluginDir } = places;
  const directory = pluginDirectory({
    cwd: context.cwd,
    env: context.env,
    ...(pluginDir === undefined ? {} : { pluginDir }),
  });
  const lock = readLockFile(context.cwd);
  const store = openPluginStore(directory);
  try {
    return await work(createChanges({ places, directory, store, lock }));
  } finally {
    store.close();
  }
}

interface Changes {
  readonly lock: LockFile;
  install(source: PluginSource): Promise<PluginChange>;
  restore(folder: string, locked: LockedPlugin): Promise<PluginChange>;
  upgrade(name: string, text: string | undefined): Promise<PluginChange>;
  remove(name: string): PluginChange;
  accept(name: string): PluginChange;
}

function createChanges(options: {
  readonly places: PluginPlaces;
  readonly directory: string;
  readonly store: PluginStore;
  readonly lock: LockFile;
}): Changes {
  const { places, directory, store, lock } = options;
  const { cwd, env } = places.context;
  const npm = createNpm(env, cwd);
  const lockDir = dirname(lock.path);
  let plugins = lock.plugins;

  const fetch = (source: PluginSource): Promise<FetchedPlugin> => fetchPlugin(source, store.work, { npm, lockDir });
  const record = (folder: string, entry: LockedPlugin): void => {
    plugins = { ...plugins, [folder]: entry };
    writeLockFile(lock, plugins);
  };
  const put = (fetched: FetchedPlugin, digest: FolderDigest, before: string | undefined): PluginChange => {
    store.put(fetched.directory, fetched.folder, digest.listing);
    record(fetched.folder, lockedOf(fetched.manifest, digest.digest, fetched.source));
    return {
      folder: fetched.folder,
      did: before === undefined ? "installed" : "upgraded",
      version: fetched.manifest.version,
      ...(before === undefined ? {} : { before }),
      directory: join(directory, fetched.folder),
      lockFile: lock.path,
    };
  };
  const unchanged = (folder: string, version: string): PluginChange => ({
    folder,
    did: "unchanged",
    version,
    directory: join(directory, folder),
    lockFile: lock.path,
  });
  const installed = (name: string): InstalledPlugin => {
    const plugin = findInstalled(places, name);
    if (plugin !== undefined) return plugin;
    throw notInstalled(name);
  };
  const notInstalled = (name: string): WfctlError => {
    const beside = listAvailable(places).find(
      ({ bundled, folder, parsed }) => bundled && [folder, parsed.name, parsed.providerName].includes(name),
    );
    if (beside === undefined) {
      return new WfctlError("PLUGIN_NOT_FOUND", `There is no plugin "${name}" in ${directory}`, {
        hint: "See: wfctl plugin list",
      });
    }
    const problem = `Plugin "${name}" is not in ${directory}: it lies beside wfctl, in ${beside.directory}`;
    return new WfctlError("PLUGIN_NOT_FOUND", problem, {
      hint: `npm installs, upgrades, locks and removes it. ${upgradeHint(beside)}`,
    });
  };

  return {
    lock,
    async install(source) {
      const fetched = await fetch(source);
      const digest = digestFolder(fetched.directory);
      const target = join(directory, fetched.folder);
      if (!existsSync(target)) return put(fetched, digest, undefined);
      const there = findInstalled(places, fetched.folder)?.parsed.manifest?.version ?? "";
      if (digestFolder(target).digest !== digest.digest) {
        throw new WfctlError(
          "PLUGIN_PACKAGE",
          `Plugin "${fetched.folder}" ${there} is installed already, and ${fetched.source} holds another: ${fetched.manifest.version}`,
          { hint: `Run: wfctl plugin upgrade ${fetched.folder} ${fetched.source.replace(/^npm:/, "")}` },
        );
      }
      if (plugins[fetched.folder]?.digest !== digest.digest) {
        record(fetched.folder, lockedOf(fetched.manifest, digest.digest, fetched.source));
      }
      return unchanged(fetched.folder, there);
    },
    async restore(folder, locked) {
      const target = join(directory, folder);
      if (existsSync(target)) {
        if (digestFolder(target).digest === locked.digest) return unchanged(folder, locked.version);
        throw new WfctlError(
          "PLUGIN_LOCK",
          `Plugin "${folder}" in ${directory} is not the one that ${lock.path} records`,
          {
            hint: `Run: wfctl plugin remove ${folder}, or to accept what is there: ${acceptCommand(folder)}`,
          },
        );
      }
      if (locked.source === undefined) {
        throw new WfctlError("PLUGIN_LOCK", `${lock.path} does not say where plugin "${folder}" came from`, {
          hint: `Run: wfctl plugin install SOURCE`,
        });
      }
      const fetched = await fetch(parseSource(locked.source.replace(/^npm:/, ""), lockDir));
      const digest = digestFolder(fetched.directory);
      if (fetched.folder !== folder || digest.digest !== locked.digest) {
        throw new WfctlError(
          "PLUGIN_LOCK",
          `${locked.source} now holds "${fetched.folder}" ${fetched.manifest.version} and not what ${lock.path} records as "${folder}" ${locked.version}`,
          {
            hint: `Find out why it changed; to take it all the same: wfctl plugin install ${locked.source.replace(/^npm:/, "")}`,
          },
        );
      }
      store.put(fetched.directory, folder, digest.listing);
      return { ...unchanged(folder, locked.version), did: "installed" };
    },
    async upgrade(name, text) {
      const plugin = findInstalled(places, name);
      const folder = plugin?.folder ?? name;
      const source = text ?? plugins[folder]?.source;
      if (source === undefined) {
        if (plugin === undefined) throw notInstalled(name);
        throw new WfctlError("USAGE", `It is not recorded where plugin "${folder}" came from`, {
          hint: `Run: wfctl plugin upgrade ${folder} SOURCE, with a folder, an archive or an npm package`,
        });
      }
      // The newest of a package, unless a version is asked for.
      const wanted = text ?? source.replace(/^npm:(@?[^@]+)@.*$/, "$1");
      const fetched = await fetch(parseSource(wanted, text === undefined ? lockDir : cwd));
      if (fetched.folder !== folder) {
        throw new WfctlError("PLUGIN_PACKAGE", `${fetched.source} holds plugin "${fetched.folder}", not "${folder}"`, {
          hint: `Run: wfctl plugin install ${wanted}`,
        });
      }
      const digest = digestFolder(fetched.directory);
      const before = plugin?.parsed.manifest?.version ?? (plugin === undefined ? undefined : "");
      if (plugin !== undefined && digestFolder(plugin.directory).digest === digest.digest) {
        record(folder, lockedOf(fetched.manifest, digest.digest, fetched.source));
        return unchanged(folder, fetched.manifest.version);
      }
      return put(fetched, digest, before);
    },
    remove(name) {
      const plugin = findInstalled(places, name);
      const folder = plugin?.folder ?? name;
      const locked = plugins[folder];
      if (plugin === undefined && locked === undefined) installed(name);
      if (plugin !== undefined) store.remove(folder);
      if (locked !== undefined) {
        const { [folder]: _removed, ...rest } = plugins;
        plugins = rest;
        writeLockFile(lock, plugins);
      }
      const version = plugin?.parsed.manifest?.version ?? locked?.version ?? "";
      return { ...unchanged(folder, version), did: "removed" };
    },
    accept(name) {
      const plugin = installed(name);
      const { manifest } = plugin.parsed;
      if (manifest === undefined) {
        throw new WfctlError(
          "PLUGIN_MANIFEST",
          `Plugin "${plugin.folder}" has a broken plugin.json and is not accepted`,
          {
            hint: `See: wfctl plugin validate ${plugin.folder}`,
          },
        );
      }
      const standing = compareWithLock(plugin, lock);
      if (standing.state === "accepted") return unchanged(plugin.folder, manifest.version);
      const digest = digestFolder(plugin.directory);
      store.keepListing(plugin.folder, digest.listing);
      record(plugin.folder, lockedOf(manifest, digest.digest, plugins[plugin.folder]?.source));
      return { ...unchanged(plugin.folder, manifest.version), did: "installed" };
    },
  };
}

function lockedOf(manifest: PluginManifest, digest: string, source: string | undefined): LockedPlugin {
  return {
    version: manifest.version,
    digest,
    services: manifest.services.toSorted(),
    ...(manifest.minEngineVersion === undefined ? {} : { minEngineVersion: manifest.minEngineVersion }),
    ...(source === undefined ? {} : { source }),
  };
}
