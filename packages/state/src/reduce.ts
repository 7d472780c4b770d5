import { WfctlError, type JournalEvent, type OwedHook, type RecordChange, type ResourceRecord } from "@wfctl/model";
import { createRunDraft, type IntentKey, type RunDraft, type StackDraft, type UnknownIntent } from "./draft.ts";

/**
 * The meaning of the journal, in one place. Every store and every replay check uses it.
 *
 * Rules beyond what the event types say:
 * - The serial grows by one per *commit call* that carries a record change (`changesRecord`), however calls are
 *   grouped into transactions.
 * - Intents are keyed by (run, action, half, phase); a later attempt takes the place of the earlier one.
 * - `half` closes the apply intent of that half; `outcome` closes all intents of the action, open and unknown, of both
 *   phases, unless `keepIntents`; `intent-closed` closes the one it names.
 * - When a run closes, its open and unknown intents move to `StackState.unknown`. From there they are closed by an
 *   `intent-closed` (or `half`, or `outcome`) that carries the ORIGINAL run, action, half and phase, in whatever run
 *   the command itself works. A `record` event closes nothing. Of several unknown intents of one resource the newest
 *   shows; closing it uncovers the one before.
 * - When a run closes, the finalizers it still owes move to `StackState.finalizeOwed`. A `finalize-done` without
 *   errors, of any run, settles the provider there and in its own run; one with errors leaves it owed.
 * - `hooksOwed` grows by `half` with `hooksOwed` and shrinks by `hooks-done` only. When a run closes, the hooks it still
 *   owes move to `StackState.hooksOwed`, where both events, with the ORIGINAL run and action, add and settle them.
 * - Provider configurations that no record, deposed object, unknown intent or owed finalizer names are dropped when
 *   the last open run closes.
 * - Events of a run that is not open change records, unknown intents and owed finalizers; the run itself changes
 *   only where its history is kept. Which events such a run may still have: see `admission.ts`.
 */

/** Why an intent is unknown that nobody had looked into when its run closed. */
export const closedOpen = "the run closed before the end of the call was known";

/** The record change that an event carries. */
export function recordChangeOf(event: JournalEvent): RecordChange | undefined {
  switch (event.kind) {
    case "intent":
      return event.record === undefined ? undefined : { put: event.record };
    case "outcome":
    case "half":
    case "intent-closed":
    case "record":
      return event.record;
    default:
      return undefined;
  }
}

/** True where the commit of these events makes the serial grow. */
export function changesRecord(events: readonly JournalEvent[]): boolean {
  return events.some((event) => recordChangeOf(event) !== undefined);
}

/** The run an event belongs to; undefined for `provider-config`, which belongs to the stack. */
export function runOf(event: JournalEvent): string | undefined {
  switch (event.kind) {
    case "run-started":
      return event.run.id;
    case "intent":
      return event.intent.run;
    case "provider-config":
      return undefined;
    default:
      return event.run;
  }
}

export function intentKey(of: { readonly action: number; readonly half: string; readonly phase: string }): IntentKey {
  return `${of.action}:${of.half}:${of.phase}`;
}

/** Applies one commit. The caller has admitted the events; on a throw the draft is spoiled. */
export function applyCommit(draft: StackDraft, events: readonly JournalEvent[]): number {
  if (changesRecord(events)) draft.serial += 1;
  for (const event of events) applyEvent(draft, event);
  return draft.serial;
}

/** Applies one event at the draft's present serial. */
export function applyEvent(draft: StackDraft, event: JournalEvent): void {
  const change = recordChangeOf(event);
  if (change !== undefined) applyRecordChange(draft.records, change);
  if (event.kind === "provider-config") {
    draft.providerConfigs.set(event.provider, { name: event.name, config: event.config });
    return;
  }
  if (event.kind === "run-started") {
    draft.runCount += 1;
    draft.openRuns.set(event.run.id, createRunDraft(event.run, draft.runCount, draft.serial));
    return;
  }
  const id = runOf(event)!;
  const run = draft.openRuns.get(id);
  if (run !== undefined) {
    applyToRun(run, event, draft.serial);
    if (event.kind === "run-closed") closeRun(draft, run);
  } else {
    applyToUnknown(draft.unknown, event);
    applyToOwedHooks(draft.hooksOwed, event);
    const past = draft.history?.get(id);
    if (past !== undefined) applyToRun(past, event, draft.serial);
  }
  if (event.kind === "finalize-done" && event.errors.length === 0) draft.finalizeOwed.delete(event.provider);
}

function applyRecordChange(records: Map<string, ResourceRecord>, change: RecordChange): void {
  if ("put" in change) records.set(change.put.name, change.put);
  else records.delete(change.remove);
}

function closeRun(draft: StackDraft, run: RunDraft): void {
  const id = run.header.id;
  draft.openRuns.delete(id);
  draft.history?.set(id, run);
  for (const [key, unknown] of leftOpen(run)) draft.unknown.set(`${id}:${key}`, unknown);
  for (const provider of run.finalizeOwed) draft.finalizeOwed.add(provider);
  for (const action of run.hooksOwed) {
    draft.hooksOwed.set(hookKey(id, action), { run: id, action, name: run.header.actions[action]?.name ?? "" });
  }
  if (draft.openRuns.size === 0) dropUnusedConfigs(draft);
}

