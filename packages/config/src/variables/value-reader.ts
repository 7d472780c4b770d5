import { compute, ExpressionError } from "@wfctl/expressions";
import {
  expressionsIn,
  getAtPointer,
  isExpression,
  pathToPointer,
  valueToText,
  type ComputedPart,
  type ComputedReference,
  type Expression,
  type Json,
  type JsonObject,
  type Reference,
  type TemplatePart,
  type Value,
} from "@wfctl/model";
import { child } from "../fields.ts";
import { boundExpressions } from "../bound-expressions.ts";
import type { Reporter, Spot } from "../reporter.ts";
import { parseTemplate } from "../template.ts";
import { mapTree } from "../values.ts";
import type { ChosenVariables } from "./choose-values.ts";

/** Reads texts as expressions, and puts values in the place of variables. */
export interface ValueReader {
  /** Trees without any expression come back as they are, not copied. */
  read(value: Json, spot: Spot): Value;
}

/** Name under which a sensitive variable is looked up beside the environment's. */
export function variableName(name: string): string {
  return `var.${name}`;
}

/** What names in a text stand for. */
export interface ValueScope {
  /** Names of all variables. */
  names(): Iterable<string>;
  /** A variable's value: plain, or with references. Undefined: it is not declared. */
  variable(name: string): Value | undefined;
  /** What stands in the place of an output. Undefined: the reference stays. */
  output(resource: string, path: string): Value | undefined;
}

/** The variables of a stack: sensitive ones, and ones without a value where none is required, stay references. */
export function createVariableScope(
  { declarations, values }: ChosenVariables,
  output: ValueScope["output"],
): ValueScope {
  return {
    names: () => declarations.keys(),
    variable(name) {
      const declaration = declarations.get(name);
      if (declaration === undefined) return undefined;
      const value = values.get(name);
      return value === undefined || declaration.sensitive ? { $expr: [{ env: variableName(name) }] } : value;
    },
    output,
  };
}

type Filled = TemplatePart | { readonly known: Value };

/** Texts become expressions, names what they stand for. Computed parts that need nothing else are computed. */
export function createValueReader(scope: ValueScope, reporter: Reporter): ValueReader {
  const bounded = boundExpressions();
  const read = (text: string, spot: Spot): Value => {
    const parsed = parseTemplate(text);
    for (const { offset, within, summary, hint } of parsed.problems) {
      const inside = within === undefined ? {} : { within };
      reporter.report(spot, { summary, hint, part: { text: { value: text, offset, ...inside } } });
    }
    if (typeof parsed.value === "string") return parsed.value;
    return join(parsed.value.$expr.map((part) => fill(part, spot, text)));
  };

  const report = (spot: Spot, text: string, summary: string, hint: string): void =>
    reporter.report(spot, { summary, hint, part: { text: { value: text, offset: Math.max(0, text.indexOf("${")) } } });

  const variable = (name: string, spot: Spot, text: string): Value | undefined => {
    const value = scope.variable(name);
    if (value === undefined) {
      const hint = reporter.hintFor(name, scope.names(), "Declare it under variables: at the top of the stack file");
      report(spot, text, `The variable "${name}" is not declared`, hint);
    }
    return value;
  };

  const fill = (part: TemplatePart, spot: Spot, text: string): Filled => {
    if (typeof part === "string") return part;
    if ("computed" in part) return fillComputed(part, spot, text);
    const name = nameOf(part);
    if (name === undefined) {
      if ("env" in part) return part;
      const output = scope.output(part.resource, part.path);
      return output === undefined ? part : { known: output };
    }
    const value = variable(name, spot, text);
    if (value === undefined) return part;
    const path = "resource" in part ? part.path.split(".").slice(1) : [];
    const found = path.length === 0 ? value : partOf(value, path);
    if (found !== undefined) return { known: found };
    report(spot, text, `The variable "${name}" has no "${path.join(".")}"`, "See its default, or what is given for it");
    return part;
  };

  const fillComputed = (part: ComputedPart, spot: Spot, text: string): ComputedPart | { readonly known: Json } => {
    const variables: Record<string, Json> = {};
    const refs: ComputedReference[] = [];
    for (const reference of part.refs) {
      const name = nameOf(reference);
      const value =
        name !== undefined
          ? variable(name, spot, text)
          : "resource" in reference
            ? scope.output(reference.resource, reference.path)
            : undefined;
      if (value === undefined) refs.push(reference);
      else if (name !== undefined && expressionsIn(value).next().done === true) variables[name] = value;
      else {
        const single = onlyReference(value);
        if (single !== undefined) refs.push({ ...single, ...placeIn(reference, name) });
        else {
          const what = name === undefined ? `${(reference as { resource: string }).resource}` : `var.${name}`;
          const summary = `"${what}" holds more than one reference, and cannot be computed with`;
          report(spot, text, summary, "Use it in a text of its own: ${…}");
          refs.push(reference);
        }
      }
    }
    if (refs.length > 0) {
      return { computed: part.computed, refs, ...(Object.keys(variables).length === 0 ? {} : { variables }) };
    }
    try {
      return { known: compute(part.computed, { variables, env: {}, outputs: {} }, bounded) };
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const offset = text.indexOf(`\${{${part.computed}`);
      reporter.report(spot, {
        summary: error.message,
        hint: error.hint,
        part: { text: { value: text, offset, within: error.offset + 3 } },
      });
      return part;
    }
  };

  return {
    read: (value, spot) =>
      mapTree(value, [], (leaf, path) =>
        typeof leaf === "string" && leaf.includes("$") ? read(leaf, child(spot, ...path)) : leaf,
      ),
  };
}

/** Where an expression's text has what another reference now gives. */
function placeIn(reference: ComputedReference, name: string | undefined): Pick<ComputedReference, "as" | "key"> {
  if (name !== undefined) return { as: variableName(name) };
  return "resource" in reference ? { as: reference.resource, key: reference.path } : {};
}

/** The variable that a reference names. */
function nameOf(reference: ComputedReference): string | undefined {
  if ("env" in reference) return reference.env.startsWith("var.") ? reference.env.slice(4) : undefined;
  return reference.resource === "var" ? reference.path.split(".")[0] : undefined;
}

function onlyReference(value: Value): Reference | undefined {
  if (!isExpression(value)) return undefined;
  const [only, second] = value.$expr;
  return second === undefined && typeof only === "object" && !("computed" in only) ? only : undefined;
}

function partOf(value: Value, path: readonly string[]): Value | undefined {
  const reference = onlyReference(value);
  if (reference !== undefined && "resource" in reference) {
    return { $expr: [{ resource: reference.resource, path: [reference.path, ...path].join(".") }] };
  }
  // What a variable without a value would hold is not known.
  if (reference !== undefined) return value;
  return isExpression(value) ? undefined : getAtPointer(value, pathToPointer(path));
}

function join(parts: readonly Filled[]): Value {
  const [only, second] = parts;
  if (second === undefined && typeof only === "object" && "known" in only) return only.known;
  const joined: TemplatePart[] = [];
  const add = (piece: TemplatePart): void => {
    const last = joined.at(-1);
    if (typeof piece === "string" && typeof last === "string") joined[joined.length - 1] = last + piece;
    else joined.push(piece);
  };
  for (const part of parts) {
    if (typeof part !== "object" || !("known" in part)) add(part);
    else if (isExpression(part.known)) for (const piece of part.known.$expr) add(piece);
    else add(valueToText(part.known));
  }
  const [text, another] = joined;
  if (another === undefined && typeof text === "string") return text;
  return { $expr: joined } satisfies Expression as unknown as JsonObject;
}
