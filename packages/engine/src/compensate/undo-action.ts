import {
  WfctlError,
  type JsonObject,
  type Outcome,
  type PlanAction,
  type RecordChange,
  type ResourceRecord,
  type RunAction,
} from "@wfctl/model";
import { settleDelete, settleWrite } from "../apply/call-ends.ts";
import { asProviderError, sendWithRetries } from "../apply/dispatch.ts";
import type { Slot } from "../apply/intent.ts";
import { sendWithIntent } from "../apply/operate.ts";
import { confirmGone, readObject } from "../apply/read-object.ts";
import { withoutMark, withoutObject } from "../apply/records.ts";
import type { Run } from "../apply/run.ts";
import type { LiveObject, Provider, Spec } from "../ports/index.ts";
import { refreshRecord } from "../plan/record-live.ts";
import type { UndoStep } from "./undo-steps.ts";

/** How the undo of one action ended, and what the record is then. */
export interface UndoEnd {
  readonly status: Extract<Outcome["status"], "COMPENSATED" | "COMPENSATION_FAILED">;
  readonly message: string;
  readonly record?: RecordChange;
  /** The undo call has no known end: its intent stays open. */
  readonly keepIntents?: boolean;
}

const noSlot: Slot = { waiting: () => undefined };

/** Undoes one action. COMPENSATED only after a Read confirmed it; every step may be repeated after a kill. */
export async function undoAction(run: Run, action: RunAction, index: number, step: UndoStep): Promise<UndoEnd> {
  try {
    switch (step.how) {
      case "none":
        return { status: "COMPENSATION_FAILED", message: `Cannot be undone: ${step.why}` };
      case "forget":
        return {
          status: "COMPENSATION_FAILED",
          message: `Forgotten, not deleted: it is not proven that this run created the object (${action.type}, id ${step.providerId}). Look whose it is, then delete it by hand, or take it over with: wfctl import ${action.name} ${step.providerId}`,
          record: changeAfter(run, action, step),
        };
      case "record":
        return {
          status: "COMPENSATED",
          message: "The record is as it was before the run",
          record: step.before === undefined ? { remove: action.name } : { put: step.before },
        };
      case "delete":
        return await undoCreate(run, action, index, step);
      case "update":
        return await undoUpdate(run, action, index, step);
    }
  } catch (thrown) {
    if (thrown instanceof WfctlError) throw thrown;
    return { status: "COMPENSATION_FAILED", message: asProviderError(thrown).message };
  }
}

async function undoCreate(
  run: Run,
  action: RunAction,
  index: number,
  step: Extract<UndoStep, { how: "delete" }>,
): Promise<UndoEnd> {
  const provider = providerOf(run, action);
  const record = run.records.get(action.name);
  if (record === undefined) return { status: "COMPENSATED", message: "Nothing of it is left" };
  const change = changeAfter(run, action, step);
  const ref = { type: record.type, name: action.name, providerId: step.providerId };
  if ((await readObject(run, provider, ref)) !== undefined) {
    const sent = await sendWithIntent(run, {
      operation: "delete",
      half: "main",
      phase: "undo",
      provider,
      action: planActionOf(action, index),
      type: record.type,
      providerId: step.providerId,
      before: record,
      markDirty: undoDidNotEnd,
      priority: 0,
      slot: noSlot,
    });
    const end = settleDelete(sent, change);
    if (end.status !== "SUCCESS") return failed(end.message ?? "the delete failed", end.keepIntents);
    if (!(await confirmGone(run, provider, ref))) return failed("The object is still there after its delete");
  }
  return { status: "COMPENSATED", message: "The created object is deleted again", record: change };
}

