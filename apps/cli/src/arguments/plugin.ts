import type { CommandSpec, FlagSpec } from "./command-spec.ts";
import { parseFlags, usage, type ParsedFlags } from "./parse-flags.ts";
import { jsonFlag, readPlugin, type PluginArguments } from "./shared-flags.ts";

const pluginDir: FlagSpec = {
  name: "plugin-dir",
  value: "DIR",
  text: "where plugins are installed; default: WFCTL_PLUGIN_DIR, else ./data/plugins",
};
const placeFlags = [pluginDir, jsonFlag];
const sources =
  "SOURCE is a folder or an archive (it begins with a dot or a slash, or ends in .tgz or .tar.gz), or an npm package with or without @VERSION; aws, azure, digitalocean, gcp and local are the packages of wfctl.";
const nameOrFolder = {
  name: "PLUGIN",
  text: "name of an installed plugin, or a folder that begins with a dot or a slash",
};

export const pluginInstallSpec: CommandSpec = {
  path: ["plugin", "install"],
  summary: "Install a plugin, and record in wfctl.lock what was installed",
  details: [
    sources,
    "Without SOURCE it installs everything that wfctl.lock lists and that is not there, each exactly as it was recorded. Nothing of a plugin is run, and a plugin is there whole or not at all.",
  ],
  positionals: [{ name: "SOURCE", text: "folder, archive or npm package", required: false }],
  flags: placeFlags,
  unserved: {
    url: "Download the archive and name it",
    local: "Write the folder as SOURCE",
    registry: "npm has registries: see its own configuration",
    locked: "Leave SOURCE out",
    "skip-checksum": "There is no way around the lock file; to accept a plugin: wfctl plugin verify --accept NAME",
    force: "wfctl plugin upgrade replaces what is there",
  },
};

export const pluginUpgradeSpec: CommandSpec = {
  path: ["plugin", "upgrade"],
  summary: "Replace an installed plugin by a newer one, or by another source's",
  details: [
    `Without SOURCE it takes the newest of the npm package that the plugin came from, or its folder or archive as it is now. ${sources}`,
  ],
  positionals: [
    { name: "NAME", text: "name of the plugin", required: true },
    { name: "SOURCE", text: "folder, archive or npm package", required: false },
  ],
  flags: placeFlags,
};

export const pluginRemoveSpec: CommandSpec = {
  path: ["plugin", "remove"],
  summary: "Remove an installed plugin and its entry in wfctl.lock",
  positionals: [{ name: "NAME", text: "name of the plugin", required: true }],
  flags: placeFlags,
};

export const pluginListSpec: CommandSpec = {
  path: ["plugin", "list"],
  summary: "List the plugins that are there, and whether each is the one that wfctl.lock records",
  flags: placeFlags,
};

export const pluginInfoSpec: CommandSpec = {
  path: ["plugin", "info"],
  summary: "Show what a plugin says of itself, where it is and where it came from",
  positionals: [{ ...nameOrFolder, required: true }],
  flags: placeFlags,
};

export const pluginPermissionsSpec: CommandSpec = {
  path: ["plugin", "permissions"],
  summary: "Print what the credentials of a provider must be allowed to do, by resource type",
  details: ["From the permissions of its plugin.json, in the words of its cloud. Nothing is started."],
  positionals: [{ ...nameOrFolder, required: true }],
  flags: [{ name: "type", value: "TYPES", list: true, text: "of these resource types only" }, ...placeFlags],
};

export const pluginVerifySpec: CommandSpec = {
  path: ["plugin", "verify"],
  summary: "Compare the installed plugins with wfctl.lock, file by file",
  details: ["With --accept it records the named plugin as it is now: from then on it is started."],
  positionals: [{ name: "NAME", text: "name of one plugin", required: false }],
  flags: [{ name: "accept", text: "record what is there" }, ...placeFlags],
};

export const pluginValidateSpec: CommandSpec = {
  path: ["plugin", "validate"],
  summary: "Check plugin.json and the executable, and start nothing",
  details: [
    "Checks all plugins that are there when none is named. What a plugin does is checked by plugin conformance.",
  ],
  positionals: [{ ...nameOrFolder, required: false }],
  flags: placeFlags,
};

export const pluginNewSpec: CommandSpec = {
  path: ["plugin", "new"],
  summary: "Make a project for a plugin: TypeScript, tests, conformance, CI",
  details: ["It works as it is made: npm install, npm test."],
  positionals: [{ name: "NAME", text: "name of the provider: lower-case letters, digits and hyphens", required: true }],
  flags: [{ name: "dir", value: "DIR", text: "folder of the project; default: NAME" }, jsonFlag],
};

export const pluginConformanceSpec: CommandSpec = {
  path: ["plugin", "conformance"],
  summary: "Run a plugin through the conformance suite",
  details: [
    "It starts the plugin as a host does and tries everything that can be tried from outside. What its drivers can be tried with stands in conformance.json beside plugin.json: real objects are made, changed and removed.",
    "Level contract is what a working plugin of upstream does, level strict what wfctl promises its users on top. Exit code 0 where the plugin conforms, 1 where it does not.",
  ],
  positionals: [{ name: "DIR", text: "folder of the plugin", required: true }],
  flags: [
    { name: "level", value: "LEVEL", choices: ["contract", "strict"], text: "contract or strict; default: strict" },
    { name: "only", value: "IDS", list: true, text: "run these scenarios only" },
    { name: "config", value: "FILE", text: "in place of the folder's conformance.json" },
    { name: "verbose", text: "show what passed as well" },
    jsonFlag,
  ],
};

export interface PluginCommandArguments extends PluginArguments {
  readonly json: boolean;
  /** Positionals, undefined where they were left out. */
  readonly first: string | undefined;
  readonly second: string | undefined;
  readonly flags: ParsedFlags;
}

export function parsePluginCommand(spec: CommandSpec, argv: readonly string[]): PluginCommandArguments {
  const flags = parseFlags(spec, argv);
  const [first, second] = flags.positionals;
  return { ...readPlugin(flags), json: flags.isSet("json"), first, second, flags };
}

export function parsePluginVerify(argv: readonly string[]): PluginCommandArguments & { readonly accept: boolean } {
  const args = parsePluginCommand(pluginVerifySpec, argv);
  const accept = args.flags.isSet("accept");
  if (accept && args.first === undefined) {
    throw usage(pluginVerifySpec, "--accept needs the name of the plugin to accept");
  }
  return { ...args, accept };
}