/** What a run that closes leaves in doubt: unknown intents first, then those still open, each in order of dispatch. */
export function* leftOpen(run: RunDraft): Generator<[IntentKey, UnknownIntent]> {
  yield* run.unknown;
  for (const [key, intent] of run.open) yield [key, { intent, why: closedOpen }];
}

export function hookKey(run: string, action: number): string {
  return `${run}:${action}`;
}

/** Applies an event of a closed run to the hooks that closed runs owe. */
function applyToOwedHooks(owed: Map<string, OwedHook>, event: JournalEvent): void {
  if (event.kind === "hooks-done") owed.delete(hookKey(event.run, event.action));
  if (event.kind !== "half" || event.hooksOwed !== true) return;
  const { run, action, record } = event;
  owed.set(hookKey(run, action), { run, action, name: "put" in record ? record.put.name : record.remove });
}

function dropUnusedConfigs(draft: StackDraft): void {
  if (draft.providerConfigs.size === 0) return;
  const used = new Set(draft.finalizeOwed);
  for (const record of draft.records.values()) for (const provider of providersOf(record)) used.add(provider);
  for (const { intent } of draft.unknown.values()) used.add(intent.provider);
  for (const provider of draft.providerConfigs.keys()) if (!used.has(provider)) draft.providerConfigs.delete(provider);
}

/** Provider modules that own the record's objects, each once. */
export function providersOf(record: ResourceRecord): string[] {
  if (record.deposed.length === 0) return [record.provider];
  return [...new Set([record.provider, ...record.deposed.map((object) => object.provider)])];
}

/** Applies an event of a closed run to the intents that closed runs left in doubt. */
function applyToUnknown(unknown: Map<string, UnknownIntent>, event: JournalEvent): void {
  switch (event.kind) {
    case "intent-closed":
      unknown.delete(`${event.run}:${intentKey(event)}`);
      break;
    case "half":
      unknown.delete(`${event.run}:${intentKey({ ...event, phase: "apply" })}`);
      break;
    case "outcome": {
      if (event.keepIntents === true) break;
      const prefix = `${event.run}:${event.outcome.action}:`;
      for (const key of unknown.keys()) if (key.startsWith(prefix)) unknown.delete(key);
      break;
    }
    case "intent-unknown": {
      const key = `${event.run}:${intentKey(event)}`;
      const entry = unknown.get(key);
      if (entry !== undefined) unknown.set(key, { intent: entry.intent, why: event.why });
      break;
    }
    default:
  }
}

/** Applies an event to its own run. `serial` is the stack's serial after the commit that holds the event. */
export function applyToRun(run: RunDraft, event: JournalEvent, serial: number): void {
  if (recordChangeOf(event) !== undefined) run.lastSerial = serial;
  switch (event.kind) {
    case "plugin-started":
      run.plugins.push(event.process);
      break;
    case "intent": {
      const key = intentKey(event.intent);
      run.unknown.delete(key);
      run.open.set(key, event.intent);
      if (event.intent.phase === "apply") run.sent.set(key, event.intent);
      break;
    }
    case "intent-closed":
      run.open.delete(intentKey(event));
      run.unknown.delete(intentKey(event));
      break;
    case "intent-unknown": {
      const key = intentKey(event);
      const intent = run.open.get(key) ?? run.unknown.get(key)?.intent;
      if (intent === undefined) break;
      run.open.delete(key);
      run.unknown.set(key, { intent, why: event.why });
      break;
    }
    case "half": {
      const key = intentKey({ ...event, phase: "apply" });
      run.open.delete(key);
      run.unknown.delete(key);
      run.halvesDone.add(`${event.action}:${event.half}`);
      if (event.hooksOwed === true) run.hooksOwed.add(event.action);
      break;
    }
    case "outcome":
      run.outcomes.set(event.outcome.action, event.outcome);
      if (event.keepIntents !== true) closeIntents(run, event.outcome.action);
      break;
    case "hooks-done":
      run.hooksOwed.delete(event.action);
      break;
    case "finalize-owed":
      run.finalizeOwed.add(event.provider);
      break;
    case "finalize-done":
      if (event.errors.length === 0) run.finalizeOwed.delete(event.provider);
      run.finalizeErrors.push(...event.errors);
      break;
    case "cleanup-started":
      run.cleanupStarted = true;
      break;
    case "undo-started":
      run.undo = { actions: event.actions, skip: event.skip };
      break;
    case "run-closed":
      run.closed = {
        end: event.end,
        at: event.at,
        ...(event.error === undefined ? {} : { error: event.error }),
      };
      break;
    case "record":
    case "run-started":
    case "provider-config":
      break;
    default:
      throw new WfctlError("STORE_CORRUPT", `Unknown journal event '${String((event as { kind?: unknown }).kind)}'`);
  }
}

function closeIntents(run: RunDraft, action: number): void {
  for (const half of ["main", "create", "delete"] as const) {
    for (const phase of ["apply", "undo"] as const) {
      const key = intentKey({ action, half, phase });
      run.open.delete(key);
      run.unknown.delete(key);
    }
  }
}