async function undoUpdate(
  run: Run,
  action: RunAction,
  index: number,
  step: Extract<UndoStep, { how: "update" }>,
): Promise<UndoEnd> {
  const { intent } = step;
  const provider = providerOf(run, action);
  const { before } = intent;
  if (before?.inputs === undefined) return failed("Cannot be undone: no earlier input is recorded");
  const inputs = inputsBefore(before.inputs, intent.inputs, intent.liveInputs);
  const sensitiveInputs = [...new Set([...before.sensitiveInputs, ...intent.sensitiveInputs])];
  const target: ResourceRecord = restored({ ...before, inputs, sensitiveInputs });
  const spec: Spec = {
    name: action.name,
    type: before.type,
    config: inputs,
    ...(before.size === undefined ? {} : { size: before.size }),
    dependsOn: before.dependencies,
  };
  const ref = { type: before.type, name: action.name, providerId: before.providerId };
  let live = await readObject(run, provider, ref);
  if (live === undefined) return failed("The object is not there any more");
  // Where Read gives no inputs a quiet diff may only mean that the object does not show what differs.
  if (live.inputs === undefined || !(await isQuiet(run, provider, spec, live))) {
    const sent = await sendWithIntent(run, {
      operation: "update",
      half: "main",
      phase: "undo",
      provider,
      action: planActionOf(action, index),
      type: before.type,
      providerId: before.providerId,
      write: { spec, sensitive: sensitiveInputs, after: target },
      before: run.records.get(action.name) ?? before,
      markDirty: undoDidNotEnd,
      priority: 0,
      slot: noSlot,
    });
    const end = settleWrite(run, { ...planActionOf(action, index), kind: "update" }, sent, before);
    if (end.status !== "SUCCESS") return failed(end.message ?? "the update failed", end.keepIntents);
    live = await readObject(run, provider, ref);
    if (live === undefined || !(await isQuiet(run, provider, spec, live)))
      return failed("A read after the update back still shows a difference");
  }
  // Its outputs need not be those of before.
  const found = refreshRecord(target, live, new Date(run.deps.clock.now()).toISOString());
  return {
    status: "COMPENSATED",
    message: "Updated back to the inputs before the run",
    // What was only read before the run is that again; what was not recorded is forgotten.
    record:
      action.kind !== "adopt" && action.kind !== "import"
        ? { put: found }
        : step.restore === undefined
          ? { remove: action.name }
          : { put: step.restore },
  };
}

/** The record without the object of the run: that of before, or of an older object that is still to be deleted, or none. */
function changeAfter(run: Run, action: RunAction, step: Extract<UndoStep, { how: "delete" | "forget" }>): RecordChange {
  const record = run.records.get(action.name);
  const { restore } = step;
  if (restore === undefined)
    return record === undefined ? { remove: action.name } : withoutObject(record, step.providerId);
  // What the run has deleted of the old objects is gone.
  const deposed = restore.deposed.filter(
    (old) => record === undefined || record.deposed.some(({ providerId }) => providerId === old.providerId),
  );
  return { put: { ...restored(restore), deposed } };
}

/** Stands in the record from the first call of an undo to its confirmation. */
const undoDidNotEnd = "its undo did not end";

function failed(message: string, keepIntents?: boolean): UndoEnd {
  return { status: "COMPENSATION_FAILED", message, ...(keepIntents === true ? { keepIntents } : {}) };
}

/** The recorded inputs, with the live value of each key that Read gave: what the update has really overwritten. */
function inputsBefore(
  recorded: JsonObject,
  intended: JsonObject | undefined,
  live: JsonObject | undefined,
): JsonObject {
  if (live === undefined) return recorded;
  const result: Record<string, JsonObject[string]> = { ...recorded };
  for (const key of new Set([...Object.keys(recorded), ...Object.keys(intended ?? {})])) {
    const value = live[key];
    if (value !== undefined) result[key] = value;
  }
  return result;
}

function restored(record: ResourceRecord): ResourceRecord {
  return record.mark === "dirty" || record.mark === "tainted" ? record : withoutMark(record);
}

function providerOf(run: Run, action: RunAction): Provider {
  const provider = run.deps.providers.get(action.provider);
  if (provider === undefined)
    throw new WfctlError(
      "PLUGIN_NOT_FOUND",
      `Cannot undo "${action.name}": provider "${action.provider}" is not there`,
    );
  return provider;
}

function planActionOf(action: RunAction, index: number): PlanAction {
  return {
    ...action,
    index,
    changes: [],
    reasons: [],
    undo: { undo: "no", why: "it is an undo itself" },
    after: [],
    unknown: [],
  };
}

async function isQuiet(run: Run, provider: Provider, spec: Spec, live: LiveObject): Promise<boolean> {
  const { clock, random } = run.deps;
  const { signal } = run.calls;
  const reply = await sendWithRetries(
    () => provider.diff(spec, live, { timeoutMs: 120_000, run: run.id, signal }),
    { repeatable: true, maxAttempts: 6, deadlineAt: clock.now() + 120_000 },
    { clock, random, signal, stopped: () => signal.aborted },
  );
  return !reply.needsUpdate && !reply.needsReplace && reply.changes.length === 0;
}
