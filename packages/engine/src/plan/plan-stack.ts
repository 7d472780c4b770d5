import {
  WfctlError,
  isDestructive,
  type DesiredResource,
  type Diagnostic,
  type Json,
  type JsonObject,
  type OnFailure,
  type Plan,
  type PlanAction,
  type PlanNote,
  type PlannedProvider,
  type ResourceRecord,
  type StackState,
} from "@wfctl/model";
import { topologicalOrder } from "../graph/topology.ts";
import type { Clock, Digester, EnvironmentVariables, Provider, Random } from "../ports/index.ts";
import { decide, describeProviderFailure, type Decision } from "./decide.ts";
import { applyMoves } from "./moves.ts";
import { buildNodes } from "./nodes.ts";
import { isProtected, protectionDiagnostics } from "./protection.ts";
import { renameNotes } from "./rename-notes.ts";
import { settleReplaceModes } from "./replace-modes.ts";
import { dependenciesOf, type OutputSource } from "./resolve.ts";
import { reversibilityOf } from "./undo.ts";

export interface PlanInput {
  readonly command: "apply" | "destroy";
  readonly stack: { readonly name: string; readonly environment: string };
  /** What the configuration wants; empty for destroy. */
  readonly desired: readonly DesiredResource[];
  readonly moved: readonly { readonly from: string; readonly to: string }[];
  readonly state: StackState;
  /** Started providers by module name: of every desired resource, and of every record that may have to go. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly env: EnvironmentVariables;
  readonly onFailure: OnFailure;
  /** Read every recorded object. */
  readonly refresh: boolean;
  /** Resources to replace whatever their diff says. */
  readonly replace: ReadonlySet<string>;
  /** Protected resources whose delete this run may plan. */
  readonly allowReplace: ReadonlySet<string>;
  /** Only these resources are acted on; undefined means all. */
  readonly include?: ReadonlySet<string>;
  /** Calls that planning may have open at once. @default 10 */
  readonly parallelism?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly digester: Digester;
  readonly runId: string;
  readonly signal?: AbortSignal;
}

export interface Planned {
  readonly plan: Plan;
  /** Errors: the plan must not run. Warnings: it may. */
  readonly diagnostics: readonly Diagnostic[];
  /** Records that changed without any action (edges, protection, refreshed outputs, moves): written when the run starts. */
  readonly settle: readonly ({ readonly put: ResourceRecord } | { readonly remove: string })[];
}

type Draft = Omit<PlanAction, "index" | "after">;

