import { compute, ExpressionError } from "@wfctl/expressions";
import {
  getAtPointer,
  pathToPointer,
  referencesIn,
  valueToText,
  type ComputedPart,
  type ComputedReference,
  type Expression,
  type Json,
  type JsonObject,
  type TemplatePart,
  type Value,
} from "@wfctl/model";
import { child } from "../fields.ts";
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

/**
 * Variables with a value become that value, sensitive ones stay references; so do variables that have none where none is
 * required. Computed parts that need nothing else are computed.
 */
export function createValueReader(chosen: ChosenVariables, reporter: Reporter): ValueReader {
  const { declarations, values } = chosen;

  const read = (text: string, spot: Spot): Value => {
    const parsed = parseTemplate(text);
    const at = (
      offset: number,
      within?: number,
    ): { part: { text: { value: string; offset: number; within?: number } } } => ({
      part: { text: { value: text, offset, ...(within === undefined ? {} : { within }) } },
    });
    for (const { offset, within, summary, hint } of parsed.problems) {
      reporter.report(spot, { summary, hint, ...at(offset, within) });
    }
    if (typeof parsed.value === "string") return parsed.value;
    for (const reference of referencesIn(parsed.value)) {
      const name = nameOf(reference);
      if (name === undefined || declarations.has(name)) continue;
      reporter.report(spot, {
        summary: `The variable "${name}" is not declared`,
        hint: reporter.hintFor(name, declarations.keys(), "Declare it under variables: at the top of the stack file"),
        ...at(Math.max(0, text.indexOf("${"))),
      });
    }
    return join(parsed.value.$expr.map((part) => fill(part, spot, text)));
  };

  const fill = (part: TemplatePart, spot: Spot, text: string): TemplatePart | { readonly known: Json } => {
    if (typeof part === "string") return part;
    if ("computed" in part) return fillComputed(part, spot, text);
    const name = nameOf(part);
    if (name === undefined) return part;
    const value = values.get(name);
    if (value === undefined || declarations.get(name)?.sensitive === true) return { env: variableName(name) };
    const path = "resource" in part ? part.path.split(".").slice(1) : [];
    const found = getAtPointer(value, pathToPointer(path));
    if (found !== undefined) return { known: found };
    reporter.report(spot, {
      summary: `The variable "${name}" has no "${path.join(".")}"`,
      hint: "See its default, or what is given for it",
    });
    return part;
  };

  const fillComputed = (part: ComputedPart, spot: Spot, text: string): ComputedPart | { readonly known: Json } => {
    const variables: Record<string, Json> = {};
    const refs: ComputedReference[] = [];
    for (const reference of part.refs) {
      const name = nameOf(reference);
      const value = name === undefined ? undefined : values.get(name);
      if (name === undefined || value === undefined || declarations.get(name)?.sensitive === true) refs.push(reference);
      else variables[name] = value;
    }
    if (refs.length > 0) {
      return { computed: part.computed, refs, ...(Object.keys(variables).length === 0 ? {} : { variables }) };
    }
    try {
      return { known: compute(part.computed, { variables, env: {}, outputs: {} }) };
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

/** The variable that a reference names. */
function nameOf(reference: ComputedReference): string | undefined {
  if ("env" in reference) return reference.env.startsWith("var.") ? reference.env.slice(4) : undefined;
  return reference.resource === "var" ? reference.path.split(".")[0] : undefined;
}

function join(parts: readonly (TemplatePart | { readonly known: Json })[]): Value {
  const [only, second] = parts;
  if (second === undefined && typeof only === "object" && "known" in only) return only.known;
  const joined: TemplatePart[] = [];
  for (const part of parts) {
    const piece = typeof part === "object" && "known" in part ? valueToText(part.known) : part;
    const last = joined.at(-1);
    if (typeof piece === "string" && typeof last === "string") joined[joined.length - 1] = last + piece;
    else joined.push(piece);
  }
  const [text, another] = joined;
  if (another === undefined && typeof text === "string") return text;
  return { $expr: joined } satisfies Expression as unknown as JsonObject;
}
