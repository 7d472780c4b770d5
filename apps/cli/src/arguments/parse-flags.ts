import { parseArgs } from "node:util";
import { WfctlError } from "@wfctl/model";
import { suggest } from "@wfctl/config/suggest";
import type { CommandSpec, FlagSpec } from "./command-spec.ts";

/** The command line of one command, checked against its spec. */
export interface ParsedFlags {
  readonly positionals: readonly string[];
  /** Undefined where the flag is not given. */
  text(name: string): string | undefined;
  /** All values of a flag that may be repeated. */
  texts(name: string): readonly string[];
  isSet(name: string): boolean;
  /** Undefined where the flag is not given; otherwise at least one name. */
  names(name: string): ReadonlySet<string> | undefined;
  /** A whole number from `least` on. */
  count(name: string, least: number): number | undefined;
}

/**
 * Reads a command line in Go's style: `-env x`, `--env=x`, `-e x`. Flags and positionals may mix; `--` ends the flags.
 * Throws USAGE for unknown flags (with a suggestion), flags of upstream that are not served, missing and empty values,
 * values outside the choices, repeated flags, and a wrong number of positionals.
 */
export function parseFlags(spec: CommandSpec, argv: readonly string[]): ParsedFlags {
  const flags = new Map(spec.flags.flatMap((flag) => namesOf(flag).map((name) => [name, flag])));
  const given = normalise(spec, flags, argv);
  const { values, positionals } = parseArgs({
    args: given,
    options: Object.fromEntries(
      spec.flags.map((flag) => [
        flag.name,
        { type: flag.value === undefined ? "boolean" : "string", multiple: true } as const,
      ]),
    ),
    allowPositionals: true,
  });
  const valuesOf = (name: string): readonly (string | boolean)[] => (values[name] as (string | boolean)[]) ?? [];
  for (const flag of spec.flags) checkValues(spec, flag, valuesOf(flag.name));
  checkPositionals(spec, positionals);
  return {
    positionals,
    text: (name) => valuesOf(name)[0] as string | undefined,
    texts: (name) => valuesOf(name) as string[],
    isSet: (name) => valuesOf(name)[0] === true,
    names(name) {
      const texts = valuesOf(name) as string[];
      if (texts.length === 0) return undefined;
      return new Set(texts.flatMap((text) => text.split(",").map((part) => part.trim())));
    },
    count(name, least) {
      const text = valuesOf(name)[0] as string | undefined;
      if (text === undefined) return undefined;
      if (!/^\d{1,9}$/.test(text) || Number(text) < least) {
        throw usage(spec, `--${name} is "${text}", expected a whole number from ${least} on`);
      }
      return Number(text);
    },
  };
}

/** A USAGE error of the command, with the way to its help as the hint. */
export function usage(spec: Pick<CommandSpec, "path">, problem: string, hint?: string): WfctlError {
  const name = spec.path.join(" ");
  return new WfctlError("USAGE", `Cannot run "wfctl ${name}": ${problem}`, {
    hint: hint ?? `See: wfctl help ${name}`,
  });
}

function namesOf(flag: FlagSpec): string[] {
  return flag.short === undefined ? [flag.name] : [flag.name, flag.short];
}

/** Brings every flag into the form `--name=value`, or `--name` for a switch that is on; a switch that is off is left out. */
function normalise(spec: CommandSpec, flags: ReadonlyMap<string, FlagSpec>, argv: readonly string[]): string[] {
  const flagged: string[] = [];
  const positionals: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const token = argv[index] as string;
    if (token === "--") {
      positionals.push(...argv.slice(index + 1));
      break;
    }
    if (!/^--?[^-]/.test(token)) {
      positionals.push(token);
      continue;
    }
    const written = token.replace(/^--?/, "");
    const equals = written.indexOf("=");
    const name = equals < 0 ? written : written.slice(0, equals);
    const flag = flags.get(name);
    if (flag === undefined) throw unknownFlag(spec, flags, name);
    const attached = equals < 0 ? undefined : written.slice(equals + 1);
    if (flag.value === undefined) {
      if (isOn(spec, flag, attached)) flagged.push(`--${flag.name}`);
      continue;
    }
    const value = attached ?? argv[(index += 1)];
    if (value === undefined || (attached === undefined && /^--?[^-\d]/.test(value))) {
      throw usage(
        spec,
        `--${flag.name} needs a value: ${flag.value}${value === undefined ? "" : `, found "${value}"`}`,
      );
    }
    flagged.push(`--${flag.name}=${value}`);
  }
  return [...flagged, "--", ...positionals];
}

function isOn(spec: CommandSpec, flag: FlagSpec, attached: string | undefined): boolean {
  if (attached === undefined || attached === "true") return true;
  if (attached === "false") return false;
  throw usage(spec, `--${flag.name} is "${attached}", expected true or false`);
}

function unknownFlag(spec: CommandSpec, flags: ReadonlyMap<string, FlagSpec>, name: string): WfctlError {
  const instead = spec.unserved?.[name];
  if (instead !== undefined) return usage(spec, `--${name} is a flag of upstream that is not served`, instead);
  const near = suggest(name, flags.keys());
  return usage(
    spec,
    `there is no flag ${name.length === 1 ? "-" : "--"}${name}`,
    near === undefined ? undefined : `Did you mean --${(flags.get(near) as FlagSpec).name}?`,
  );
}

function checkValues(spec: CommandSpec, flag: FlagSpec, values: readonly (string | boolean)[]): void {
  if (flag.value !== undefined && flag.list === undefined && flag.repeated === undefined && values.length > 1) {
    throw usage(spec, `--${flag.name} is given ${values.length} times, expected once`);
  }
  for (const value of values) {
    if (typeof value !== "string") continue;
    const parts = flag.list === true ? value.split(",") : [value];
    if (parts.some((part) => part.trim() === "")) {
      throw usage(spec, `--${flag.name} is "${value}", expected ${flag.value ?? "a value"}`);
    }
    if (flag.choices !== undefined && !flag.choices.includes(value)) {
      throw usage(spec, `--${flag.name} is "${value}", expected ${listChoices(flag.choices)}`);
    }
  }
}

function checkPositionals(spec: CommandSpec, given: readonly string[]): void {
  const wanted = spec.positionals ?? [];
  const missing = wanted.find((positional, index) => positional.required && given[index] === undefined);
  if (missing !== undefined) throw usage(spec, `${missing.name} is missing: ${missing.text}`);
  const extra = given[wanted.length];
  if (extra !== undefined) throw usage(spec, `"${extra}" is one argument too many`);
}

function listChoices(choices: readonly string[]): string {
  return choices.length < 2 ? choices.join("") : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}