/** Compares what is wanted with what is recorded (and, where the record is not to be trusted, with the cloud). Changes nothing. */
export async function planStack(input: PlanInput): Promise<Planned> {
  const moves = applyMoves(input.state.records, input.moved, input.desired);
  const records = moves.records;
  const desiredByName = new Map(input.desired.map((resource) => [resource.name, resource]));
  const dependencies = new Map(input.desired.map((resource) => [resource.name, dependenciesOf(resource)]));
  const order = topologicalOrder(
    input.desired.map((resource) => resource.name),
    (name) => dependencies.get(name) ?? [],
  ).map((name) => desiredByName.get(name) as DesiredResource);
  const diagnostics: Diagnostic[] = [...moves.diagnostics];
  const notes: PlanNote[] = [];

  const decisions = await decideAll(order, dependencies, records, input, diagnostics, notes);
  const { modes, notes: modeNotes } = settleReplaceModes(
    order,
    decisions,
    (name) => dependencies.get(name) ?? [],
    (resource) => {
      const traits = input.providers.get(resource.provider)?.traits(resource.type);
      return traits?.createFirst === true || resource.lifecycle.replace === "create-first";
    },
  );
  notes.push(...modeNotes);

  const drafts: Draft[] = [];
  const settle = [...moves.changes];
  let unchanged = 0;
  for (const resource of order) {
    const decision = decisions.get(resource.name);
    if (decision === undefined) continue;
    if (decision.kind === "none") {
      unchanged += 1;
      if (decision.settle !== undefined) settle.push({ put: decision.settle });
      continue;
    }
    drafts.push(draftAction(resource, decision, modes.get(resource.name), records.get(resource.name), input));
  }
  const excluded = (name: string): boolean => input.include !== undefined && !input.include.has(name);
  for (const record of deletionOrder(records)) {
    if (excluded(record.name)) continue;
    if (!desiredByName.has(record.name)) {
      if (input.state.unknown.has(record.name)) notes.push(unknownNote(record.name, input.state));
      else drafts.push(draftRemoval(record, input));
    }
    for (const old of record.deposed) drafts.push(draftDeposed(record, old.providerId, input));
  }
  for (const name of input.state.unknown.keys()) {
    if (!records.has(name) && !desiredByName.has(name)) notes.push(unknownNote(name, input.state));
  }

  const blocked = drafts.filter(
    (draft) =>
      isDestructive(draft.kind) &&
      draft.deposed === undefined &&
      isProtected(records.get(draft.name), draft.desired) &&
      !input.allowReplace.has(draft.name),
  );
  diagnostics.push(...protectionDiagnostics(blocked));
  notes.push(...renameNotes(drafts, records));
  const nodes = buildNodes(drafts, (name) => dependencies.get(name) ?? records.get(name)?.dependencies ?? [], records);
  const after = actionOrder(drafts.length, nodes);
  const actions = drafts.map((draft, index): PlanAction => ({ index, ...draft, after: after[index] as number[] }));
  const plan = finishPlan(input, { actions, nodes, notes, unchanged, records });
  return { plan, diagnostics, settle };
}

async function decideAll(
  order: readonly DesiredResource[],
  dependencies: ReadonlyMap<string, readonly string[]>,
  records: ReadonlyMap<string, ResourceRecord>,
  input: PlanInput,
  diagnostics: Diagnostic[],
  notes: PlanNote[],
): Promise<ReadonlyMap<string, Decision>> {
  const decisions = new Map<string, Decision>();
  const pending = new Map<string, Promise<void>>();
  const call = createGate(input.parallelism ?? 10);
  const sizings = new Map<string, Promise<JsonObject | undefined> | JsonObject | undefined>();
  const source = (name: string): OutputSource => {
    const decision = decisions.get(name);
    if (decision !== undefined) return decision.outputs;
    return { record: records.get(name), known: records.has(name) ? "known" : "unknown" };
  };
  const settleDecision = (resource: DesiredResource, decision: Decision): void => {
    decisions.set(resource.name, decision);
    for (const missing of decision.missing) {
      diagnostics.push({
        severity: "error",
        code: "REFERENCE_UNRESOLVED",
        address: resource.name,
        path: `/config${missing.pointer}`,
        summary: `Cannot resolve "\${${missing.part}}" in "${resource.name}": ${missing.part.includes(".") ? "the resource exists and has no such output" : "the environment variable is not set"}`,
        hint: missing.part.includes(".")
          ? `Compare with "wfctl outputs", or correct the name of the output`
          : `Set ${missing.part} and try again`,
        ...(resource.source === undefined ? {} : { source: resource.source }),
      });
    }
  };
  const fail = (resource: DesiredResource, thrown: unknown): void => {
    const error = describeProviderFailure("plan", resource, thrown);
    diagnostics.push({
      severity: "error",
      code: error.code,
      address: resource.name,
      summary: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(resource.source === undefined ? {} : { source: resource.source }),
    });
  };
  const start = (resource: DesiredResource): Promise<void> | undefined => {
    if (input.state.unknown.has(resource.name)) {
      notes.push(unknownNote(resource.name, input.state));
      return undefined;
    }
    if (input.include !== undefined && !input.include.has(resource.name)) return undefined;
    const provider = input.providers.get(resource.provider);
    if (provider === undefined) throw new WfctlError("INTERNAL", `Provider "${resource.provider}" was not started`);
    try {
      const decision = decide(resource, {
        input,
        source,
        provider,
        record: records.get(resource.name),
        call,
        sizing: (from, sized) => sizingOf(from, sized, sizings, input),
      });
      if (!(decision instanceof Promise)) {
        settleDecision(resource, decision);
        return undefined;
      }
      return decision.then(
        (settled) => settleDecision(resource, settled),
        (thrown: unknown) => fail(resource, thrown),
      );
    } catch (thrown) {
      fail(resource, thrown);
      return undefined;
    }
  };
  for (const resource of order) {
    const waits = (dependencies.get(resource.name) ?? []).flatMap((name) => pending.get(name) ?? []);
    const work = waits.length === 0 ? start(resource) : Promise.all(waits).then(() => start(resource));
    if (work !== undefined)
      pending.set(
        resource.name,
        work.then(() => undefined),
      );
  }
  await Promise.all(pending.values());
  return decisions;
}

