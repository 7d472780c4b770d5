import {
  getAtPointer,
  jsonEqual,
  pathToPointer,
  type Intent,
  type Json,
  type JsonObject,
  type ResourceRecord,
  type RunAction,
  type RunState,
  type StackState,
} from "@wfctl/model";
import type { Provider } from "../ports/index.ts";

/** How one action of a run is undone. */
export type UndoStep =
  /** The run made the object: delete it, confirmed by a Read. */
  | { readonly how: "delete"; readonly providerId: string; readonly restore: ResourceRecord | undefined }
  /** Write the inputs before. */
  | {
      readonly how: "update";
      readonly intent: Intent;
      /** The record of an object that was only read before the run took it over. */
      readonly restore?: ResourceRecord;
    }
  /** Nothing in the cloud: put the record back, or take it away. */
  | { readonly how: "record"; readonly before: Intent["before"] }
  /** It is not proven that the run made the object: forget it, give back the record before, and say so. */
  | { readonly how: "forget"; readonly providerId: string; readonly restore: ResourceRecord | undefined }
  /** `stands`: an object of the action is, or may be, there and needs what it refers to. */
  | { readonly how: "none"; readonly why: string; readonly stands: boolean };

export interface PlannedUndo {
  readonly action: RunAction;
  readonly step: UndoStep;
  /** Positions (in the list of undos) that must be undone first: what stands on this resource. */
  readonly after: readonly number[];
}

/** What undoing a run takes, from its journal alone. Actions that left nothing behind are not in the list. */
export function planUndo(run: RunState, state: StackState, providers: ReadonlyMap<string, Provider>): PlannedUndo[] {
  const intents = new Map<number, Intent[]>();
  for (const intent of run.sentIntents) {
    const list = intents.get(intent.action);
    if (list === undefined) intents.set(intent.action, [intent]);
    else list.push(intent);
  }
  const lost = lostObjects(run);
  const undos: { action: RunAction; step: UndoStep; after: number[] }[] = [];
  for (const action of run.header.actions) {
    const outcome = run.outcomes.get(action.index);
    if (outcome?.status === "COMPENSATED") continue;
    const step = stepFor(run, action, intents.get(action.index) ?? [], state, providers.get(action.provider));
    if (step !== undefined) undos.push({ action, step: keepsReferences(step, lost), after: [] });
  }
  undos.push(...keptObjects(run, state, undos));
  const byName = new Map(undos.map((undo, position) => [undo.action.name, position]));
  for (const [position, undo] of undos.entries()) {
    // Recorded edges after the run and before it: whoever stood or stands on this resource is undone first.
    const record = state.records.get(undo.action.name);
    const edges = new Set(record?.dependencies ?? []);
    for (const intent of intents.get(undo.action.index) ?? [])
      for (const name of intent.after?.dependencies ?? []) edges.add(name);
    for (const dependency of edges) {
      const stands = byName.get(dependency);
      if (stands !== undefined && stands !== position) undos[stands]?.after.push(position);
    }
  }
  return undos;
}

/**
 * Objects that a create of the run met: they stay. What such an object refers to was there before it, unless its driver
 * took its own work for somebody else's: so what the run made, and the object may stand on, stays as well.
 */
function keptObjects(
  run: RunState,
  state: StackState,
  undos: readonly { readonly action: RunAction; readonly step: UndoStep }[],
): { action: RunAction; step: UndoStep; after: number[] }[] {
  const made = new Set(undos.flatMap(({ action, step }) => (step.how === "delete" ? [action.name] : [])));
  const met = run.header.actions.filter(({ index, kind, name }) => {
    const record = kind === "create" && metExisting(run, index) ? state.records.get(name) : undefined;
    return record?.run === run.header.id && record.dependencies.some((dependency) => made.has(dependency));
  });
  return met.map((action) => ({ action, step: { how: "none", why: metBefore, stands: true }, after: [] }));
}

const metBefore = "it met an object that it is not proven to have made";

/** Calls of the run whose end is not known. */
export function intentsInDoubt(run: RunState): Intent[] {
  return [...run.openIntents, ...run.unknownIntents.map(({ intent }) => intent)];
}

/** The action sent a create that was refused, or none: what is recorded of it since is an object that it met. */
function metExisting(run: RunState, action: number): boolean {
  return run.outcomes.get(action)?.code === "ALREADY_EXISTS";
}

/** What is known of an object that is deleted. */
type LostObject = Pick<ResourceRecord, "providerId" | "outputs">;

/** Objects that the run has deleted, by resource name: the old ones of create-first replaces as well. */
function lostObjects(run: RunState): ReadonlyMap<string, readonly LostObject[]> {
  const lost = new Map<string, LostObject[]>();
  for (const { operation, deposed, name, before } of run.sentIntents) {
    if (operation !== "delete" || before === undefined) continue;
    const object = deposed === undefined ? before : before.deposed.find(({ providerId }) => providerId === deposed);
    if (object !== undefined) lost.set(name, [...(lost.get(name) ?? []), object]);
  }
  return lost;
}

