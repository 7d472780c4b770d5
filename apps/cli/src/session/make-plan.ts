import { boundExpressions, secretsProvider, suggestHint, type StackConfig } from "@wfctl/config";
import { planStack, sensitivePointersOf, type Digester, type Planned, type Provider } from "@wfctl/engine";
import {
  jsonEqual,
  WfctlError,
  type Diagnostic,
  type Json,
  type JsonObject,
  type Plan,
  type ResourceRecord,
  type StackState,
} from "@wfctl/model";
import type { PlanOptions } from "../arguments/shared-flags.ts";
import type { Context } from "../context.ts";
import { maskPlan } from "../views/mask.ts";
import { realClock, realRandom } from "./runtime.ts";
import { stackEnv } from "./stack-env.ts";
import { checkConfig, checkType } from "./check-config.ts";
import { checkReferences } from "./check-references.ts";

export interface PlanningInput {
  readonly command: "apply" | "destroy";
  readonly stack: StackConfig;
  readonly state: StackState;
  readonly providers: ReadonlyMap<string, Provider & { readonly resourceTypes?: readonly string[] }>;
  readonly digester: Digester;
  readonly options: PlanOptions;
  readonly context: Pick<Context, "env">;
  readonly runId: string;
  readonly signal: AbortSignal;
}

/**
 * Plans a stack. Where resources do not fit the schema of their type, have a type that their provider does not know, or
 * refer to outputs that do not exist, the plan is still made, and the errors come with it.
 */
export async function makePlan(input: PlanningInput): Promise<Planned> {
  const { command, stack, state, providers, options } = input;
  checkNames(input);
  const desired = command === "destroy" ? [] : stack.resources;
  const invalid = [
    ...desired.flatMap((resource) => {
      const provider = providers.get(resource.provider);
      return [...checkType(resource, stack, provider), ...checkConfig(resource, stack, provider)];
    }),
    ...(command === "destroy" ? [] : checkReferences({ stack, providers, records: state.records })),
  ];
  const planned = await planStack({
    command,
    stack: { name: stack.name, environment: stack.environment },
    desired,
    moved: command === "destroy" ? [] : stack.moved,
    imports: command === "destroy" ? [] : stack.imports,
    state,
    providers,
    env: stackEnv(stack, input.context),
    ...(stack.secrets.missing === undefined ? {} : { missing: stack.secrets.missing }),
    bounded: boundExpressions(),
    onFailure: options.onFailure ?? stack.onFailure ?? "continue",
    refresh: options.refresh,
    replace: options.replace,
    allowReplace: options.allowReplace,
    ...(options.include === undefined ? {} : { include: options.include }),
    ...(options.exclude === undefined ? {} : { exclude: options.exclude }),
    ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
    clock: realClock,
    random: realRandom,
    digester: input.digester,
    runId: input.runId,
    signal: input.signal,
  });
  const told = new Set(invalid.map(placeOf));
  const found = planned.diagnostics.filter(
    (diagnostic) => diagnostic.path === undefined || !told.has(placeOf(diagnostic)),
  );
  const diagnostics = [...invalid, ...found].map((diagnostic) => withPlace(diagnostic, stack));
  return { ...planned, diagnostics };
}

function placeOf({ code, address, path }: Diagnostic): string {
  return JSON.stringify([code, address, path]);
}

/** The plan as it may be shown: without secrets, unless they are asked for. */
export function showable(plan: Plan, providers: ReadonlyMap<string, Provider>, showSensitive = false): Plan {
  if (showSensitive) return plan;
  return maskPlan(plan, (action) => {
    if (action.desired === undefined) return [];
    return sensitivePointersOf(
      action.desired.config as JsonObject,
      providers.get(action.provider)?.traits(action.type),
    );
  });
}

/** What a reader of the plan should know beside it: what is still open, and what changes in the state alone. */
export function describeSurroundings(stack: StackConfig, state: StackState, settle: Planned["settle"]): string[] {
  const notes = state.openRuns.map((run) => {
    const inFlight = run.openIntents.map((intent) => `${intent.operation} ${intent.name}`);
    const what = inFlight.length === 0 ? "" : ` (in flight: ${inFlight.join(", ")})`;
    return `Run ${run.header.id} has not ended${what}. Apply resolves it first, and what it finds may change this plan.`;
  });
  for (const module of goneModules(stack, state)) {
    notes.push(
      `Provider module "${module}" is not in the stack file any more: what it made is reached with the configuration that the state keeps.`,
    );
  }
  for (const { from, to } of stack.moved) {
    if (state.records.has(from) && !state.records.has(to)) notes.push(`"${from}" goes on as "${to}" in the state.`);
  }
  for (const provider of state.finalizeOwed) {
    notes.push(`The finalizer of "${provider}" is owed by an earlier run: apply calls it.`);
  }
  const settled = settle.filter(
    (change) => "put" in change && isNews(change.put, state.records.get(change.put.name)),
  ).length;
  if (settled > 0) {
    notes.push(
      `${settled} ${settled === 1 ? "record is" : "records are"} brought up to date in the state; no object is changed for that.`,
    );
  }
  return notes;
}

/** Modules of recorded resources that the stack file does not have. */
function goneModules(stack: StackConfig, state: StackState): string[] {
  const known = new Set(stack.providers.map((module) => module.name));
  const wanted = new Set(stack.resources.map((resource) => resource.name));
  const gone = new Set<string>();
  for (const record of state.records.values()) {
    const isForgotten = record.retain && !wanted.has(record.name);
    if (!known.has(record.provider) && record.provider !== secretsProvider && !isForgotten) gone.add(record.provider);
  }
  return [...gone].toSorted();
}

/** That a record was read and found as it was is not worth a word. */
function isNews(now: ResourceRecord, before: ResourceRecord | undefined): boolean {
  if (before === undefined) return false;
  const told = ({ readAt: _readAt, revisitAt: _revisitAt, ...rest }: ResourceRecord): Json => rest as unknown as Json;
  return !jsonEqual(told(now), told(before));
}

export function countErrors(diagnostics: readonly Diagnostic[]): number {
  return diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
}

function withPlace(diagnostic: Diagnostic, stack: StackConfig): Diagnostic {
  if (diagnostic.address === undefined || diagnostic.path === undefined) return diagnostic;
  const source = stack.locate(diagnostic.address, diagnostic.path);
  return source === undefined ? diagnostic : { ...diagnostic, source };
}

/** A misspelt name in a flag would select nothing, and that would look like nothing to do. */
function checkNames({ stack, state, options }: PlanningInput): void {
  const known = new Set([
    ...stack.resources.map((resource) => resource.name),
    ...state.records.keys(),
    ...state.unknown.keys(),
  ]);
  const { include, exclude, replace } = options;
  const given = { include, exclude, replace, "allow-replace": options.allowReplace };
  for (const [flag, names] of Object.entries(given)) {
    for (const name of names ?? []) {
      if (known.has(name)) continue;
      throw new WfctlError("USAGE", `Cannot plan: --${flag} names "${name}", and there is no such resource`, {
        hint: suggestHint(name, [...known], "See the names with: wfctl state list"),
      });
    }
  }
}
