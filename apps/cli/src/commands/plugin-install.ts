import { parsePluginCommand, pluginInstallSpec, pluginRemoveSpec, pluginUpgradeSpec } from "../arguments/plugin.ts";
import type { Context } from "../context.ts";
import {
  installLocked,
  installPlugin,
  removePlugin,
  upgradePlugin,
  type PluginChange,
} from "../plugins/change-plugins.ts";
import { printResult } from "../views/plugins/print-result.ts";
import type { Command } from "./command.ts";

export const pluginInstallCommand: Command = {
  spec: pluginInstallSpec,
  async run(argv, context) {
    const { json, first, pluginDir } = parsePluginCommand(pluginInstallSpec, argv);
    const places = { context, ...(pluginDir === undefined ? {} : { pluginDir }) };
    show(context, json, first === undefined ? await installLocked(places) : [await installPlugin(places, first)]);
    return 0;
  },
};

export const pluginUpgradeCommand: Command = {
  spec: pluginUpgradeSpec,
  async run(argv, context) {
    const { json, first = "", second, pluginDir } = parsePluginCommand(pluginUpgradeSpec, argv);
    const places = { context, ...(pluginDir === undefined ? {} : { pluginDir }) };
    show(context, json, [await upgradePlugin(places, first, second)]);
    return 0;
  },
};

export const pluginRemoveCommand: Command = {
  spec: pluginRemoveSpec,
  async run(argv, context) {
    const { json, first = "", pluginDir } = parsePluginCommand(pluginRemoveSpec, argv);
    show(context, json, [await removePlugin({ context, ...(pluginDir === undefined ? {} : { pluginDir }) }, first)]);
    return 0;
  },
};

function show(context: Context, json: boolean, changes: readonly PluginChange[]): void {
  printResult(context, json, {
    schema: "wfctl/plugin-changes/1",
    value: { changes },
    text: changes.length === 0 ? "Nothing to do.\n" : changes.map((change) => `${describe(change)}\n`).join(""),
  });
}

function describe({ folder, did, version, before, directory, lockFile }: PluginChange): string {
  switch (did) {
    case "installed":
      return `Installed ${folder} ${version} in ${directory}, recorded in ${lockFile}.`;
    case "upgraded":
      return before === version || before === undefined || before === ""
        ? `Replaced ${folder} ${version} in ${directory}, recorded in ${lockFile}.`
        : `Upgraded ${folder} from ${before} to ${version} in ${directory}, recorded in ${lockFile}.`;
    case "unchanged":
      return `${folder} ${version} is there already, as recorded in ${lockFile}.`;
    case "removed":
      return `Removed ${folder} ${version}.`;
  }
}
