import type { BoundedRun } from "@wfctl/expressions";
import {
  expressionsIn,
  isExpression,
  isJsonObject,
  pathToPointer,
  referencedResources,
  referencesIn,
  type DesiredResource,
  type Json,
  type JsonObject,
  type ResourceRecord,
} from "@wfctl/model";
import type { EnvironmentVariables, Spec, TypeTraits } from "../ports/index.ts";
import { evaluate, outputOf, type Resolved } from "../substitute/evaluate.ts";
import { withIgnoredChanges } from "./ignore-changes.ts";

/** How sure the outputs of a resource are while others are being planned or applied. */
export type OutputsKnown = "known" | "may-change" | "unknown";

export interface OutputSource {
  readonly record: Pick<ResourceRecord, "providerId" | "outputs" | "sensitiveOutputs"> | undefined;
  readonly known: OutputsKnown;
}

export interface ResolvedConfig {
  readonly config: JsonObject;
  /** JSON pointers of secret values. */
  readonly sensitive: readonly string[];
  /** Pointers whose value depends on something that is not there yet, with the reference. */
  readonly unknown: ReadonlyMap<string, string>;
  /** Pointers whose value may become another one, with the reference. */
  readonly mayChange: ReadonlyMap<string, string>;
  /** Environment variables and outputs that will not get a value by waiting. */
  readonly missing: readonly { readonly pointer: string; readonly part: string }[];
}

/**
 * The config as the provider would get it now: references resolved, sizing merged, ignored paths set back.
 * Keys that the user wrote win over keys that sizing adds.
 */
export function resolveConfig(
  resource: DesiredResource,
  options: {
    readonly env: EnvironmentVariables;
    readonly bounded: BoundedRun;
    readonly source: (name: string) => OutputSource;
    readonly sizing?: JsonObject | undefined;
    readonly recordedInputs?: JsonObject | undefined;
    readonly traits?: TypeTraits | undefined;
  },
): ResolvedConfig {
  const waiting = new Set<string>();
  const changing = new Set<string>();
  const evaluated = evaluate(resource.config as JsonObject, {
    env: options.env,
    bounded: options.bounded,
    output(name, path): Resolved | undefined {
      const source = options.source(name);
      const resolved = source.record === undefined ? undefined : outputOf(source.record, path);
      if (source.known === "unknown") {
        waiting.add(`${name}.${path}`);
        return undefined;
      }
      if (source.known === "may-change" && path !== "id") {
        if (resolved === undefined) waiting.add(`${name}.${path}`);
        else changing.add(`${name}.${path}`);
      }
      return resolved;
    },
  });
  const unknown = new Map<string, string>();
  const missing: { pointer: string; part: string }[] = [];
  for (const entry of evaluated.unresolved) {
    if (waiting.has(entry.part)) unknown.set(entry.pointer, entry.part);
    else missing.push({ pointer: entry.pointer, part: entry.part });
  }
  const mayChange = new Map<string, string>();
  if (changing.size > 0) {
    for (const [pointer, expression] of expressionsIn(resource.config as JsonObject)) {
      for (const part of referencesIn(expression)) {
        if ("env" in part) continue;
        const text = `${part.resource}.${part.path}`;
        if (changing.has(text)) mayChange.set(pointer, text);
      }
    }
  }
  const written = evaluated.value as JsonObject;
  const sized = options.sizing === undefined ? written : { ...options.sizing, ...written };
  const config = withIgnoredChanges(sized, options.recordedInputs, resource.lifecycle.ignoreChanges);
  const sensitive = new Set([...evaluated.sensitive, ...sensitivePointersOf(config, options.traits)]);
  return { config, sensitive: [...sensitive], unknown, mayChange, missing };
}

/** JSON pointers of the values that the type, or the name of their key, says are secret. The config may hold expressions. */
export function sensitivePointersOf(config: JsonObject, traits: TypeTraits | undefined): string[] {
  const declared = (traits?.sensitiveInputs ?? []).flatMap((path) => pointersOf(config, path.split(".")));
  return [...new Set([...declared, ...secretLookingPointers(config)])];
}

export function toSpec(resource: DesiredResource, config: JsonObject): Spec {
  return {
    name: resource.name,
    type: resource.type,
    config,
    ...(resource.size === undefined ? {} : { size: resource.size }),
    ...(resource.hints === undefined ? {} : { hints: resource.hints }),
    dependsOn: resource.dependsOn,
  };
}

/** All resources that this one waits for: `depends_on`, `dependsOn` and references, each once. */
export function dependenciesOf(resource: DesiredResource): string[] {
  const names = new Set(resource.dependsOn);
  for (const name of referencedResources(resource.config as JsonObject)) names.add(name);
  names.delete(resource.name);
  return [...names];
}

/** JSON pointers at a dotted schema path; `*` stands for every member or item. */
function pointersOf(value: Json, steps: readonly string[], path: readonly (string | number)[] = []): string[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [pathToPointer(path)];
  if (value === null || typeof value !== "object") return [];
  const entries: [string | number, Json][] = Array.isArray(value)
    ? [...(value as readonly Json[]).entries()]
    : Object.entries(value as JsonObject);
  return entries
    .filter(([key]) => step === "*" || String(key) === step)
    .flatMap(([key, member]) => pointersOf(member, rest, [...path, key]));
}

const secretName =
  /(^|[_-])(password|passwd|secret|token|api[_-]?key|private[_-]?key|secret[_-]?key|access[_-]?key|connection[_-]?string|dsn|credentials?)$/i;
/** True of keys whose name says that their value is secret. */
export function looksSecret(key: string): boolean {
  return secretName.test(key);
}

const secretMaps: ReadonlySet<string> = new Set(["env_vars_secret", "secret_env_vars"]);

/** Text around references is as secret as text alone; a reference alone says nothing. */
function isExpressionWithText(value: Json): boolean {
  return isExpression(value) && value.$expr.some((part) => typeof part === "string");
}

/** Literal text under keys that name a secret: sealed wherever the config is stored, hidden wherever it is shown. */
function secretLookingPointers(config: JsonObject): string[] {
  const found: string[] = [];
  const walk = (value: Json, path: readonly (string | number)[], inSecretMap: boolean): void => {
    if (typeof value === "string" || isExpressionWithText(value)) {
      const key = path.at(-1);
      if (inSecretMap || (typeof key === "string" && secretName.test(key))) found.push(pathToPointer(path));
      return;
    }
    if (isExpression(value)) return;
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) walk(item as Json, [...path, index], inSecretMap);
      return;
    }
    if (isJsonObject(value)) {
      for (const [key, member] of Object.entries(value))
        walk(member, [...path, key], inSecretMap || secretMaps.has(key));
    }
  };
  walk(config, [], false);
  return found;
}