function sizingOf(
  provider: Provider,
  resource: DesiredResource,
  cache: Map<string, Promise<JsonObject | undefined> | JsonObject | undefined>,
  input: PlanInput,
): Promise<JsonObject | undefined> | JsonObject | undefined {
  const key = JSON.stringify([provider.module, resource.type, resource.size, resource.hints ?? null]);
  if (cache.has(key)) return cache.get(key);
  const work = provider
    .resolveSizing(resource.type, resource.size ?? "", resource.hints, { timeoutMs: 120_000, run: input.runId })
    .then((reply) => {
      const added: JsonObject | undefined =
        reply === undefined
          ? undefined
          : { ...(reply.instanceType === "" ? {} : { instance_type: reply.instanceType }), ...reply.specs };
      cache.set(key, added);
      return added;
    });
  cache.set(key, work);
  return work;
}

function draftAction(
  resource: DesiredResource,
  decision: Decision,
  replaceMode: PlanAction["replaceMode"],
  record: ResourceRecord | undefined,
  input: PlanInput,
): Draft {
  if (decision.kind === "none") throw new WfctlError("INTERNAL", "An unchanged resource has no action");
  const provider = input.providers.get(resource.provider);
  const acted = decision.kind === "create" ? undefined : record;
  return {
    kind: decision.kind,
    name: resource.name,
    type: resource.type,
    provider: resource.provider,
    desired: resource,
    ...(decision.sizing === undefined ? {} : { sizing: decision.sizing }),
    ...(acted === undefined ? {} : { prior: priorOf(acted) }),
    changes: decision.changes,
    reasons: decision.reasons,
    ...(replaceMode === undefined ? {} : { replaceMode }),
    ...(decision.force === true ? { force: true } : {}),
    undo: reversibilityOf({
      kind: decision.kind,
      replaceMode,
      changes: decision.changes,
      prior: record,
      traits: provider?.traits(resource.type),
      features: provider?.features,
    }),
    unknown: decision.unknown,
  };
}

function draftRemoval(record: ResourceRecord, input: PlanInput): Draft {
  const kind = record.retain ? "forget" : "delete";
  const reason = input.command === "destroy" ? "the stack is destroyed" : "the configuration does not name it any more";
  return {
    kind,
    name: record.name,
    type: record.type,
    provider: record.provider,
    prior: priorOf(record),
    changes: [],
    reasons: kind === "forget" ? [reason, "it is kept in the cloud"] : [reason],
    undo: reversibilityOf({ kind, changes: [], prior: record, traits: undefined, features: undefined }),
    unknown: [],
  };
}

function draftDeposed(record: ResourceRecord, providerId: string, input: PlanInput): Draft {
  const old = record.deposed.find((candidate) => candidate.providerId === providerId);
  if (old === undefined) throw new WfctlError("INTERNAL", `No deposed object ${providerId} of "${record.name}"`);
  return {
    kind: "delete",
    name: record.name,
    type: old.type,
    provider: input.providers.has(old.provider) ? old.provider : record.provider,
    prior: { providerId, type: old.type, provider: old.provider, updatedAt: record.updatedAt },
    deposed: providerId,
    changes: [],
    reasons: ["an earlier replace left this old object"],
    undo: { undo: "no", why: "a deleted object does not come back" },
    unknown: [],
  };
}

