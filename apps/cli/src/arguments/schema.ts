import type { CommandSpec } from "./command-spec.ts";
import { parseFlags } from "./parse-flags.ts";
import {
  pluginFlags,
  readPlugin,
  readStack,
  stackFilePositional,
  stackFlags,
  type PluginArguments,
  type StackArguments,
} from "./shared-flags.ts";

export interface SchemaArguments extends StackArguments, PluginArguments {
  /** TypeScript declarations instead of JSON Schema. */
  readonly types: boolean;
  readonly output?: string;
}

export const schemaSpec: CommandSpec = {
  path: ["schema"],
  summary: "Write the JSON Schema of the stack file, with the types of its plugins",
  details: [
    "For editors: put `# yaml-language-server: $schema=infra.schema.json` at the top of infra.yaml. Without a stack file " +
      "the schema knows no resource types. With --types, TypeScript declarations for stack programs are written instead: put " +
      "them beside infra.ts. Plugins are started without credentials.",
    "Where a plugin cannot be had, what the others have is written all the same; the command that installs it is named, " +
      "and the exit code is 1. Resources of its provider modules are not checked by the schema then.",
  ],
  positionals: [stackFilePositional],
  flags: [
    ...stackFlags,
    ...pluginFlags,
    { name: "types", text: "write TypeScript declarations for @wfctl/stack" },
    { name: "output", short: "o", value: "FILE", text: "write to this file" },
  ],
};

export function parseSchema(argv: readonly string[]): SchemaArguments {
  const flags = parseFlags(schemaSpec, argv);
  const output = flags.text("output");
  return {
    ...readStack(schemaSpec, flags),
    ...readPlugin(flags),
    types: flags.isSet("types"),
    ...(output === undefined ? {} : { output }),
  };
}
