import { WfctlError, type JournalEvent, type ResourceRecord } from "@wfctl/model";
import { adoptionId } from "../plan/adoption.ts";
import { knownId } from "../plan/other-object.ts";
import { withInputs } from "../plan/record-live.ts";
import type { LiveObject } from "../ports/index.ts";
import { diffNow, errorEnd, outdated, readNow } from "./ask-before.ts";
import { settleWrite, type NodeEnd } from "./call-ends.ts";
import type { WriteTarget } from "./execute-node.ts";
import { writeOf } from "./intent.ts";
import { NotSent, sendWithIntent } from "./operate.ts";
import { withReferredOutputs } from "./read-missing.ts";
import { completeRecord, recordOfFound, recordToBe } from "./records.ts";
import { resolveNow } from "./resolve-now.ts";
import { commit } from "./run.ts";
import { imageEvent } from "./settle.ts";

export async function updateObject(target: WriteTarget): Promise<NodeEnd> {
  const { run, action } = target;
  const record = run.records.get(action.name);
  if (record === undefined) return outdated(run, action, "its record is gone");
  const live = await readNow(target, record.providerId);
  if ("end" in live) return live;
  if (live.object === undefined) return outdated(run, action, "the object is gone from the cloud");
  return updateTo(target, record, live.object);
}

/** Compares with the object as it was just read, and updates it where that is still what the plan showed. */
async function updateTo(target: WriteTarget, record: ResourceRecord, live: LiveObject): Promise<NodeEnd> {
  const { run, work, action, desired, resolved, provider } = target;
  const diff = await diffNow(target, desired, resolved, withInputs(live, record, provider.traits(action.type)));
  if ("end" in diff) return diff;
  if (diff.replace)
    return outdated(run, action, `${diff.forcing.join(", ") || "the object"} now asks for a replacement`);
  if (!diff.update && action.force !== true) {
    const after = recordToBe(run, provider, desired, resolved, record);
    const sensitive = [...live.sensitive, ...record.sensitiveOutputs];
    const outputs = { ...record.outputs, ...live.outputs };
    const confirmed = completeRecord(run, after, { ...withKnownId(live, record), outputs, sensitive });
    return { end: "outcome", status: "SUCCESS", record: { put: { ...confirmed, createdByUs: record.createdByUs } } };
  }
  const end = await sendWithIntent(run, {
    operation: "update",
    half: work.node.half,
    provider,
    action,
    type: action.type,
    providerId: withKnownId(live, record).providerId,
    write: writeOf(run, provider, desired, resolved, record),
    timeouts: desired.timeouts,
    before: record,
    ...(live.inputs === undefined ? {} : { liveInputs: live.inputs }),
    markDirty: "its last update did not end",
    priority: work.priority,
    slot: work.slot,
  });
  return settleWrite(run, action, await withReferredOutputs(target, end), record);
}

/** Records an object that is there already: one that was found (adopt), or one that the configuration names (import). */
export async function adoptObject(target: WriteTarget): Promise<NodeEnd> {
  const { run, action, desired, provider } = target;
  const { importId } = action;
  const what = importId === undefined ? "take over" : "import";
  const known = run.records.get(action.name);
  const read = await readNow(
    target,
    importId ?? knownId(desired, known, provider) ?? adoptionId(desired, target.resolved.config),
  );
  if ("end" in read) return read;
  if (read.object === undefined) return outdated(run, action, `the object to ${what} is gone`);
  const { owner } = read.object;
  // Who names an object by its id means it, whoever made it: the plan has said whose mark it carries.
  if (importId === undefined && owner !== undefined && owner !== "" && owner !== `${run.lineage}/${action.name}`) {
    return errorEnd("ALREADY_EXISTS", `Cannot take over "${action.name}": the object belongs to ${owner}`);
  }
  const live = { ...read.object, providerId: read.object.providerId || (importId ?? "") };
  if (live.providerId === "")
    return errorEnd("BAD_RESULT", `Cannot take over "${action.name}": the provider does not tell its id`);
  const resolved = resolveNow(run, action, desired, provider, live.inputs);
  const diff = await diffNow(target, desired, resolved, live);
  if ("end" in diff) return diff;
  // Old objects that wait for their delete stay in the record.
  const after = { ...recordToBe(run, provider, desired, resolved, undefined), deposed: known?.deposed ?? [] };
  const adopted = completeRecord(run, after, live, { createdByUs: false });
  // It was only read before: an undo gives that record back.
  const image = known === undefined ? {} : { image: known };
  if (!diff.update && !diff.replace) {
    return { end: "outcome", status: "SUCCESS", record: { put: adopted }, hook: { applied: adopted }, ...image };
  }
  // What was taken over is not as wanted: its own inputs, where the provider reads them, are the image before the update.
  // What an earlier configuration knew as secret may still stand in it.
  const secretPaths = [...resolved.sensitive, ...(known?.sensitiveInputs ?? [])];
  const before = recordOfFound(run, provider, after, live, secretPaths, {
    mark: importId === undefined ? "adopted" : "imported",
  });
  run.records.set(before.name, before);
  try {
    await commit(run, [...keptImage(target, known), foundEvent(target, before)]);
  } catch (thrown) {
    throw new NotSent(WfctlError.from(thrown, "STORE_UNAVAILABLE"));
  }
  if (diff.replace || action.changes.length === 0) {
    const done = importId === undefined ? "taken over" : "imported";
    const why = `the object that was ${done} differs from the configuration in another way than shown`;
    return outdated(run, action, why);
  }
  return updateTo({ ...target, resolved }, before, live);
}

/** The record of what was found. Whatever comes of the update, who listens is told of it, if only by the next command. */
function foundEvent({ run, work }: WriteTarget, found: ResourceRecord): JournalEvent {
  const record = { put: found };
  if (run.deps.hooks?.onResourceApplied === undefined) return { kind: "record", run: run.id, record };
  return { kind: "half", run: run.id, action: work.node.action, half: "create", record, hooksOwed: true };
}

/** The record of what was only read before, for an undo: under a half of its own, which the update has no use for. */
function keptImage({ run, work }: WriteTarget, known: ResourceRecord | undefined): JournalEvent[] {
  if (known === undefined) return [];
  const node = { ...work.node, half: "create" } as const;
  const closed = { kind: "intent-closed", run: run.id, action: node.action, half: node.half, phase: "apply" } as const;
  return [imageEvent(run, node, known), closed];
}

/** An object that others own, read for its outputs. */
export async function readExisting(target: WriteTarget): Promise<NodeEnd> {
  const { run, action, desired, resolved, provider } = target;
  const known = run.records.get(action.name);
  const live = await readNow(target, knownId(desired, known, provider) ?? adoptionId(desired, resolved.config));
  if ("end" in live) return live;
  if (live.object === undefined)
    return errorEnd("NOT_FOUND", `Cannot read "${action.name}": no ${action.type} of this name exists`);
  const after = recordToBe(run, provider, desired, resolved, known);
  // The object still holds what it was given: where it is taken over again, this tells what of it is secret.
  const sensitiveInputs = [...new Set([...after.sensitiveInputs, ...(known?.sensitiveInputs ?? [])])];
  const record = completeRecord(run, { ...after, sensitiveInputs }, live.object, { createdByUs: false });
  return {
    end: "outcome",
    status: "SUCCESS",
    record: { put: record },
    hook: { applied: record },
    ...(known === undefined ? {} : { image: known }),
  };
}

function withKnownId(live: LiveObject, record: ResourceRecord): LiveObject {
  return live.providerId === "" ? { ...live, providerId: record.providerId } : live;
}
