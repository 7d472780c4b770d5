import type { CommandSpec } from "./command-spec.ts";
import { parseFlags } from "./parse-flags.ts";
import {
  jsonFlag,
  pluginFlags,
  readPlugin,
  readStack,
  stackFilePositional,
  stackFlags,
  type PluginArguments,
  type StackArguments,
} from "./shared-flags.ts";

export interface ValidateArguments extends StackArguments, PluginArguments {
  readonly json: boolean;
}

export const validateSpec: CommandSpec = {
  path: ["validate"],
  summary: "Check the stack file against the schemas of its plugins, without credentials",
  details: [
    "Without -e every environment is checked. Environment variables and values of variables need not be there; plugins are " +
      "started without a configuration.",
  ],
  positionals: [stackFilePositional],
  flags: [...stackFlags, ...pluginFlags, jsonFlag],
};

export function parseValidate(argv: readonly string[]): ValidateArguments {
  const flags = parseFlags(validateSpec, argv);
  return { ...readStack(validateSpec, flags), ...readPlugin(flags), json: flags.isSet("json") };
}
