import type { CommandSpec, FlagSpec } from "../../arguments/command-spec.ts";
import { commandTable } from "../../commands/table.ts";
import { alignColumns } from "./text.ts";

/** Help of the whole program. */
export function renderOverview(): string {
  const rows = commandTable.map((entry) => [`  ${entry.name}`, entry.summary]);
  return [
    "wfctl plans and applies infrastructure; every action ends in exactly one recorded outcome.",
    "",
    "Usage: wfctl COMMAND [flags]",
    "",
    ...alignColumns(rows),
    "",
    'Each command also runs as "wfctl infra COMMAND". Flags take one dash or two: -env prod, --env=prod.',
    "Help on one: wfctl help COMMAND. Exit codes: 0 done, 1 error, 2 changes (plan --detailed-exitcode),",
    "3 another run holds the lease, 4 the saved plan is stale, 5 a resource is unknown, 129/130/143 interrupted.",
    "",
  ].join("\n");
}

/** Help of one command. */
export function renderHelp(spec: CommandSpec): string {
  const lines = [`${spec.summary}.`, "", `Usage: ${usageLine(spec)}`];
  for (const paragraph of spec.details ?? []) lines.push("", paragraph);
  const positionals = (spec.positionals ?? []).map((positional) => [`  ${positional.name}`, positional.text]);
  if (positionals.length > 0) lines.push("", ...alignColumns(positionals));
  const flags = spec.flags.map((flag) => [`  ${flagText(flag)}`, flag.text]);
  if (flags.length > 0) lines.push("", "Flags:", ...alignColumns(flags));
  return `${lines.join("\n")}\n`;
}

export function usageLine(spec: CommandSpec): string {
  const positionals = (spec.positionals ?? []).map(({ name, required }) => (required ? name : `[${name}]`));
  return ["wfctl", ...spec.path, ...(spec.flags.length === 0 ? [] : ["[flags]"]), ...positionals].join(" ");
}

/** `-e, --env NAME`. */
export function flagText(flag: FlagSpec): string {
  const short = flag.short === undefined ? "" : `-${flag.short}, `;
  return `${short}--${flag.name}${flag.value === undefined ? "" : ` ${flag.value}`}`;
}
