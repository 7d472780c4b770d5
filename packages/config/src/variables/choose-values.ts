import { isJsonObject, type Json } from "@wfctl/model";
import { suggestHint } from "../suggest.ts";
import { child } from "../fields.ts";
import type { Reporter, Spot } from "../reporter.ts";
import { createBoundedRun, TooLongError } from "../run-bounded.ts";
import { evaluate } from "../schema/evaluate.ts";
import type { Violation } from "../schema/violation.ts";
import type { EnvironmentEntry } from "../sections.ts";
import { reportOutside, type GivenValues } from "./read-inputs.ts";
import type { VariableDeclaration } from "./read-variables.ts";

/** A value from outside of the stack file. */
export interface VariableInput {
  readonly name: string;
  readonly value: Json;
  /** Where it comes from, for messages: `--var`, `--var-file prod.yaml`, `WFCTL_VAR_size`. */
  readonly from: string;
  /** The value is a text that is read by the variable's type. */
  readonly text: boolean;
  /** A name that no variable has is an error. */
  readonly strict: boolean;
}

export interface ChosenVariables {
  readonly declarations: ReadonlyMap<string, VariableDeclaration>;
  /** Variables that have a value. */
  readonly values: ReadonlyMap<string, Json>;
}

/**
 * The value of each variable: its default, the environment's, then the inputs, the last one wins. Values that do not fit
 * their declaration are reported, and so are variables without a value where `required`, unless something that was given
 * could not be read.
 */
export function chooseValues(
  declarations: ReadonlyMap<string, VariableDeclaration>,
  environment: EnvironmentEntry | undefined,
  { inputs, complete }: GivenValues,
  required: boolean,
  main: Spot,
  reporter: Reporter,
): ChosenVariables {
  const values = new Map<string, Json>();
  const accept = (name: string, value: Json, spot: Spot, from?: string): void => {
    const declaration = declarations.get(name);
    if (declaration !== undefined && fits(declaration, value, spot, from, reporter)) values.set(name, value);
  };
  for (const { name, default: given, spot } of declarations.values()) {
    if (given === undefined) continue;
    accept(name, given, spot.file.has([...spot.path, "default"]) ? child(spot, "default") : spot);
  }
  const settings = environment?.value["variables"];
  for (const [name, value] of Object.entries(isJsonObject(settings) ? settings : {})) {
    const spot = child((environment as EnvironmentEntry).spot, "variables", name);
    if (declarations.has(name)) accept(name, value, spot);
    else {
      reporter.report(spot, {
        summary: `The variable "${name}" is not declared`,
        hint: suggestHint(name, [...declarations.keys()], "Declare it under variables: at the top"),
        part: { key: true },
      });
    }
  }
  for (const { name, value, from, text, strict } of inputs) {
    const declaration = declarations.get(name);
    if (declaration === undefined) {
      if (!strict) continue;
      const hint = suggestHint(
        name,
        [...declarations.keys()],
        "Declare it under variables: at the top of the stack file",
      );
      const summary = `The variable "${name}" of ${from} is not declared`;
      reportOutside(main, { summary, hint, pointer: "/variables" }, reporter);
      continue;
    }
    const read = text ? readText(declaration, value as string, from, reporter) : value;
    if (read !== undefined) accept(name, read, declaration.spot, from);
  }
  if (required && complete) reportMissing(declarations, values, inputs, reporter);
  else {
    for (const name of declarations.keys()) if (!values.has(name)) reporter.absentVariables.add(`var.${name}`);
  }
  return { declarations, values };
}

function reportMissing(
  declarations: ReadonlyMap<string, VariableDeclaration>,
  values: ReadonlyMap<string, Json>,
  inputs: readonly VariableInput[],
  reporter: Reporter,
): void {
  for (const { name, spot, sensitive, default: given } of declarations.values()) {
    // What was given and does not fit has been told.
    if (values.has(name) || given !== undefined || inputs.some((input) => input.name === name)) continue;
    reporter.report(spot, {
      summary: `The variable "${name}" has no value`,
      hint: sensitive ? `Set WFCTL_VAR_${name}` : `Write --var ${name}=…, set WFCTL_VAR_${name}, or give it a default`,
      part: { key: true },
    });
  }
}

function fits(
  declaration: VariableDeclaration,
  value: Json,
  spot: Spot,
  from: string | undefined,
  reporter: Reporter,
): boolean {
  const violations = findViolations(declaration, value);
  if (violations === undefined) {
    reporter.report(spot, {
      summary: `The pattern of the variable "${declaration.name}" takes too long to be compared with its value`,
      hint: "Write the pattern without repetitions that repeat, such as (a+)+",
    });
    return false;
  }
  for (const violation of violations) {
    const where = from === undefined ? "" : ` of ${from}`;
    reporter.report(spot, {
      summary: `The variable "${declaration.name}"${where} ${violation.text}`,
      hint:
        violation.hint ??
        (violation.word === undefined ? `See its declaration: type ${declaration.type}` : "Write one of them"),
    });
  }
  return violations.length === 0;
}

/** Undefined where a pattern takes too long. */
function findViolations({ schema, sensitive }: VariableDeclaration, value: Json): readonly Violation[] | undefined {
  const context = {
    root: schema,
    freeKeys: new Set<string>(),
    isHidden: () => sensitive,
    following: new Set<string>(),
  };
  const compare = (): readonly Violation[] => evaluate(schema, value, [], context).violations;
  if (!JSON.stringify(schema).includes('"pattern"')) return compare();
  try {
    return createBoundedRun()(compare);
  } catch (error) {
    if (error instanceof TooLongError) return undefined;
    throw error;
  }
}

/** Texts become numbers, lists and so on by the variable's type. */
function readText(declaration: VariableDeclaration, text: string, from: string, reporter: Reporter): Json | undefined {
  const { type, name, spot, sensitive } = declaration;
  if (type === "string") return text;
  const refuse = (expected: string, hint: string): undefined => {
    const found = sensitive ? "another text" : `"${text}"`;
    reporter.report(spot, { summary: `The variable "${name}" of ${from} is ${found}, expected ${expected}`, hint });
    return undefined;
  };
  if (type === "boolean") {
    return text === "true" ? true : text === "false" ? false : refuse("true or false", "Write true or false");
  }
  if (type === "number" || type === "integer") {
    const number = text.trim() === "" ? NaN : Number(text);
    return Number.isFinite(number)
      ? number
      : refuse(`a ${type === "number" ? "number" : "whole number"}`, "Write digits");
  }
  try {
    return JSON.parse(text) as Json;
  } catch {
    return refuse(`a ${type} as JSON`, type === "list" ? `Write '["a","b"]'` : `Write '{"a":"b"}'`);
  }
}
