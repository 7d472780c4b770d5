import type { PlanAction, ResourceRecord } from "@wfctl/model";
import type { LiveObject } from "../ports/index.ts";
import { isOnlyRead } from "../plan/other-object.ts";
import { settleMsOf } from "../recover/settle-time.ts";
import { durably, errorEnd, readNow, readTimeoutOf } from "./ask-before.ts";
import { settleWrite, type NodeEnd, type OutcomeEnd } from "./call-ends.ts";
import { asProviderError } from "./dispatch.ts";
import { replaceStillNeeded } from "./delete-object.ts";
import type { WriteTarget } from "./execute-node.ts";
import { writeOf } from "./intent.ts";
import { settleExisting } from "./existing-object.ts";
import { sendWithIntent, type CallEnd } from "./operate.ts";
import { withReferredOutputs } from "./read-missing.ts";
import { deposedOf } from "./records.ts";

export async function createObject(target: WriteTarget): Promise<NodeEnd> {
  const { run, work, action, provider, desired, resolved } = target;
  const prior = await lookBeforeCreate(target);
  if (typeof prior === "object") return settleExisting(target, alreadyExists(action), { found: prior });
  const { after, ...write } = writeOf(run, provider, desired, resolved, undefined);
  // Of an object that is gone its record may be left, and older ones that it was to replace.
  const record = run.records.get(action.name);
  const deposed = record?.deposed ?? [];
  // An object that was only read is left as it is: an undo puts its record back.
  const left = record !== undefined && isOnlyRead(record) ? record : undefined;
  const end = await sendWithIntent(run, {
    operation: "create",
    half: work.node.half,
    provider,
    action,
    type: action.type,
    write: { ...write, after: { ...after, deposed } },
    timeouts: desired.timeouts,
    ...(left === undefined ? {} : { before: left }),
    ...(prior === undefined ? {} : { priorRead: prior }),
    priority: work.priority,
    slot: work.slot,
  });
  const settled = settleWrite(run, action, await withReferredOutputs(target, end), undefined);
  if (isRefused(end, settled)) return settleExisting(target, settled, { clientToken: end.clientToken });
  return left === undefined ? settled : { ...settled, left };
}

/** The new object of a replace: beside the old one, or where the old one was. */
export async function createReplacement(target: WriteTarget): Promise<NodeEnd> {
  const { run, work, action, provider, desired, resolved } = target;
  // After the old half of a delete-first replace there is a record only where a still older object is left.
  const beside = run.records.get(action.name);
  if (beside !== undefined && !work.isSecondHalf) {
    const outdated = await checkOldObject(target, beside);
    if (outdated !== undefined) return outdated;
  }
  // The old object of a create-first replace has the same name: finding it proves nothing.
  const prior = beside === undefined ? await lookBeforeCreate(target) : undefined;
  if (typeof prior === "object") return settleExisting(target, alreadyExists(action), { found: prior });
  const end = await sendWithIntent(run, {
    operation: "create",
    half: "create",
    provider,
    action,
    type: action.type,
    write: writeOf(run, provider, desired, resolved, beside),
    timeouts: desired.timeouts,
    ...(beside === undefined ? {} : { before: beside, markDirty: "its replacement did not end" }),
    ...(prior === undefined ? {} : { priorRead: prior }),
    priority: work.priority,
    slot: work.slot,
  });
  const settled = settleWrite(run, action, await withReferredOutputs(target, end), beside);
  if (isRefused(end, settled)) return settleExisting(target, settled, { clientToken: end.clientToken, beside });
  if (settled.record === undefined || !("put" in settled.record)) return settled;
  const made = settled.record.put;
  if (made.providerId !== "" && made.providerId !== action.prior?.providerId)
    run.replacedIds.set(action.name, made.providerId);
  if (beside === undefined) return settled;
  const half: ResourceRecord = {
    ...made,
    createdAt: new Date(run.deps.clock.now()).toISOString(),
    deposed: [...beside.deposed, deposedOf(beside, run.id)],
  };
  if (settled.status !== "SUCCESS") return { ...settled, record: { put: half } };
  if (work.isSecondHalf) return { ...settled, record: { put: half }, hook: { applied: half } };
  // Whoever depends on it starts now, and the old half may fail: who listens is told of the new object first.
  return { end: "half", record: { put: half }, hook: { applied: half } };
}

/** Read before write, where the first half of the replace is the new object. */
async function checkOldObject(target: WriteTarget, record: ResourceRecord): Promise<OutcomeEnd | undefined> {
  const provider = target.run.deps.providers.get(record.provider);
  if (provider === undefined || record.type !== target.action.type) return undefined;
  const live = await readNow({ ...target, provider }, record.providerId);
  if ("end" in live) return live;
  return live.object === undefined ? undefined : replaceStillNeeded(target, record, live.object);
}

/** A Read by name that gives what it found, where the end of a lost create could otherwise not be told from an object that was there before. */
async function lookBeforeCreate(target: WriteTarget): Promise<"absent" | "failed" | LiveObject | undefined> {
  const { run, action, provider, desired } = target;
  if (provider.features.lookup && provider.traits(action.type)?.lookup === true) return undefined;
  await durably(run);
  const { clock } = run.deps;
  const options = { timeoutMs: readTimeoutOf(desired, provider, action.type), run: run.id, signal: run.calls.signal };
  const settledAt = clock.now() + settleMsOf(provider, action.type);
  for (let waitMs = 1000; ; waitMs *= 2) {
    let object: LiveObject | undefined;
    try {
      object = await provider.read({ name: action.name, type: action.type, providerId: "" }, options);
    } catch (thrown) {
      return asProviderError(thrown).class === "not_found" ? "absent" : "failed";
    }
    if (object === undefined) return "absent";
    const record = run.records.get(action.name);
    if (record?.deposed.some((old) => old.providerId === object.providerId) === true) return "failed";
    // The cloud may show the old half of a replace for a while after its delete.
    if (object.providerId !== action.prior?.providerId && object.providerId !== record?.providerId) return object;
    if (clock.now() + waitMs > settledAt || run.halt !== undefined) return "failed";
    try {
      await clock.sleep(waitMs, run.calls.signal);
    } catch {
      return "failed";
    }
  }
}

/** The create ended in already-exists for certain, and nothing of its own is there. */
function isRefused(end: CallEnd, settled: OutcomeEnd): end is Extract<CallEnd, { ok: false }> {
  return !end.ok && settled.code === "ALREADY_EXISTS" && settled.record === undefined && settled.keepIntents !== true;
}

function alreadyExists(action: PlanAction): OutcomeEnd {
  return errorEnd("ALREADY_EXISTS", `Cannot create "${action.name}": an object of this name exists already`);
}
