import { type Diagnostic, type JsonObject, type Reference, type Value, pathToPointer } from "@wfctl/model";
import type { ModuleDraft } from "./read-module.ts";
import type { Finding, Reporter, Spot } from "./reporter.ts";
import { linkValue } from "./values.ts";

/** What names mean in the chosen environment. */
export interface Names {
  /** Resources that exist, by resolved name. */
  readonly resources: ReadonlyMap<string, ModuleDraft>;
  /** Base name to resolved name, for resources that the environment renames. */
  readonly renamed: ReadonlyMap<string, string>;
  /** Resources that the environment leaves out. */
  readonly leftOut: ReadonlySet<string>;
  /** Types of all other modules by name. */
  readonly others: ReadonlyMap<string, string>;
  readonly environment: string;
}

/** Environment variables that may be referred to. */
export interface Variables {
  /** Undefined: no name is checked. */
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  /** Names of secrets that the host finds at run time. */
  readonly declared: ReadonlySet<string>;
  /** Secrets that are made in the run, by name. */
  readonly generated: ReadonlyMap<string, { readonly resource: string; readonly path: string }>;
}

export interface Linker {
  /** Checks and resolves all references of a tree; `resources` gathers what it refers to. */
  link(tree: JsonObject | Value, place: LinkPlace, resources?: Set<string>): Value;
  /** The resolved name of a dependency; undefined, with a diagnostic where that is an error, where it is no resource. */
  resolveDependency(
    name: string,
    strict: boolean,
    place: LinkPlace,
    path: readonly (string | number)[],
  ): string | undefined;
}

export interface LinkPlace {
  readonly address?: string;
  /** Path of the tree inside the address: `["config"]`. */
  readonly root: readonly (string | number)[];
  readonly spotOf: (path: readonly (string | number)[]) => Spot;
  /** Only environment variables may be referred to, with the reason. */
  readonly variablesOnly?: string;
}

type ResourceReference = Extract<Reference, { readonly resource: string }>;
type Problem = Pick<Finding, "summary" | "hint"> & { readonly severity?: Diagnostic["severity"] };

export function createLinker(names: Names, variables: Variables, reporter: Reporter): Linker {
  const report = (place: LinkPlace, path: readonly (string | number)[], problem: Problem, written?: string): void => {
    const spot = place.spotOf(path);
    reporter.report(spot, {
      ...problem,
      ...(place.address === undefined ? {} : { address: place.address }),
      pointer: pathToPointer([...place.root, ...path]),
      ...(written === undefined ? {} : { part: findWritten(spot, written) }),
    });
  };

  const checkVariable = (name: string): Problem | undefined => {
    // Variables of the stack file have been checked where they were read.
    if (name.startsWith("var.")) return undefined;
    if (variables.env === undefined || variables.declared.has(name)) return undefined;
    if (Object.hasOwn(variables.env, name) && variables.env[name] !== undefined) return undefined;
    const resource = resolve(name);
    return {
      summary: `The environment variable "${name}" is not set`,
      hint:
        resource === undefined
          ? `Set it, declare it under secrets.entries, or write $\${${name}} for plain text`
          : `Set it, or write \${${name}.id} for the id of the resource "${name}"`,
    };
  };

  const resolve = (name: string): string | undefined => {
    if (names.resources.has(name)) return name;
    const renamed = names.renamed.get(name);
    return renamed !== undefined && names.resources.has(renamed) ? renamed : undefined;
  };

  const explainUnknown = (name: string, what: string, alternatives: string): Problem => {
    if (names.leftOut.has(name)) {
      return {
        summary: `${what} "${name}", which the environment "${names.environment}" leaves out`,
        hint: `Keep "${name}" in this environment, or override this value for it`,
      };
    }
    const type = names.others.get(name);
    if (type !== undefined) {
      return {
        summary: `${what} "${name}", a module of type "${type}" and not a resource`,
        hint: `Only infra.* modules ${alternatives}`,
      };
    }
    return {
      summary: `${what} "${name}", expected the name of a resource`,
      hint: reporter.hintFor(name, candidates(), "No module has this name"),
    };
  };
  const candidates = function* (): Generator<string> {
    yield* names.resources.keys();
    yield* names.renamed.keys();
  };

  return {
    link(tree, place, resources) {
      return linkValue(tree as Value, (part: Reference, path) => {
        if ("env" in part) {
          const generated = place.variablesOnly === undefined ? variables.generated.get(part.env) : undefined;
          if (generated !== undefined) {
            resources?.add(generated.resource);
            return generated;
          }
          const problem = checkVariable(part.env);
          if (problem !== undefined) report(place, path, problem, part.env);
          return part;
        }
        const written = `${part.resource}.${part.path}`;
        if (place.variablesOnly !== undefined) {
          const summary = `The reference "\${${written}}" cannot be used ${place.variablesOnly}`;
          report(place, path, { summary, hint: "Only environment variables are known there" }, written);
          return part;
        }
        const target = findTarget(part);
        if (target === undefined) {
          // A variable that is not declared has been told where it was read.
          if (part.resource === "var") return part;
          const problem = explainUnknown(part.resource, `"\${${written}}" refers to`, "have outputs");
          report(place, path, problem, written);
          return part;
        }
        resources?.add(target.resource);
        return target.resource === part.resource && target.path === part.path ? part : target;
      });
    },
    resolveDependency(name, strict, place, path) {
      const resolved = resolve(name);
      if (resolved !== undefined) return resolved;
      // What is not there needs no waiting for; engine modules that are no resources come and go elsewhere.
      if (names.leftOut.has(name) || (!strict && names.others.has(name))) return undefined;
      report(place, path, explainUnknown(name, "The resource depends on", "can be waited for"));
      return undefined;
    },
  };

  /** `${web.db.host}` is of the resource `web` if there is one, else of `web.db`: the longest name wins. */
  function findTarget({ resource, path }: ResourceReference): ResourceReference | undefined {
    const resolved = resolve(resource);
    if (resolved !== undefined) return { resource: resolved, path };
    const whole = `${resource}.${path}`;
    for (let dot = whole.lastIndexOf("."); dot > resource.length; dot = whole.lastIndexOf(".", dot - 1)) {
      const longer = resolve(whole.slice(0, dot));
      if (longer !== undefined) return { resource: longer, path: whole.slice(dot + 1) };
    }
    return undefined;
  }
}

/** Points at the reference inside the text that holds it, where the text is found. */
function findWritten(spot: Spot, written: string): Finding["part"] & object {
  const value = spot.path.reduce<unknown>(
    (node, step) =>
      typeof node === "object" && node !== null ? (node as Record<string | number, unknown>)[step] : undefined,
    spot.file.value,
  );
  if (typeof value !== "string") return {};
  const text = `\${${written}}`;
  let offset = value.indexOf(text);
  if (offset < 0) offset = value.indexOf("${{");
  while (offset > 0 && value[offset - 1] === "$") offset = value.indexOf(text, offset + 1);
  return offset < 0 ? {} : { text: { value, offset } };
}
