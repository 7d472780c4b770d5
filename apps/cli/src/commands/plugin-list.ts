import { checkManifestGate, servedProvider, type InstalledPlugin } from "@wfctl/plugin-host";
import { WfctlError } from "@wfctl/model";
import { parsePluginCommand, pluginListSpec } from "../arguments/plugin.ts";
import { compareWithLock, type LockState } from "../plugins/check-lock.ts";
import { readLockFile, type LockFile } from "../plugins/lock-file.ts";
import { listAvailable } from "../plugins/name-plugin.ts";
import { alignColumns } from "../views/human/text.ts";
import { printResult } from "../views/plugins/print-result.ts";
import type { Command } from "./command.ts";

export const pluginListCommand: Command = {
  spec: pluginListSpec,
  run(argv, context) {
    const { json, pluginDir } = parsePluginCommand(pluginListSpec, argv);
    const lock = readLockFile(context.cwd);
    const plugins = listAvailable({ context, ...(pluginDir === undefined ? {} : { pluginDir }) });
    const rows = plugins.map((plugin) => describe(plugin, lock));
    const known = new Set(plugins.map(({ folder }) => folder));
    const absent = Object.keys(lock.plugins).filter((name) => !known.has(name));
    const table = alignColumns([
      ["PLUGIN", "VERSION", "PROVIDER", "STATE", "FOLDER"],
      ...rows.map((row) => [row.name, row.version, row.provider, row.state, row.directory]),
    ]);
    const missing = absent.map(
      (name) => `${lock.path} lists ${name}, which is not there: wfctl plugin install brings it\n`,
    );
    printResult(context, json, {
      schema: "wfctl/plugins/1",
      value: { plugins: rows, absent, ...(lock.exists ? { lockFile: lock.path } : {}) },
      text: `${rows.length === 0 ? "There is no plugin.\n" : `${table.join("\n")}\n`}${missing.join("")}`,
    });
    return Promise.resolve(0);
  },
};

function describe(plugin: InstalledPlugin, lock: LockFile) {
  const { manifest, name } = plugin.parsed;
  return {
    name: plugin.bundled ? (name ?? plugin.folder) : plugin.folder,
    version: manifest?.version ?? "",
    provider: servedProvider(plugin) ?? "",
    state: stateOf(plugin, lock),
    bundled: plugin.bundled,
    directory: plugin.directory,
  };
}

/** One word: what would keep the plugin from being started comes first. */
function stateOf(plugin: InstalledPlugin, lock: LockFile): string {
  const { manifest } = plugin.parsed;
  if (manifest === undefined) return "broken";
  try {
    checkManifestGate({ plugin, manifest, warnings: [] });
    return lockWord(compareWithLock(plugin, lock), plugin.bundled);
  } catch (error) {
    if (!(error instanceof WfctlError)) throw error;
    return { PLUGIN_VERSION: "too old", PLUGIN_ENGINE: "too new" }[error.code as string] ?? "broken";
  }
}

function lockWord({ state }: LockState, bundled: boolean): string {
  if (bundled) return "beside wfctl";
  return { unlocked: "not locked", missing: "not accepted", accepted: "accepted", changed: "changed" }[state];
}