function priorOf(record: ResourceRecord): NonNullable<PlanAction["prior"]> {
  return { providerId: record.providerId, type: record.type, provider: record.provider, updatedAt: record.updatedAt };
}

function unknownNote(name: string, state: StackState): PlanNote {
  const entry = state.unknown.get(name);
  return {
    name,
    code: "UNKNOWN_RESOURCE",
    text: `"${name}" is not touched: what became of its ${entry?.intent.operation ?? "last call"} is not known (${entry?.why ?? "no answer"}). It is looked for again by each run; "wfctl state resolve ${name} --id ID" or "--absent" settles it`,
  };
}

/** Records so that dependents come before what they depend on; ties by name. */
function deletionOrder(records: ReadonlyMap<string, ResourceRecord>): ResourceRecord[] {
  const names = [...records.keys()].toSorted();
  let order: string[];
  try {
    order = topologicalOrder(names, (name) => records.get(name)?.dependencies ?? []);
  } catch {
    // Recorded edges can only be circular in a foreign or repaired state: any order is as good as another.
    order = names;
  }
  return order.toReversed().map((name) => records.get(name) as ResourceRecord);
}

function actionOrder(
  count: number,
  nodes: readonly { readonly action: number; readonly after: readonly number[] }[],
): number[][] {
  const after = Array.from({ length: count }, () => new Set<number>());
  for (const node of nodes) {
    for (const before of node.after) {
      const action = (nodes[before] as { action: number }).action;
      if (action !== node.action) (after[node.action] as Set<number>).add(action);
    }
  }
  return after.map((set) => [...set].toSorted((a, b) => a - b));
}

function finishPlan(
  input: PlanInput,
  made: Pick<Plan, "actions" | "nodes" | "notes" | "unchanged"> & {
    readonly records: ReadonlyMap<string, ResourceRecord>;
  },
): Plan {
  const used = new Set(
    made.actions.flatMap((action) => [action.provider, ...(action.prior === undefined ? [] : [action.prior.provider])]),
  );
  for (const resource of input.desired) used.add(resource.provider);
  const providers = [...input.providers.values()]
    .filter((provider) => used.has(provider.module))
    .map((provider): PlannedProvider => ({
      module: provider.module,
      name: provider.name,
      version: provider.version,
      ...(provider.identity === undefined ? {} : { identity: provider.identity }),
      schemaDigest: provider.schemaDigest,
    }));
  const reads = [...made.records.values()].flatMap((record) => record.readAt ?? []).toSorted();
  // Where a resource is written decides nothing: an added comment, or another working folder, leaves the digests as they are.
  const configDigest = input.digester.digest(
    input.desired.map(({ source: _source, ...wanted }) => wanted) as unknown as Json,
  );
  const bound = {
    command: input.command,
    stack: { ...input.stack, lineage: input.state.lineage },
    serial: input.state.serial,
    configDigest,
    providers,
    actions: made.actions,
    nodes: made.nodes,
    onFailure: input.onFailure,
    notes: made.notes,
    unchanged: made.unchanged,
    ...(reads.length === 0 ? {} : { readAt: { oldest: reads[0] as string, newest: reads.at(-1) as string } }),
  };
  return {
    id: `plan-${input.random.id()}`,
    createdAt: new Date(input.clock.now()).toISOString(),
    ...bound,
    digest: input.digester.digest({
      ...bound,
      // The wanted resources are in the digest of the configuration already.
      actions: made.actions.map(({ desired: _desired, ...action }) => action),
    } as unknown as Json),
  };
}

/** Lets at most `limit` pieces of work run at once, in the order they came. */
export function createGate(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let open = 0;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) open -= 1;
    else next();
  };
  return async (work) => {
    if (open < limit) open += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      release();
    }
  };
}
