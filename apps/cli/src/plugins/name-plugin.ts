import { isAbsolute, join, resolve } from "node:path";
import { WfctlError } from "@wfctl/model";
import { listPlugins, pluginDirectory, type InstalledPlugin } from "@wfctl/plugin-host";
import { bundledPlugins } from "../session/plugin-folders.ts";
import type { PluginPlaces } from "./change-plugins.ts";

/** Every plugin that a command would find: those of the plugin directory, then those beside wfctl. */
export function listAvailable({ context, pluginDir }: PluginPlaces): readonly InstalledPlugin[] {
  const { cwd, env } = context;
  const extraDirs = bundledPlugins();
  return listPlugins({ cwd, env, extraDirs, ...(pluginDir === undefined ? {} : { pluginDir }) }).plugins;
}

/**
 * The plugin that the user names: a folder where it looks like a path, else one of those that are there, by the name of
 * its folder, its provider or itself. Throws PLUGIN_NOT_FOUND.
 */
export function namePlugin(places: PluginPlaces, text: string): InstalledPlugin {
  const { cwd, env } = places.context;
  if (/^\.{1,2}(?:\/|$)/.test(text) || isAbsolute(text)) {
    const directory = resolve(cwd, text);
    const [plugin] = listPlugins({ pluginDir: join(directory, "\0"), extraDirs: [directory], env: {} }).plugins;
    if (plugin !== undefined) return plugin;
    throw new WfctlError("PLUGIN_NOT_FOUND", `There is no plugin in ${directory}: it has no plugin.json`);
  }
  const plugins = listAvailable(places);
  const found = plugins.find(
    ({ folder, parsed }) => folder === text || parsed.name === text || parsed.providerName === text,
  );
  if (found !== undefined) return found;
  const directory = pluginDirectory({
    cwd,
    env,
    ...(places.pluginDir === undefined ? {} : { pluginDir: places.pluginDir }),
  });
  const names = plugins.map(({ folder }) => folder).join(", ");
  throw new WfctlError(
    "PLUGIN_NOT_FOUND",
    `There is no plugin "${text}" in ${directory} and beside wfctl; there is ${names || "none"}`,
    {
      hint: `Write ./${text} for a folder`,
    },
  );
}
