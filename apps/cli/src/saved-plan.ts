import type { StackConfig } from "@wfctl/config";
import type { Digester } from "@wfctl/engine";
import {
  canonicalJson,
  expressionsIn,
  isJsonObject,
  referencesIn,
  WfctlError,
  type Json,
  type JsonObject,
  type Plan,
} from "@wfctl/model";
import type { PlanOptions } from "./arguments/shared-flags.ts";
import { planToJson } from "./views/json/plan.ts";

const schema = "wfctl/saved-plan/1";

/** What a plan file holds: the plan as it was shown, how it was asked for, and a MAC under the stack's key. */
export interface SavedPlan {
  readonly plan: JsonObject;
  readonly id: string;
  readonly createdAt: string;
  readonly stack: { readonly name: string; readonly environment: string; readonly lineage: string };
  readonly serial: number;
  readonly configDigest: string;
  readonly digest: string;
  readonly options: PlanOptions;
  /** Keyed digests of the environment variables that the stack refers to. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Names of the environment variables that a stack's resources and providers refer to, with a keyed digest of each value. */
export function digestVariables(
  stack: Pick<StackConfig, "resources" | "providers" | "secretVariables">,
  env: Readonly<Record<string, string | undefined>>,
  digester: Digester,
): Record<string, string> {
  const digests: Record<string, string> = {};
  for (const { config } of [...stack.resources, ...stack.providers]) {
    for (const [, expression] of expressionsIn(config)) {
      for (const part of referencesIn(expression)) {
        if (!("env" in part)) continue;
        const value = env[part.env] ?? stack.secretVariables[part.env];
        if (value !== undefined) digests[part.env] ??= digester.digest(value);
      }
    }
  }
  return digests;
}

/** Throws PLAN_STALE naming each variable whose value is another one now. */
export function refuseOtherVariables(saved: SavedPlan, now: Readonly<Record<string, string>>): void {
  const names = new Set([...Object.keys(saved.variables), ...Object.keys(now)]);
  const changed = [...names].filter((name) => saved.variables[name] !== now[name]).toSorted();
  if (changed.length > 0)
    throw stalePlan(changed.map((name) => `the variable ${name.replace(/^var\./, "")} has another value`));
}

/**
 * The text of a plan file. `shown` is the plan without secrets; references in it are symbolic. The file is proof against
 * changes, and says nothing that `plan` has not said.
 */
export function encodeSavedPlan(
  shown: Plan,
  options: PlanOptions,
  variables: Readonly<Record<string, string>>,
  digester: Digester,
): string {
  const { include, exclude, replace, allowReplace, refresh } = options;
  const content: JsonObject = {
    schema,
    plan: planToJson(shown, { diagnostics: [], notes: [] }),
    configDigest: shown.configDigest,
    variables,
    options: {
      ...(include === undefined ? {} : { include: [...include] }),
      ...(exclude === undefined ? {} : { exclude: [...exclude] }),
      replace: [...replace],
      allowReplace: [...allowReplace],
      refresh,
      onFailure: shown.onFailure,
    },
  };
  return `${JSON.stringify({ ...content, mac: digester.digest(content) }, undefined, 2)}\n`;
}

/** Reads a plan file without trusting it. Throws PLAN_INVALID where it is none of ours. */
export function decodeSavedPlan(
  text: string,
  path: string,
): SavedPlan & { readonly verify: (digester: Digester) => void } {
  const value = parse(text, path);
  if (!isJsonObject(value)) throw invalid(path, "it is no JSON object");
  if (value["schema"] !== schema) {
    const found = typeof value["schema"] === "string" ? `"${value["schema"]}"` : "no schema";
    throw invalid(path, `it has ${found}, expected "${schema}"`);
  }
  const { mac, ...content } = value;
  const plan = objectAt(content, "plan", path);
  const stack = objectAt(plan, "stack", path);
  const options = objectAt(content, "options", path);
  const variables = objectAt(content, "variables", path);
  const saved: SavedPlan = {
    plan,
    id: textAt(plan, "id", path),
    createdAt: textAt(plan, "createdAt", path),
    stack: {
      name: textAt(stack, "name", path),
      environment: textAt(stack, "environment", path),
      lineage: textAt(stack, "lineage", path),
    },
    serial: typeof plan["serial"] === "number" ? plan["serial"] : -1,
    configDigest: textAt(content, "configDigest", path),
    digest: textAt(plan, "digest", path),
    variables: Object.fromEntries(Object.keys(variables).map((name) => [name, textAt(variables, name, path)])),
    options: {
      ...(options["include"] === undefined ? {} : { include: namesAt(options, "include", path) }),
      ...(options["exclude"] === undefined ? {} : { exclude: namesAt(options, "exclude", path) }),
      replace: namesAt(options, "replace", path),
      allowReplace: namesAt(options, "allowReplace", path),
      refresh: options["refresh"] === true,
      onFailure: textAt(options, "onFailure", path) as Plan["onFailure"],
    },
  };
  return {
    ...saved,
    verify(digester) {
      if (mac === digester.digest(content)) return;
      throw invalid(path, "it was changed after it was made, or made with another key");
    },
  };
}

/** Throws PLAN_STALE with everything that is different now. Both plans as JSON, without secrets. */
export function refuseStale(saved: SavedPlan, now: Plan, shown: JsonObject): void {
  if (saved.digest === now.digest) return;
  const found = describeDifferences(saved, now, shown);
  throw stalePlan(found.length === 0 ? ["a value that may not be shown is another one now"] : found);
}

export function stalePlan(reasons: readonly string[]): WfctlError {
  return new WfctlError("PLAN_STALE", `The saved plan no longer fits: ${reasons.join("; ")}`, {
    hint: "Plan again, look at it, and apply the new plan",
  });
}

function describeDifferences(saved: SavedPlan, now: Plan, shown: JsonObject): string[] {
  const found: string[] = [];
  if (saved.serial !== now.serial) found.push(`the state went from serial ${saved.serial} to ${now.serial}`);
  if (saved.configDigest !== now.configDigest) found.push("the configuration changed");
  const before = saved.plan;
  found.push(
    ...differencesIn("providers", "module", before, shown, (name, was, is) => {
      if (was === undefined) return `provider "${name}" is new`;
      if (is === undefined) return `provider "${name}" is gone`;
      const keys = ["name", "version", "identity", "schemaDigest"].filter((key) => was[key] !== is[key]);
      return `provider "${name}" has another ${keys.join(" and ")}`;
    }),
  );
  found.push(
    ...differencesIn("actions", "name", before, shown, (name, was, is) => {
      if (was === undefined) return `"${name}" would be a ${kindOf(is)} now`;
      if (is === undefined) return `the ${kindOf(was)} of "${name}" is not needed any more`;
      if (was["kind"] !== is["kind"]) return `"${name}" would be a ${kindOf(is)} now, no ${kindOf(was)}`;
      return `the ${kindOf(is)} of "${name}" is another one now`;
    }),
  );
  return found;
}

function differencesIn(
  list: string,
  key: string,
  before: JsonObject,
  now: JsonObject,
  describe: (name: string, was: JsonObject | undefined, is: JsonObject | undefined) => string,
): string[] {
  const index = (plan: JsonObject): Map<string, JsonObject> => {
    const items = (plan[list] ?? []) as readonly JsonObject[];
    return new Map(items.map((item) => [`${wordAt(item, key)} ${wordAt(item, "deposed")}`, comparable(item)]));
  };
  const old = index(before);
  const fresh = index(now);
  const found: string[] = [];
  for (const id of new Set([...old.keys(), ...fresh.keys()])) {
    const was = old.get(id);
    const is = fresh.get(id);
    if (was !== undefined && is !== undefined && canonicalJson(was) === canonicalJson(is)) continue;
    found.push(describe(wordAt(is ?? was, key), was, is));
  }
  return found;
}

/** Positions shift when another action comes or goes: that is said where it happens. */
function comparable(item: JsonObject): JsonObject {
  const { index: _index, after: _after, source: _source, ...rest } = item;
  return rest;
}

function kindOf(action: JsonObject | undefined): string {
  return wordAt(action, "kind");
}

function wordAt(item: JsonObject | undefined, key: string): string {
  const value = item?.[key];
  return typeof value === "string" ? value : "";
}

function parse(text: string, path: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw invalid(path, "it is no JSON");
  }
}

function objectAt(value: JsonObject, key: string, path: string): JsonObject {
  const member = value[key];
  if (!isJsonObject(member)) throw invalid(path, `"${key}" is missing`);
  return member;
}

function textAt(value: JsonObject, key: string, path: string): string {
  const member = value[key];
  if (typeof member !== "string") throw invalid(path, `"${key}" is missing`);
  return member;
}

function namesAt(value: JsonObject, key: string, path: string): ReadonlySet<string> {
  const member = value[key];
  if (!Array.isArray(member) || !member.every((name) => typeof name === "string")) {
    throw invalid(path, `"${key}" is missing`);
  }
  return new Set(member as readonly string[]);
}

function invalid(path: string, why: string): WfctlError {
  return new WfctlError("PLAN_INVALID", `Cannot use the saved plan "${path}": ${why}`, {
    hint: "Make the plan again with: wfctl plan -o FILE",
  });
}
