import type { CommandSpec } from "./command-spec.ts";
import { parseFlags } from "./parse-flags.ts";
import {
  includeFlag,
  jsonFlag,
  pluginFlags,
  readPlugin,
  readStack,
  stackFilePositional,
  stackFlags,
  type PluginArguments,
  type StackArguments,
} from "./shared-flags.ts";

export interface DriftArguments extends StackArguments, PluginArguments {
  readonly json: boolean;
  readonly include?: ReadonlySet<string>;
}

export const driftSpec: CommandSpec = {
  path: ["drift"],
  summary: "Compare what is recorded with what is in the cloud, and change nothing",
  details: [
    "Reads every recorded object. For each value that differs it prints three: what the stack file wants, what the state " +
      "records, what the cloud has. Exit 0: no drift, 1: something could not be read, 2: drift. apply --refresh repairs it.",
  ],
  positionals: [stackFilePositional],
  flags: [...stackFlags, ...pluginFlags, { ...includeFlag, text: "look at these resources only" }, jsonFlag],
};

export function parseDrift(argv: readonly string[]): DriftArguments {
  const flags = parseFlags(driftSpec, argv);
  const include = flags.names("include");
  return {
    ...readStack(driftSpec, flags),
    ...readPlugin(flags),
    json: flags.isSet("json"),
    ...(include === undefined ? {} : { include }),
  };
}
