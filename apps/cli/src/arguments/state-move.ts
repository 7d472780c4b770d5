import type { CommandSpec } from "./command-spec.ts";
import { parseFlags } from "./parse-flags.ts";
import {
  jsonFlag,
  pluginFlags,
  readPlugin,
  readStackFlags,
  stackFlags,
  type PluginArguments,
  type StackArguments,
} from "./shared-flags.ts";

export interface StateMoveArguments extends StackArguments, PluginArguments {
  readonly json: boolean;
  readonly from: string;
  readonly to: string;
}

export interface StateRemoveArguments extends StackArguments, PluginArguments {
  readonly json: boolean;
  readonly name: string;
}

const flags = [...stackFlags, ...pluginFlags, jsonFlag];

export const stateMoveSpec: CommandSpec = {
  path: ["state", "mv"],
  summary: "Give a record another name, and what refers to it",
  details: ["For files that are shared, write moved: [{from: FROM, to: TO}] instead: everyone's next apply does it."],
  positionals: [
    { name: "FROM", text: "name that the state records", required: true },
    { name: "TO", text: "its new name", required: true },
  ],
  flags,
};

export const stateRemoveSpec: CommandSpec = {
  path: ["state", "rm"],
  summary: "Forget a record; its object stays in the cloud",
  details: ["While the stack file has the resource, the next plan creates it anew, or takes it over where it says so."],
  positionals: [{ name: "NAME", text: "name of the resource", required: true }],
  flags,
};

export function parseStateMove(argv: readonly string[]): StateMoveArguments {
  const parsed = parseFlags(stateMoveSpec, argv);
  const [from = "", to = ""] = parsed.positionals;
  return { ...readStackFlags(parsed), ...readPlugin(parsed), json: parsed.isSet("json"), from, to };
}

export function parseStateRemove(argv: readonly string[]): StateRemoveArguments {
  const parsed = parseFlags(stateRemoveSpec, argv);
  return {
    ...readStackFlags(parsed),
    ...readPlugin(parsed),
    json: parsed.isSet("json"),
    name: parsed.positionals[0] as string,
  };
}
