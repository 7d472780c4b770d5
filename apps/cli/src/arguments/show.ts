import type { CommandSpec } from "./command-spec.ts";
import { parseFlags, usage } from "./parse-flags.ts";
import { jsonFlag } from "./shared-flags.ts";

export interface ShowArguments {
  readonly file: string;
  readonly json: boolean;
  readonly markdown: boolean;
}

export const showSpec: CommandSpec = {
  path: ["show"],
  summary: "Show a saved plan",
  details: [
    "Prints what wfctl plan -o FILE has saved, without the cloud, the state or the stack file. Markdown is for pull " +
      "requests. Whether the plan still fits is for apply --plan to say.",
  ],
  positionals: [{ name: "PLAN", text: "file that wfctl plan -o has written", required: true }],
  flags: [
    {
      name: "format",
      short: "f",
      value: "FORMAT",
      choices: ["table", "markdown", "json"],
      text: "table, markdown or json",
    },
    jsonFlag,
  ],
};

export function parseShow(argv: readonly string[]): ShowArguments {
  const flags = parseFlags(showSpec, argv);
  const format = flags.text("format");
  if (flags.isSet("json") && format !== undefined && format !== "json") {
    throw usage(showSpec, `--json and --format ${format} contradict each other`);
  }
  return {
    file: flags.positionals[0] as string,
    json: flags.isSet("json") || format === "json",
    markdown: format === "markdown",
  };
}
