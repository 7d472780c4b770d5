import type { RecordChange, ResourceRecord } from "@wfctl/model";
import type { LiveObject } from "../ports/index.ts";
import { diffNow, outdated, readNow } from "./ask-before.ts";
import { withInputs } from "../plan/record-live.ts";
import { settleDelete, type NodeEnd, type OutcomeEnd } from "./call-ends.ts";
import type { Target } from "./execute-node.ts";
import { sendWithIntent } from "./operate.ts";
import { withFailedDelete, withoutObject } from "./records.ts";
import { resolveNow } from "./resolve-now.ts";
import type { Run } from "./run.ts";

/** A delete, a deposed object's delete, or the old half of a replace. */
export async function deleteObject(target: Target, type: string): Promise<NodeEnd> {
  const { run, work, action, provider } = target;
  const record = run.records.get(action.name);
  if (record === undefined) return { end: "outcome", status: "SUCCESS" };
  const isOldHalf = work.node.half === "delete" && action.replaceMode === "create-first";
  const isFirstHalf = work.node.half === "delete" && !isOldHalf;
  const deposedId = action.deposed ?? (isOldHalf ? action.prior?.providerId : undefined);
  const providerId = deposedId ?? record.providerId;
  const live = await readNow(target, providerId, type);
  if ("end" in live) return failedDelete(target, live, isOldHalf);
  if (isFirstHalf && live.object !== undefined) {
    const changed = await replaceStillNeeded(target, record, live.object);
    if (changed !== undefined) return changed;
  }
  let end: OutcomeEnd = { end: "outcome", status: "SUCCESS" };
  // A Read that wrongly finds nothing would leave an orphan where no lookup finds it again.
  if (live.object !== undefined || !provider.features.lookup) {
    const sent = await sendWithIntent(run, {
      operation: "delete",
      half: work.node.half,
      provider,
      action,
      type,
      providerId,
      timeouts: action.desired?.timeouts,
      before: record,
      ...(isFirstHalf ? { markDirty: "its replacement did not end" } : {}),
      ...(deposedId === undefined ? {} : { deposed: deposedId }),
      priority: work.priority,
      slot: work.slot,
    });
    end = settleDelete(sent, { remove: action.name });
    const current = run.records.get(action.name);
    if (!sent.ok && sent.resolution?.found === "there" && deposedId === undefined && current !== undefined)
      end = { ...end, record: { put: withFailedDelete(current) } };
  }
  if (end.status !== "SUCCESS") return failedDelete(target, end, isOldHalf);
  const removed = removedChange(run, action.name, providerId);
  if (isFirstHalf) return { end: "half", record: removed, hook: { deleted: action.name } };
  // Of the new object the hook was told when it became the current one.
  if (isOldHalf) return { ...end, record: removed };
  return { ...end, record: removed, ...(deposedId === undefined ? { hook: { deleted: action.name } } : {}) };
}

/** As the record stands now: other deposed objects of the resource may have gone meanwhile. */
function removedChange(run: Run, name: string, providerId: string): RecordChange {
  const record = run.records.get(name);
  return record === undefined ? { remove: name } : withoutObject(record, providerId);
}

/** The old half of a delete-first replace is no planned delete of its own; all else that fails here is. */
function failedDelete(target: Target, end: OutcomeEnd, isOldHalf: boolean): OutcomeEnd {
  if (end.status !== "ERROR" && end.status !== "DELETE_FAILED") return end;
  return { ...end, status: target.action.kind === "delete" || isOldHalf ? "DELETE_FAILED" : "ERROR" };
}

/** A replace that a difference asked for is not carried out when the difference has gone. */
export async function replaceStillNeeded(
  target: Target,
  record: ResourceRecord,
  live: LiveObject,
): Promise<OutcomeEnd | undefined> {
  const { run, action, provider } = target;
  const { desired } = action;
  if (desired === undefined || !action.changes.some((change) => change.forceNew) || action.unknown.length > 0)
    return undefined;
  const resolved = resolveNow(run, action, desired, provider);
  if (resolved.missing.length > 0 || resolved.unknown.size > 0) return undefined;
  const diff = await diffNow(target, desired, resolved, withInputs(live, record, provider.traits(action.type)));
  if ("end" in diff) return diff;
  return diff.replace ? undefined : outdated(run, action, "the object does not need to be replaced any more");
}
