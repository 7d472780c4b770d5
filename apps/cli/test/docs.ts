import { errorCodes, type ErrorCode } from "@wfctl/model";
import type { CommandSpec } from "../src/arguments/command-spec.ts";
import { exitCodes } from "../src/commands/command.ts";
import { commandTable, unservedCommands } from "../src/commands/table.ts";
import { advice } from "../src/views/advice.ts";
import { flagText, usageLine } from "../src/views/human/help.ts";

/** Codes by where they come from, in the order of the table of codes. */
const groups: readonly (readonly [title: string, first: ErrorCode])[] = [
  ["Actions that were skipped", "CANCELLED"],
  ["Actions that the provider failed", "VALIDATION"],
  ["Actions that the engine failed", "OUTCOME_UNKNOWN"],
  ["Plugins", "PLUGIN_NOT_FOUND"],
  ["Configuration and plan", "CONFIG_INVALID"],
  ["State", "LEASE_HELD"],
];

/** Text of docs/errors.md. */
export function errorsPage(): string {
  const lines = [
    "# Errors",
    "",
    "Every outcome, diagnostic and error carries one of these codes. They are stable: match on the code, never on the message.",
    "This page is made from the code; `npx vitest run apps/cli/test/docs.test.ts -u` writes it anew.",
  ];
  let title: string | undefined;
  for (const [code, meaning] of Object.entries(errorCodes) as [ErrorCode, string][]) {
    const group = groups.find(([, first]) => first === code);
    if (group !== undefined) {
      [title] = group;
      lines.push("", `## ${title}`, "", "| code | meaning | what to do |", "|---|---|---|");
    }
    lines.push(`| \`${code}\` | ${cell(meaning)} | ${cell(advice[code])} |`);
  }
  return `${lines.join("\n")}\n`;
}

/** Text of docs/cli.md. */
export async function cliPage(): Promise<string> {
  const commands = await Promise.all(commandTable.map((entry) => entry.load()));
  const lines = [
    "# Command line",
    "",
    "Each command also runs as `wfctl infra COMMAND`. Flags take one dash or two, their value after a blank or an equals",
    "sign: `-env prod`, `--env=prod`, `-e prod`. An unknown flag is an error; a flag of upstream that is not served is refused",
    "by name. This page is made from the command table; `npx vitest run apps/cli/test/docs.test.ts -u` writes it anew.",
    "",
    "## Exit codes",
    "",
    "| code | meaning |",
    "|---|---|",
    `| ${exitCodes.success} | done, nothing to do, or the question was answered with no |`,
    `| ${exitCodes.error} | an error, or an action that did not succeed |`,
    `| ${exitCodes.changes} | \`plan --detailed-exitcode\`: there are changes |`,
    `| ${exitCodes.leaseHeld} | another run holds the lease of the stack |`,
    `| ${exitCodes.planStale} | the saved plan no longer fits |`,
    `| ${exitCodes.attention} | \`apply\`, \`destroy\`: a resource is unknown, also where nothing else is to do; \`state doctor\`, with \`--repair\` too: an error is left. \`status\` tells of unknown resources and ends with 0 |`,
    "| 129, 130, 143 | interrupted by SIGHUP, SIGINT, SIGTERM |",
    "",
    "## JSON",
    "",
    "With `--json` a command prints one JSON value a line on standard output, each with a versioned `schema`. `apply` and",
    "`destroy` print events (`wfctl/event/1`: `event`, `at`) as they happen and their result, `wfctl/apply/1`, as the last line;",
    "its `result` is the `ApplyResult` of the protocol in protobuf's JSON. An error takes the place of the result: `wfctl/error/1`.",
    "What a command waits for, such as a plugin that has not answered for five seconds, is told on standard error alone.",
    "",
    "## Environment",
    "",
    "| variable | meaning |",
    "|---|---|",
    "| `WFCTL_KEY`, `WFCTL_KEY_FILE`, `WFCTL_PASSPHRASE` | the key of the state, one of them; default: a key file under `$XDG_CONFIG_HOME/wfctl/keys` |",
    "| `WFCTL_NEW_KEY` | the key that `state rekey` changes to |",
    "| `WFCTL_PLUGIN_DIR` | as `--plugin-dir` |",
    "| `WFCTL_DEBUG` | print what plugins say on standard error, and stacks of errors |",
    "| `CI` | a new state directory needs `--new-state`, and a key must be given |",
    "| `NO_COLOR`, `FORCE_COLOR` | no colours, colours also without a terminal |",
    "",
    "## Commands",
  ];
  for (const { spec } of commands) lines.push(...commandSection(spec));
  lines.push("", "## Commands of upstream that are refused", "", "| command | instead |", "|---|---|");
  for (const [name, instead] of Object.entries(unservedCommands)) lines.push(`| \`${name}\` | ${cell(instead)} |`);
  return `${lines.join("\n")}\n`;
}

function commandSection(spec: CommandSpec): string[] {
  const lines = ["", `### wfctl ${spec.path.join(" ")}`, "", `${spec.summary}.`, "", "```", usageLine(spec), "```"];
  for (const paragraph of spec.details ?? []) lines.push("", paragraph);
  const rows = [
    ...(spec.positionals ?? []).map(({ name, text }) => `| \`${name}\` | ${cell(text)} |`),
    ...spec.flags.map((flag) => `| \`${flagText(flag)}\` | ${cell(flag.text)} |`),
  ];
  if (rows.length > 0) lines.push("", "| argument | meaning |", "|---|---|", ...rows);
  const unserved = Object.entries(spec.unserved ?? {});
  if (unserved.length > 0) {
    lines.push("", "Flags of upstream that are refused:", "", "| flag | instead |", "|---|---|");
    for (const [name, instead] of unserved) lines.push(`| \`--${name}\` | ${cell(instead)} |`);
  }
  return lines;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
