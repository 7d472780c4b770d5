import type { CommandSpec } from "./command-spec.ts";
import { parseFlags, usage } from "./parse-flags.ts";
import {
  jsonFlag,
  planningFlags,
  pluginFlags,
  readOutput,
  readPlanOptions,
  readPlugin,
  readStack,
  sensitiveFlag,
  stackFilePositional,
  stackFlags,
  type OutputArguments,
  type PlanOptions,
  type PluginArguments,
  type StackArguments,
} from "./shared-flags.ts";

export interface PlanArguments extends StackArguments, PluginArguments, OutputArguments {
  readonly options: PlanOptions;
  readonly markdown: boolean;
  /** File to save the plan in. */
  readonly output?: string;
  /** Exit 2 where there is something to do. */
  readonly detailedExitCode: boolean;
}

export const planSpec: CommandSpec = {
  path: ["plan"],
  summary: "Show what an apply would do, and change nothing",
  details: [
    "Takes no lease and works on the last commit of the state. With -o the plan is saved: apply --plan FILE runs exactly " +
      "that plan, or refuses and says what changed since.",
  ],
  positionals: [stackFilePositional],
  flags: [
    ...stackFlags,
    ...pluginFlags,
    ...planningFlags,
    { name: "output", short: "o", value: "FILE", text: "save the plan for apply --plan" },
    {
      name: "format",
      short: "f",
      value: "FORMAT",
      choices: ["table", "markdown", "json"],
      text: "table, markdown or json",
    },
    jsonFlag,
    sensitiveFlag,
    { name: "detailed-exitcode", text: "exit 2 where the plan has changes, 0 where it has none" },
  ],
};

export function parsePlan(argv: readonly string[]): PlanArguments {
  const flags = parseFlags(planSpec, argv);
  const output = flags.text("output");
  const options = readPlanOptions(flags);
  if (output !== undefined && /\.ya?ml$/i.test(output)) {
    throw usage(planSpec, `--output is "${output}", expected a file that is no stack file`, "Write -o plan.json");
  }
  return {
    ...readStack(planSpec, flags),
    ...readPlugin(flags),
    ...readOutput(planSpec, flags),
    options,
    markdown: flags.text("format") === "markdown",
    ...(output === undefined ? {} : { output }),
    detailedExitCode: flags.isSet("detailed-exitcode"),
  };
}
