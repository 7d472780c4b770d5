import {
  getAtPointer,
  isExpression,
  isJsonObject,
  pathToPointer,
  type Expression,
  type Json,
  type JsonObject,
  type Value,
} from "@wfctl/model";
import { child, type FieldReader } from "../fields.ts";
import type { Reporter, Spot } from "../reporter.ts";
import { evaluate } from "../schema/evaluate.ts";
import { readEntries, type ModuleEntry } from "../sections.ts";
import { readDeclarations, type VariableDeclaration } from "../variables/read-variables.ts";
import { createValueReader, type ValueReader, type ValueScope } from "../variables/value-reader.ts";
import type { ComponentUse } from "./read-components.ts";

/** Components of one level, by name. */
export interface ComponentScopes {
  /** Modules of all components below, with their addresses. */
  readonly modules: readonly ModuleEntry[];
  /** What `${web.url}` stands for; undefined where `web` is no component, or has no such output. */
  output(component: string, path: string): Value | undefined;
}

/** What is common to all components of a stack. */
interface Making {
  readonly fields: FieldReader;
  readonly reporter: Reporter;
}

/**
 * Gives the modules of components their addresses and their scope: names inside are those of the component, `var.x` is
 * an input, and inputs are read in the scope of whoever uses the component. `reader` is called when that scope is there.
 */
export function createComponentScopes(
  uses: readonly ComponentUse[],
  reader: () => ValueReader,
  making: Making,
): ComponentScopes {
  const instances = new Map(
    uses.map((use) => [use.address.split(".").at(-1) as string, createInstance(use, reader, making)]),
  );
  return {
    modules: [...instances.values()].flatMap((instance) => instance.modules),
    output: (component, path) => instances.get(component)?.output(path),
  };
}

interface Instance {
  readonly modules: readonly ModuleEntry[];
  output(path: string): Value | undefined;
}

function createInstance(use: ComponentUse, outer: () => ValueReader, making: Making): Instance {
  const { fields, reporter } = making;
  const { file, address } = use;
  const top: Spot = { file: file.source, path: [] };
  const declarations = readDeclarations(file, "inputs", fields, reporter);
  const inputs = readInputs(use, declarations, outer, reporter);
  let reading: ValueReader | undefined;
  const inner = createComponentScopes(use.children, () => reading as ValueReader, making);
  const entries = readEntries(file, fields, reporter).filter((entry) => isResource(entry, address, reporter));
  const siblings = new Set(entries.map((entry) => entry.name));
  const resolve = (name: string): string => (siblings.has(name) ? `${address}.${name}` : name);
  const scope: ValueScope = {
    names: () => declarations.keys(),
    variable: (name) => (declarations.has(name) ? (inputs(name) ?? null) : undefined),
    output(resource, path) {
      const output = inner.output(resource, path);
      if (output !== undefined) return output;
      const whole = `${resource}.${path}`;
      const isInside = use.children.some((nested) => nested.address === `${address}.${resource}`);
      if (siblings.has(resource) || isInside) return reference(`${address}.${resource}`, path);
      // A resource of another component by its whole address, or nothing that is known here.
      return whole.startsWith(`${address}.`) ? undefined : reference(`${address}.${resource}`, path);
    },
  };
  reading = createValueReader(scope, reporter);
  const outputs = fields.mapping(file.root, top, "outputs") ?? {};
  const values = reading;
  const known = new Map<string, Value>();
  const pending = new Set<string>();
  const outputValue = (name: string): Value | undefined => {
    const written = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
    if (written === undefined) return undefined;
    const ready = known.get(name);
    if (ready !== undefined) return ready;
    const spot = child(top, "outputs", name);
    if (pending.has(name)) {
      const summary = `The output "${name}" of the component "${address}" needs itself`;
      reporter.report(spot, { summary, hint: "Remove the circle between inputs and outputs" });
      return null;
    }
    pending.add(name);
    const long = isJsonObject(written) && written["value"] !== undefined;
    const value = long ? values.read(written["value"] as Json, child(spot, "value")) : values.read(written, spot);
    pending.delete(name);
    known.set(name, value);
    return value;
  };
  return {
    modules: [
      ...entries.map((entry) => ({ ...entry, name: `${address}.${entry.name}`, scope: { values, resolve } })),
      ...inner.modules,
    ],
    output(path) {
      const [name = "", ...rest] = path.split(".");
      const value = outputValue(name);
      return value === undefined ? undefined : partOf(value, rest);
    },
  };
}

/** Providers and the state are those of the whole stack. */
function isResource({ name, type, spot }: ModuleEntry, address: string, reporter: Reporter): boolean {
  if (type !== "iac.provider" && type !== "iac.state") return true;
  reporter.report(child(spot, "type"), {
    summary: `The component "${address}" holds "${name}" of type "${type}", expected resources`,
    hint: "Move it to the stack file: its name can be an input",
  });
  return false;
}

function readInputs(
  use: ComponentUse,
  declarations: ReadonlyMap<string, VariableDeclaration>,
  outer: () => ValueReader,
  reporter: Reporter,
): (name: string) => Value | undefined {
  const spot = child(use.spot, "inputs");
  for (const name of Object.keys(use.inputs)) {
    if (declarations.has(name)) continue;
    reporter.report(child(spot, name), {
      summary: `The component "${use.address}" has no input "${name}"`,
      hint: reporter.hintFor(name, declarations.keys(), "It takes no inputs"),
      part: { key: true },
    });
  }
  for (const { name, default: given } of declarations.values()) {
    if (Object.hasOwn(use.inputs, name) || given !== undefined) continue;
    reporter.report(use.spot, {
      summary: `The component "${use.address}" needs the input "${name}"`,
      hint: `Write inputs: {${name}: …}`,
    });
  }
  const known = new Map<string, Value | undefined>();
  return (name) => {
    if (known.has(name)) return known.get(name);
    const declaration = declarations.get(name);
    // While it is being read, it has no value: a circle is told where its output is.
    known.set(name, undefined);
    const written = use.inputs[name];
    const value = written === undefined ? declaration?.default : outer().read(written, child(spot, name));
    if (declaration !== undefined && value !== undefined) check(declaration, value, child(spot, name), use, reporter);
    known.set(name, value);
    return value;
  };
}

function check(
  { name, schema }: VariableDeclaration,
  value: Value,
  spot: Spot,
  use: ComponentUse,
  reporter: Reporter,
): void {
  const { violations } = evaluate(schema, value, [], {
    root: schema,
    freeKeys: new Set(),
    isHidden: () => false,
    following: new Set(),
  });
  for (const { text, hint } of violations) {
    reporter.report(spot, {
      summary: `The input "${name}" of the component "${use.address}" ${text}`,
      hint: hint ?? "See the declaration in the component",
    });
  }
}

function reference(resource: string, path: string): Value {
  return { $expr: [{ resource, path }] };
}

/** A part of an output: of a value, or of what a reference leads to. */
function partOf(value: Value, path: readonly string[]): Value | undefined {
  if (path.length === 0) return value;
  if (!isExpression(value)) return getAtPointer(value, pathToPointer(path));
  const [only, second] = (value as Expression & JsonObject).$expr;
  if (second !== undefined || typeof only !== "object" || !("resource" in only)) return undefined;
  return reference(only.resource, [only.path, ...path].join("."));
}
