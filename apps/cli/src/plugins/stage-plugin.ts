import { chmodSync, constants, existsSync, lstatSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { copyFile, mkdir, readdir, readlink, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { WfctlError } from "@wfctl/model";
import { checkManifestGate, listPlugins, servedProvider, type PluginManifest } from "@wfctl/plugin-host";
import { linkProblem } from "./links.ts";

/** A plugin in a folder of its own, checked, as it will be installed. */
export interface StagedPlugin {
  readonly directory: string;
  /** The name of its folder in the plugin directory, and of its executable. */
  readonly folder: string;
  readonly manifest: PluginManifest;
}

/** Where the plugin is in what was unpacked: the root, or the only folder in it, as npm's `package/`. */
export function findPluginRoot(unpacked: string, from: string): string {
  const candidates = [
    unpacked,
    ...readdirSync(unpacked, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [join(unpacked, entry.name)] : [],
    ),
  ].filter((folder) => existsSync(join(folder, "plugin.json")));
  const [root] = candidates;
  if (root === undefined) {
    throw new WfctlError("PLUGIN_PACKAGE", `${from} holds no plugin: there is no plugin.json`, {
      hint: "A plugin's package holds plugin.json and the executable beside it",
    });
  }
  if (root !== unpacked && candidates.length > 1) {
    throw new WfctlError("PLUGIN_PACKAGE", `${from} holds ${candidates.length} plugins, expected one`);
  }
  return root;
}

/** Copies a plugin's folder. Links that lead out of it are refused, so are sockets, pipes and devices; .git is left out. */
export async function copyPlugin(from: string, to: string, root = from): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (entry.name === ".git") continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyPlugin(source, target, root);
    else if (entry.isSymbolicLink()) {
      const problem = linkProblem(root, source);
      if (problem !== undefined) throw new WfctlError("PLUGIN_PACKAGE", `${source} ${problem}`);
      await symlink(await readlink(source), target);
    } else if (entry.isFile()) {
      await copyFile(source, target, constants.COPYFILE_EXCL);
      chmodSync(target, (lstatSync(source).mode & 0o111) === 0 ? 0o644 : 0o755);
    } else throw new WfctlError("PLUGIN_PACKAGE", `${source} is neither a file, a folder nor a link`);
  }
}

/**
 * Checks what was unpacked or copied as the gate would, and gives its executable the name that hosts look for.
 * Throws PLUGIN_MANIFEST with all violations, PLUGIN_VERSION, PLUGIN_ENGINE, or PLUGIN_PACKAGE where it cannot run.
 */
export function preparePlugin(directory: string, from: string): StagedPlugin {
  const [plugin] = listPlugins({ pluginDir: join(directory, "\0"), extraDirs: [directory], env: {} }).plugins;
  if (plugin === undefined) throw new WfctlError("PLUGIN_PACKAGE", `${from} holds no plugin.json that can be read`);
  const { manifest, violations } = plugin.parsed;
  if (manifest === undefined) {
    const list = violations.map(
      ({ path, found, expected }) => `${path || "the file"}: found ${found}, expected ${expected}`,
    );
    throw new WfctlError("PLUGIN_MANIFEST", `${from} has a broken plugin.json: ${list.join("; ")}`);
  }
  const folder = servedProvider(plugin) ?? manifest.name;
  if (!/^[a-z0-9][a-z0-9._-]*$/i.test(folder)) {
    throw new WfctlError(
      "PLUGIN_MANIFEST",
      `${from} serves a provider called ${JSON.stringify(folder)}, which is no name of a folder`,
    );
  }
  checkDependencies(directory, from);
  nameExecutable(directory, folder, [folder, basename(from).replace(/\.(?:tgz|tar\.gz)$/, ""), manifest.name], from);
  const executable = join(directory, folder);
  checkManifestGate({ plugin: { ...plugin, folder, directory, executable }, manifest, warnings: [] });
  return { directory, folder, manifest };
}

function nameExecutable(directory: string, folder: string, names: readonly string[], from: string): void {
  const found = names.find((name) => lstatSync(join(directory, name), { throwIfNoEntry: false })?.isFile());
  if (found === undefined) {
    throw new WfctlError(
      "PLUGIN_PACKAGE",
      `${from} has no executable: there is no file ${[...new Set(names)].join(" or ")}`,
      {
        hint: "Build the plugin first; its executable is called like its folder",
      },
    );
  }
  if (found !== folder) renameSync(join(directory, found), join(directory, folder));
}

/** Nobody installs a plugin's dependencies: what it needs is in it. */
function checkDependencies(directory: string, from: string): void {
  let dependencies: Record<string, unknown> = {};
  try {
    ({ dependencies = {} } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as {
      dependencies?: Record<string, unknown>;
    });
  } catch {
    return;
  }
  const missing = Object.keys(dependencies).filter((name) => !existsSync(join(directory, "node_modules", name)));
  if (missing.length === 0) return;
  throw new WfctlError("PLUGIN_PACKAGE", `${from} needs ${missing.join(", ")}, which it does not hold`, {
    hint: "A plugin holds what it needs: its author bundles it and lists it in devDependencies, or lists it in bundleDependencies",
  });
}
