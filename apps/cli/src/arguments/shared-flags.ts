import { onFailurePolicies, type OnFailure } from "@wfctl/model";
import type { CommandSpec, FlagSpec, PositionalSpec } from "./command-spec.ts";
import { usage, type ParsedFlags } from "./parse-flags.ts";

export { jsonFlag } from "./json-flag.ts";

/** Which stack a command works on. */
export interface StackArguments {
  /** Stack file or its folder. @default infra.yaml, then config/infra.yaml */
  readonly config?: string;
  readonly environment?: string;
  /** `NAME=value` of variables, in order. @default [] */
  readonly vars?: readonly string[];
  /** Files with values of variables, in order. @default [] */
  readonly varFiles?: readonly string[];
}

export interface PluginArguments {
  readonly pluginDir?: string;
}

/** How a command speaks. */
export interface OutputArguments {
  readonly json: boolean;
  readonly showSensitive: boolean;
}

/** What to plan; the same for a plan that is shown, saved or run. */
export interface PlanOptions {
  readonly include?: ReadonlySet<string>;
  readonly exclude?: ReadonlySet<string>;
  readonly replace: ReadonlySet<string>;
  readonly allowReplace: ReadonlySet<string>;
  readonly refresh: boolean;
  /** @default the stack's `on_failure`, else continue */
  readonly onFailure?: OnFailure;
  /** @default 10 open calls per provider that does not limit itself */
  readonly parallelism?: number;
}

export const stackFlags: readonly FlagSpec[] = [
  { name: "config", short: "c", value: "FILE", text: "stack file, or the folder that holds it" },
  { name: "env", short: "e", value: "NAME", text: "environment; needed where the stack declares environments" },
  { name: "var", value: "NAME=VALUE", repeated: true, text: "value of a variable of the stack file" },
  { name: "var-file", value: "FILE", repeated: true, text: "YAML or JSON file with values of variables" },
];
export const pluginFlags: readonly FlagSpec[] = [
  { name: "plugin-dir", value: "DIR", text: "the only folder to look for plugins in, beside the bundled ones" },
];
export const sensitiveFlag: FlagSpec = { name: "show-sensitive", short: "S", text: "print secret values in clear" };
export const approveFlag: FlagSpec = { name: "auto-approve", short: "y", text: "do not ask for a yes" };
export const parallelismFlag: FlagSpec = {
  name: "parallelism",
  value: "N",
  text: "open calls per provider that does not limit itself (10)",
};
export const onFailureFlag: FlagSpec = {
  name: "on-failure",
  value: "POLICY",
  choices: onFailurePolicies,
  text: "what an action that fails does to the rest: continue, stop, or compensate (undo the run)",
};
export const allowReplaceFlag: FlagSpec = {
  name: "allow-replace",
  value: "NAMES",
  list: true,
  text: "protected resources that this run may delete or replace",
};
export const includeFlag: FlagSpec = {
  name: "include",
  value: "NAMES",
  list: true,
  text: "act on these resources only",
};
export const excludeFlag: FlagSpec = {
  name: "exclude",
  value: "NAMES",
  list: true,
  text: "leave these resources as they are, and what cannot go without them",
};
export const planningFlags: readonly FlagSpec[] = [
  includeFlag,
  excludeFlag,
  { name: "replace", value: "NAMES", list: true, text: "replace these resources whatever their difference" },
  allowReplaceFlag,
  { name: "refresh", text: "read every recorded object first" },
  onFailureFlag,
  parallelismFlag,
];
export const stackFilePositional: PositionalSpec = {
  name: "FILE",
  text: "stack file, as with --config",
  required: false,
};

/** The stack of a command that takes its file as a positional too. */
export function readStack(spec: CommandSpec, flags: ParsedFlags): StackArguments {
  const { config, ...rest } = readStackFlags(flags);
  const positional = flags.positionals[0];
  if (config !== undefined && positional !== undefined) {
    throw usage(spec, `two stack files are given, "${config}" and "${positional}"`);
  }
  const path = config ?? positional;
  return { ...rest, ...(path === undefined ? {} : { config: path }) };
}

export function readStackFlags(flags: ParsedFlags): StackArguments {
  const config = flags.text("config");
  const environment = flags.text("env");
  return {
    ...(config === undefined ? {} : { config }),
    ...(environment === undefined ? {} : { environment }),
    ...(flags.texts("var").length === 0 ? {} : { vars: flags.texts("var") }),
    ...(flags.texts("var-file").length === 0 ? {} : { varFiles: flags.texts("var-file") }),
  };
}

export function readPlugin(flags: ParsedFlags): PluginArguments {
  const pluginDir = flags.text("plugin-dir");
  return pluginDir === undefined ? {} : { pluginDir };
}

export function readOutput(spec: CommandSpec, flags: ParsedFlags): OutputArguments {
  const format = flags.text("format");
  if (flags.isSet("json") && format !== undefined && format !== "json") {
    throw usage(spec, `--json and --format ${format} contradict each other`);
  }
  return { json: flags.isSet("json") || format === "json", showSensitive: flags.isSet("show-sensitive") };
}

export function readPlanOptions(flags: ParsedFlags): PlanOptions {
  const include = flags.names("include");
  const exclude = flags.names("exclude");
  const onFailure = flags.text("on-failure") as OnFailure | undefined;
  const parallelism = flags.count("parallelism", 1);
  return {
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
    replace: flags.names("replace") ?? new Set(),
    allowReplace: flags.names("allow-replace") ?? new Set(),
    refresh: flags.isSet("refresh"),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(parallelism === undefined ? {} : { parallelism }),
  };
}

/** Flags that a saved plan has decided already. */
export function refuseBeside(spec: CommandSpec, flags: ParsedFlags, decider: string, refused: readonly string[]): void {
  for (const name of refused) {
    if (flags.isSet(name) || flags.text(name) !== undefined) {
      throw usage(spec, `--${name} and --${decider} exclude each other`);
    }
  }
}