/** A write-only key that the update was to change: no Read could confirm that it is as before. */
function changedUnread(update: Intent, writeOnly: readonly string[]): string | undefined {
  const valueAt = (inputs: JsonObject | undefined, path: string): Json | undefined =>
    getAtPointer(inputs ?? {}, pathToPointer(path.split(".")));
  return writeOnly.find((path) => {
    const [before, after] = [valueAt(update.before?.inputs, path), valueAt(update.inputs, path)];
    return before === undefined || after === undefined ? before !== after : !jsonEqual(before, after);
  });
}

/** An update back to inputs that name an object which is deleted for good would leave a reference to nothing. */
function keepsReferences(step: UndoStep, lost: ReadonlyMap<string, readonly LostObject[]>): UndoStep {
  const before = step.how === "update" ? step.intent.before : undefined;
  if (before?.inputs === undefined) return step;
  const text = JSON.stringify(before.inputs);
  for (const name of before.dependencies) {
    const values = (lost.get(name) ?? [])
      .flatMap(({ providerId, outputs }) => [providerId, ...Object.values(outputs)])
      .filter((value) => typeof value === "string");
    if (values.some((value) => value.length > 3 && text.includes(JSON.stringify(value).slice(1, -1))))
      return { how: "none", why: `it used "${name}", whose old object is deleted`, stands: true };
  }
  return step;
}

function stepFor(
  run: RunState,
  action: RunAction,
  intents: readonly Intent[],
  state: StackState,
  provider: Provider | undefined,
): UndoStep | undefined {
  const outcome = run.outcomes.get(action.index);
  const record = state.records.get(action.name);
  const wrote = record?.run === run.header.id;
  const image = intents[0]?.before;
  const met = metExisting(run, action.index);
  const inDoubt = intentsInDoubt(run).filter((intent) => intent.phase === "apply");
  if (inDoubt.some((intent) => intent.action === action.index && intent.operation === "create"))
    return { how: "none", why: "what became of its create is not known", stands: true };
  // It may still come to its effect, after the update back.
  if (inDoubt.some((intent) => intent.action === action.index && intent.operation === "update"))
    return { how: "none", why: "what became of its update is not known", stands: true };
  switch (action.kind) {
    case "create": {
      if (record === undefined || !wrote || met) return undefined;
      return { how: record.createdByUs ? "delete" : "forget", providerId: record.providerId, restore: image };
    }
    case "adopt":
    case "import": {
      // An image alone has no record to be: nothing was sent with it.
      const update = intents.find((intent) => intent.operation === "update" && intent.after !== undefined);
      const known = intents.find((intent) => intent.after === undefined)?.before;
      if (update !== undefined && update.before?.inputs !== undefined)
        return { how: "update", intent: update, ...(known === undefined ? {} : { restore: known }) };
      if (update !== undefined)
        return { how: "none", why: "it was updated, and how it was before is not known", stands: true };
      return record === undefined || !wrote ? undefined : { how: "record", before: known };
    }
    case "forget":
    case "read":
      if (outcome?.status !== "SUCCESS") return undefined;
      return { how: "record", before: image };
    case "update": {
      const update = intents.find((intent) => intent.operation === "update");
      if (update === undefined) return undefined;
      if (update.before?.inputs === undefined)
        return { how: "none", why: "no earlier input is recorded", stands: true };
      if (provider?.traits(action.type)?.reversibleUpdate === false)
        return { how: "none", why: `updates of ${action.type} cannot be undone`, stands: true };
      const lost = changedUnread(update, provider?.traits(action.type)?.writeOnly ?? []);
      if (lost !== undefined) return { how: "none", why: `${lost} can be written but not read back`, stands: true };
      return { how: "update", intent: update };
    }
    case "replace": {
      const created = intents.find((intent) => intent.half === "create");
      const deleted = intents.find((intent) => intent.half === "delete");
      const oldStands = created?.before !== undefined && deleted === undefined;
      if (created === undefined && deleted === undefined) return undefined;
      if (!oldStands || created === undefined)
        return {
          how: "none",
          why: "the old object is deleted",
          stands: created !== undefined || (met && record !== undefined),
        };
      if (record === undefined || record.providerId === created.before?.providerId) {
        return { how: "record", before: created.before };
      }
      if (met) return { how: "none", why: metBefore, stands: true };
      const how = record.createdByUs ? "delete" : "forget";
      return { how, providerId: record.providerId, restore: created.before };
    }
    case "delete":
      return intents.length === 0 && outcome?.status !== "SUCCESS"
        ? undefined
        : { how: "none", why: "a deleted object does not come back", stands: false };
  }
}
