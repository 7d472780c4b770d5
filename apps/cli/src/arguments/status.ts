import type { CommandSpec } from "./command-spec.ts";
import { parseFlags, usage } from "./parse-flags.ts";
import {
  jsonFlag,
  pluginFlags,
  readOutput,
  readPlugin,
  readStack,
  stackFilePositional,
  stackFlags,
  type PluginArguments,
  type StackArguments,
} from "./shared-flags.ts";

export interface StatusArguments extends StackArguments, PluginArguments {
  readonly json: boolean;
  /** Read each object from the cloud. */
  readonly live: boolean;
}

export const statusSpec: CommandSpec = {
  path: ["status"],
  summary: "Show what the state records, what is in doubt, the last run and the lease",
  positionals: [stackFilePositional],
  flags: [...stackFlags, ...pluginFlags, { name: "live", text: "read each object from the cloud as well" }, jsonFlag],
};

export function parseStatus(argv: readonly string[]): StatusArguments {
  const flags = parseFlags(statusSpec, argv);
  const live = flags.isSet("live");
  const plugin = readPlugin(flags);
  if (plugin.pluginDir !== undefined && !live) throw usage(statusSpec, "--plugin-dir is of use with --live only");
  return { ...readStack(statusSpec, flags), ...plugin, json: readOutput(statusSpec, flags).json, live };
}
