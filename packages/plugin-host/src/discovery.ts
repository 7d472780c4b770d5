import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, isAbsolute, join, resolve } from "node:path";

import { parseManifest, type ParsedManifest } from "./manifest.ts";

/** Where upstream looks when nothing else is said, relative to the working directory. */
export const defaultPluginDir = "data/plugins";

export interface DiscoveryOptions {
  /** `--plugin-dir`: the only plugin directory then. @default `WFCTL_PLUGIN_DIR`, else `./data/plugins` */
  readonly pluginDir?: string;
  /** Folders that are plugins themselves: packages installed beside the CLI. They serve what the plugin directory does not. */
  readonly extraDirs?: readonly string[];
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** @default process.cwd() */
  readonly cwd?: string;
}

/** A folder with a plugin.json, good or broken. */
export interface InstalledPlugin {
  /** Name of the folder. */
  readonly folder: string;
  readonly directory: string;
  readonly manifestPath: string;
  /** Path that the executable must have; not looked at yet. */
  readonly executable: string;
  /** True for a package installed beside the CLI, false for an entry of the plugin directory. */
  readonly bundled: boolean;
  readonly parsed: ParsedManifest;
}

export interface SearchedDirectory {
  readonly path: string;
  readonly exists: boolean;
}

/** Each part is read when it is asked for. */
export interface PluginListing {
  /** In order: those of the plugin directory by name, then the bundled ones as given. */
  readonly plugins: readonly InstalledPlugin[];
  /** Those of the plugin directory. */
  readonly ofDirectory: readonly InstalledPlugin[];
  /** Those beside the CLI that are not in the plugin directory as well. */
  readonly bundled: readonly InstalledPlugin[];
  readonly searched: readonly SearchedDirectory[];
}

/** Absolute path of the plugin directory in force. */
export function pluginDirectory(options: DiscoveryOptions): string {
  const env = options.env ?? process.env;
  const directory = options.pluginDir || env["WFCTL_PLUGIN_DIR"] || defaultPluginDir;
  return isAbsolute(directory) ? directory : resolve(options.cwd ?? process.cwd(), directory);
}

/**
 * Reads every plugin.json that is asked for, launches nothing. A missing plugin directory holds nothing; folders without
 * plugin.json are no plugins; a folder reached twice, by links, is listed once.
 */
export function listPlugins(options: DiscoveryOptions = {}): PluginListing {
  const directory = pluginDirectory(options);
  const names = folderNames(directory);
  const extraDirs = (): string[] =>
    (options.extraDirs ?? []).map((path) => resolve(options.cwd ?? process.cwd(), path));
  const seen = new Set<string>();
  const readAll = (paths: readonly string[], isBundled: boolean): InstalledPlugin[] =>
    paths.flatMap((path) => {
      const plugin = readPlugin(path, isBundled);
      if (plugin === undefined) return [];
      const real = realpathSync(path);
      if (seen.has(real)) return [];
      seen.add(real);
      return [plugin];
    });
  let ofDirectory: InstalledPlugin[] | undefined;
  let bundled: InstalledPlugin[] | undefined;
  const readDirectory = (): InstalledPlugin[] => {
    const paths = (names ?? []).map((name) => join(directory, name));
    return (ofDirectory ??= readAll(paths, false));
  };
  const readBundled = (): InstalledPlugin[] => {
    // After the plugin directory: what is there as well is listed once, and as its entry.
    readDirectory();
    return (bundled ??= readAll(extraDirs(), true));
  };
  return {
    get ofDirectory() {
      return readDirectory();
    },
    get bundled() {
      return readBundled();
    },
    get plugins() {
      return [...readDirectory(), ...readBundled()];
    },
    get searched() {
      return [
        { path: directory, exists: names !== undefined },
        ...extraDirs().map((path) => ({ path, exists: isDirectory(path) })),
      ];
    },
  };
}

function folderNames(directory: string): string[] | undefined {
  try {
    return readdirSync(directory).toSorted();
  } catch {
    return undefined;
  }
}

function readPlugin(directory: string, bundled: boolean): InstalledPlugin | undefined {
  const manifestPath = join(directory, "plugin.json");
  let parsed: ParsedManifest;
  try {
    parsed = parseManifest(readFileSync(manifestPath, "utf8"));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    const violation = { path: "", found: `a file that cannot be read (${code})`, expected: "a readable JSON object" };
    parsed = { manifest: undefined, violations: [violation], name: undefined, providerName: undefined };
  }
  const folder = basename(directory);
  return { folder, directory, manifestPath, executable: executablePath(directory, bundled, parsed), bundled, parsed };
}

/**
 * `<dir>/<folder>`, as upstream. A package manager names the folder of a bundled plugin after the package,
 * so there the provider's name is tried as well.
 */
function executablePath(directory: string, bundled: boolean, parsed: ParsedManifest): string {
  const byFolder = join(directory, basename(directory));
  if (!bundled || parsed.providerName === undefined || isThere(byFolder)) return byFolder;
  const byProvider = join(directory, parsed.providerName);
  return isThere(byProvider) ? byProvider : byFolder;
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
