import { servedProvider, type InstalledPlugin, type PluginManifest } from "@wfctl/plugin-host";
import { WfctlError } from "@wfctl/model";
import { parsePluginCommand, pluginInfoSpec, pluginPermissionsSpec } from "../arguments/plugin.ts";
import { readLockFile } from "../plugins/lock-file.ts";
import { namePlugin } from "../plugins/name-plugin.ts";
import { alignColumns } from "../views/human/text.ts";
import { printResult } from "../views/plugins/print-result.ts";
import type { Command } from "./command.ts";

export const pluginInfoCommand: Command = {
  spec: pluginInfoSpec,
  run(argv, context) {
    const { json, first = "", pluginDir } = parsePluginCommand(pluginInfoSpec, argv);
    const plugin = namePlugin({ context, ...(pluginDir === undefined ? {} : { pluginDir }) }, first);
    const manifest = manifestOf(plugin);
    const lock = readLockFile(context.cwd);
    const locked = plugin.bundled ? undefined : lock.plugins[plugin.folder];
    const provider = servedProvider(plugin) ?? "";
    const rows = [
      ["name", manifest.name],
      ["version", manifest.version],
      ["author", manifest.author],
      ["about", manifest.description],
      ["provider", provider],
      ["lifecycle", manifest.computePlanVersion || "said when it runs"],
      ["needs engine", manifest.minEngineVersion ?? "any"],
      ["folder", plugin.directory],
      ["came from", locked?.source ?? (plugin.bundled ? "beside wfctl" : "not recorded")],
      ["digest", locked?.digest ?? "not recorded"],
      ["types", manifest.resourceTypes.join(", ") || "not listed"],
      ["services", manifest.services.join(", ") || "not listed"],
    ];
    printResult(context, json, {
      schema: "wfctl/plugin/1",
      value: {
        ...manifest,
        provider,
        directory: plugin.directory,
        bundled: plugin.bundled,
        ...(locked === undefined ? {} : { locked }),
      },
      text: `${alignColumns(rows).join("\n")}\n`,
    });
    return Promise.resolve(0);
  },
};

export const pluginPermissionsCommand: Command = {
  spec: pluginPermissionsSpec,
  run(argv, context) {
    const { json, first = "", pluginDir, flags } = parsePluginCommand(pluginPermissionsSpec, argv);
    const plugin = namePlugin({ context, ...(pluginDir === undefined ? {} : { pluginDir }) }, first);
    const manifest = manifestOf(plugin);
    const types = flags.names("type");
    const unknown = [...(types ?? [])].find((type) => !knownTypes(manifest).has(type));
    if (unknown !== undefined) {
      throw new WfctlError("USAGE", `Plugin "${plugin.folder}" has no type ${unknown}`, {
        hint: `It has ${[...knownTypes(manifest)].join(", ")}`,
      });
    }
    const permissions = Object.fromEntries(
      Object.entries(manifest.permissions).filter(([type]) => types === undefined || types.has(type)),
    );
    const blocks = Object.entries(permissions).map(
      ([type, list]) => `${type}\n${list.map((each) => `  ${each}\n`).join("")}`,
    );
    printResult(context, json, {
      schema: "wfctl/plugin-permissions/1",
      value: { plugin: manifest.name, version: manifest.version, permissions },
      text:
        blocks.length === 0 ? `Plugin "${plugin.folder}" does not say what permissions it needs.\n` : blocks.join("\n"),
    });
    return Promise.resolve(0);
  },
};

function knownTypes({ resourceTypes, permissions }: PluginManifest): ReadonlySet<string> {
  return new Set([...resourceTypes, ...Object.keys(permissions)]);
}

function manifestOf(plugin: InstalledPlugin): PluginManifest {
  const { manifest } = plugin.parsed;
  if (manifest !== undefined) return manifest;
  throw new WfctlError("PLUGIN_MANIFEST", `${plugin.manifestPath} is no valid manifest`, {
    hint: `Run: wfctl plugin validate ${plugin.directory}`,
  });
}
