import type { DesiredResource, Diagnostic, PlanNote, ResourceRecord } from "@wfctl/model";
import type { PlanInput } from "./plan-input.ts";
import { recordedDependents } from "./recorded-dependents.ts";

/** What of a stack one plan acts on. */
export interface Scope {
  has(name: string): boolean;
  /** What is left out beside what was named, with the reason. */
  readonly notes: readonly PlanNote[];
  /** What was asked for and cannot be done without more. */
  readonly diagnostics: readonly Diagnostic[];
}

/** True where flags leave the name out. */
export function isNamedOut({ include, exclude }: Pick<PlanInput, "include" | "exclude">, name: string): boolean {
  return include?.has(name) === false || exclude?.has(name) === true;
}

/**
 * The part that `include` and `exclude` leave, which can go on its own. What is excluded takes with it whatever cannot go
 * without it; what is included is never made more: it is an error that names what is missing.
 */
export function chooseScope(
  input: Pick<PlanInput, "include" | "exclude" | "desired" | "state">,
  records: ReadonlyMap<string, ResourceRecord>,
  dependencies: ReadonlyMap<string, readonly string[]>,
): Scope {
  const { include, exclude } = input;
  if (include === undefined && exclude === undefined) return { has: () => true, notes: [], diagnostics: [] };
  const wanted = new Map(input.desired.map((resource) => [resource.name, resource]));
  const all = [...new Set([...wanted.keys(), ...records.keys()])];
  const out = new Set(all.filter((name) => isNamedOut(input, name)));
  const reasons = new Map<string, string>();
  const dependents = recordedDependents(records);
  const isThere = (name: string): boolean => records.has(name) || input.state.unknown.has(name);
  // Whoever leaves may take the next with it.
  for (let grew = true; grew;) {
    grew = false;
    for (const name of all) {
      if (out.has(name)) continue;
      const reason = wanted.has(name)
        ? lacking(name, out, isThere, dependencies)
        : standingOn(name, out, records, dependents);
      if (reason === undefined) continue;
      out.add(name);
      reasons.set(name, reason);
      grew = true;
    }
  }
  if (include === undefined) {
    const notes = [...reasons].map(([name, reason]): PlanNote => ({
      name,
      code: "EXCLUDED",
      text: `"${name}" is left out as well: ${reason}`,
    }));
    return { has: (name) => !out.has(name), notes, diagnostics: [] };
  }
  const missing = closureOf(include, wanted, records, dependencies, dependents);
  const diagnostics = [...reasons].map(([name, reason]): Diagnostic => {
    const { source } = wanted.get(name) ?? {};
    return {
      severity: "error",
      code: "USAGE",
      address: name,
      summary: `Cannot plan "${name}" alone: ${reason}`,
      hint: `Include what it needs: --include ${[...missing].join(",")}`,
      ...(source === undefined ? {} : { source }),
    };
  });
  return { has: (name) => include.has(name), notes: [], diagnostics };
}

/** What a wanted resource needs and nothing has made yet. */
function lacking(
  name: string,
  out: ReadonlySet<string>,
  isThere: (name: string) => boolean,
  dependencies: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const needed = dependencies.get(name)?.find((other) => out.has(other) && !isThere(other));
  return needed === undefined ? undefined : `it needs "${needed}", which does not exist and is not included`;
}

/** What would be left standing on an object that goes. */
function standingOn(
  name: string,
  out: ReadonlySet<string>,
  records: ReadonlyMap<string, ResourceRecord>,
  dependents: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  if (records.get(name)?.retain === true) return undefined;
  const stays = dependents.get(name)?.find((other) => out.has(other));
  return stays === undefined ? undefined : `it is deleted, and "${stays}", which stands on it, is not included`;
}

/** The included ones with all that they cannot go without. */
function closureOf(
  include: ReadonlySet<string>,
  wanted: ReadonlyMap<string, DesiredResource>,
  records: ReadonlyMap<string, ResourceRecord>,
  dependencies: ReadonlyMap<string, readonly string[]>,
  dependents: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const closure = new Set(include);
  for (const name of closure) {
    const needed = wanted.has(name)
      ? (dependencies.get(name) ?? []).filter((other) => !records.has(other))
      : (dependents.get(name) ?? []);
    for (const other of needed) closure.add(other);
  }
  return closure;
}

/** Resources that go on with what they had of a replaced one, because the plan leaves them out. */
export function leftBehind(
  replaced: readonly string[],
  scope: Pick<Scope, "has">,
  records: ReadonlyMap<string, ResourceRecord>,
): Diagnostic[] {
  if (replaced.length === 0) return [];
  const dependents = recordedDependents(records);
  return replaced.flatMap((name) =>
    (dependents.get(name) ?? [])
      .filter((other) => !scope.has(other))
      .map((other): Diagnostic => ({
        severity: "warning",
        code: "USAGE",
        address: other,
        summary: `"${other}" stands on "${name}", which is replaced, and is not included: it keeps what it had of the old object`,
        hint: `Include it: --include …,${other}`,
      })),
  );
}
