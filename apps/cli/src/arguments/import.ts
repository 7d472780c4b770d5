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

export interface ImportArguments extends StackArguments, PluginArguments {
  readonly json: boolean;
  readonly name: string;
  readonly id: string;
  readonly newState: boolean;
}

export const importSpec: CommandSpec = {
  path: ["import"],
  summary: "Record an object that exists as a resource of the stack",
  details: [
    "The stack file has the resource already. The object is read by its id and nothing of it is changed; the next plan " +
      "compares it with the stack file.",
  ],
  positionals: [
    { name: "NAME", text: "name of the resource in the stack file", required: true },
    { name: "ID", text: "the provider's id of the object", required: true },
  ],
  flags: [
    ...stackFlags,
    ...pluginFlags,
    jsonFlag,
    { name: "new-state", text: "allow a new state directory where CI is set" },
  ],
  unserved: { name: "Write wfctl import NAME ID", id: "Write wfctl import NAME ID" },
};

export function parseImport(argv: readonly string[]): ImportArguments {
  const flags = parseFlags(importSpec, argv);
  const [name = "", id = ""] = flags.positionals;
  return {
    ...readStackFlags(flags),
    ...readPlugin(flags),
    json: flags.isSet("json"),
    name,
    id,
    newState: flags.isSet("new-state"),
  };
}
