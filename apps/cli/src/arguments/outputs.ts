import type { CommandSpec } from "./command-spec.ts";
import { parseFlags, usage } from "./parse-flags.ts";
import {
  jsonFlag,
  readOutput,
  readStack,
  sensitiveFlag,
  stackFilePositional,
  stackFlags,
  type OutputArguments,
  type StackArguments,
} from "./shared-flags.ts";

export const outputFormats = ["yaml", "json", "env"] as const;

export interface OutputsArguments extends StackArguments, OutputArguments {
  readonly format: (typeof outputFormats)[number];
  readonly module?: string;
  /** Outputs of all resources, where the stack declares outputs of its own. */
  readonly all: boolean;
}

export const outputsSpec: CommandSpec = {
  path: ["outputs"],
  summary: "Print what the stack and its resources give to others",
  details: [
    "Prints the outputs that the stack file declares, or those of every resource where it declares none. Values come from the state; secret ones are hidden without -S.",
  ],
  positionals: [stackFilePositional],
  flags: [
    ...stackFlags,
    { name: "format", short: "f", value: "FORMAT", choices: outputFormats, text: "yaml, json or env (yaml)" },
    { name: "module", short: "m", value: "NAME", text: "outputs of this resource only" },
    { name: "all", text: "outputs of every resource, also where the stack declares its own" },
    jsonFlag,
    sensitiveFlag,
  ],
};

export function parseOutputs(argv: readonly string[]): OutputsArguments {
  const flags = parseFlags(outputsSpec, argv);
  const format = (flags.text("format") ?? "yaml") as OutputsArguments["format"];
  const module = flags.text("module");
  const all = flags.isSet("all");
  if (all && module !== undefined) throw usage(outputsSpec, "--all and --module exclude each other");
  if (flags.isSet("json") && flags.text("format") !== undefined) {
    throw usage(outputsSpec, "--json and --format exclude each other");
  }
  return {
    ...readStack(outputsSpec, flags),
    json: flags.isSet("json"),
    showSensitive: readOutput(outputsSpec, flags).showSensitive,
    format,
    ...(module === undefined ? {} : { module }),
    all,
  };
}
