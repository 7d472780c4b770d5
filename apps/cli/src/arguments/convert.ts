import type { CommandSpec } from "./command-spec.ts";
import { parseFlags } from "./parse-flags.ts";
import { readStack, stackFilePositional, stackFlags, type StackArguments } from "./shared-flags.ts";

export interface ConvertArguments extends StackArguments {
  readonly output?: string;
}

export const convertSpec: CommandSpec = {
  path: ["convert"],
  summary: "Write infra.yaml as a stack program, or a stack program as infra.yaml",
  details: [
    "Both give the same resources; comments are kept where the other kind has a place for them. A program is evaluated for " +
      "the environment of -e. The file that is read stays as it is.",
  ],
  positionals: [stackFilePositional],
  flags: [
    ...stackFlags.filter((flag) => !flag.name.startsWith("var")),
    { name: "output", short: "o", value: "FILE", text: "write to this file" },
  ],
};

export function parseConvert(argv: readonly string[]): ConvertArguments {
  const flags = parseFlags(convertSpec, argv);
  const output = flags.text("output");
  return { ...readStack(convertSpec, flags), ...(output === undefined ? {} : { output }) };
}
