import {
  type DesiredResource,
  type ErrorCode,
  type JsonObject,
  type PlanAction,
  type PlanNode,
  type ProviderError,
  type RecordChange,
  type ResourceRecord,
} from "@wfctl/model";
import { adoptionId, providerErrorCodes } from "../plan/decide.ts";
import { isIgnored } from "../plan/ignore-changes.ts";
import { isProtected } from "../plan/protection.ts";
import { resolveConfig, toSpec, type OutputSource, type ResolvedConfig } from "../plan/resolve.ts";
import type { DiffReply, LiveObject, Provider } from "../ports/index.ts";
import { asProviderError, sendWithRetries } from "./dispatch.ts";
import { sendWithIntent, settleDelete, settleWrite, writeOf, type NodeEnd, type Slot } from "./operate.ts";
import { completeRecord, recordToBe, withoutMark } from "./records.ts";
import { actionOf, commit, type Run } from "./run.ts";

export interface NodeWork {
  readonly node: PlanNode;
  readonly priority: number;
  readonly slot: Slot;
}

/** Runs one node from its substitution to its end. Everything before (cancellation, dependencies, gate) was checked. */
export async function executeNode(run: Run, work: NodeWork): Promise<NodeEnd> {
  const action = actionOf(run, work.node);
  const module =
    work.node.half === "delete" || action.desired === undefined
      ? (action.prior?.provider ?? action.provider)
      : action.provider;
  const provider = run.deps.providers.get(module) ?? run.deps.providers.get(action.provider);
  if (provider === undefined) return noDriver(action, `provider "${module}" is not there`);
  if (action.kind === "forget") {
    const image = run.records.get(action.name);
    return {
      end: "outcome",
      status: "SUCCESS",
      record: { remove: action.name },
      ...(image === undefined ? {} : { image }),
    };
  }
  const type = work.node.half === "delete" ? (action.prior?.type ?? action.type) : action.type;
  if (!provider.features.drivers) return noDriver(action, `plugin "${provider.name}" serves no drivers`);
  if (provider.traits(type) === undefined)
    return noDriver(action, `plugin "${provider.name}" has no driver for ${type}`);
  if (action.kind === "delete" || work.node.half === "delete") return deleteObject(run, work, action, provider, type);
  const desired = action.desired;
  if (desired === undefined) throw new Error(`Action ${action.index} wants nothing`);
  const resolved = resolveNow(run, action, desired, provider);
  if (resolved.missing.length > 0 || resolved.unknown.size > 0) return unresolvedEnd(action, resolved);
  run.secrets.add(resolved.config, resolved.sensitive);
  switch (action.kind) {
    case "create":
      return createObject(run, work, action, desired, resolved, provider);
    case "replace":
      return createReplacement(run, work, action, desired, resolved, provider);
    case "update":
      return updateObject(run, work, action, desired, resolved, provider);
    case "adopt":
      return adoptObject(run, work, action, desired, resolved, provider);
    case "read":
      return readObject(run, action, desired, resolved, provider);
  }
}

function resolveNow(run: Run, action: PlanAction, desired: DesiredResource, provider: Provider): ResolvedConfig {
  const record = run.records.get(action.name);
  return resolveConfig(desired, {
    env: run.deps.env,
    source: (name): OutputSource => {
      const found = run.unknown.has(name) ? undefined : run.records.get(name);
      return { record: found, known: found === undefined ? "unknown" : "known" };
    },
    sizing: action.sizing,
    recordedInputs: record?.inputs,
    traits: provider.traits(desired.type),
  });
}

function unresolvedEnd(action: PlanAction, resolved: ResolvedConfig): NodeEnd {
  const parts = [...resolved.missing.map((entry) => entry.part), ...resolved.unknown.values()];
  return {
    end: "outcome",
    status: "SKIPPED",
    code: "REFERENCE_UNRESOLVED",
    message: `"${action.name}" refers to ${[...new Set(parts)].map((part) => `\${${part}}`).join(", ")}, which has no value`,
  };
}

async function createObject(
  run: Run,
  work: NodeWork,
  action: PlanAction,
  desired: DesiredResource,
  resolved: ResolvedConfig,
  provider: Provider,
): Promise<NodeEnd> {
  const prior = await lookBeforeCreate(run, action, desired, provider);
  if (prior === "present") return alreadyExists(action);
  const end = await sendWithIntent(run, {
    operation: "create",
    half: work.node.half,
    provider,
    action,
    type: action.type,
    write: writeOf(run, provider, desired, resolved, undefined),
    timeouts: desired.timeouts,
    ...(prior === undefined ? {} : { priorRead: prior }),
    priority: work.priority,
    slot: work.slot,
  });
  return settleWrite(run, action, end, undefined);
}

async function createReplacement(
  run: Run,
  work: NodeWork,
  action: PlanAction,
  desired: DesiredResource,
  resolved: ResolvedConfig,
  provider: Provider,
): Promise<NodeEnd> {
  const before = run.records.get(action.name);
  const createFirst = action.replaceMode === "create-first";
  // The old object of a create-first replace has the same name: finding it proves nothing.
  const prior = createFirst ? undefined : await lookBeforeCreate(run, action, desired, provider);
  if (prior === "present") return alreadyExists(action);
  const end = await sendWithIntent(run, {
    operation: "create",
    half: "create",
    provider,
    action,
    type: action.type,
    write: writeOf(run, provider, desired, resolved, createFirst ? before : undefined),
    timeouts: desired.timeouts,
    ...(createFirst && before !== undefined ? { before, markDirty: "its replacement did not end" } : {}),
    ...(prior === undefined ? {} : { priorRead: prior }),
    priority: work.priority,
    slot: work.slot,
  });
  const settled = settleWrite(run, action, end, createFirst ? before : undefined);
  if (settled.end !== "outcome" || settled.record === undefined || !("put" in settled.record)) return settled;
  const made = settled.record.put;
  if (made.providerId !== "" && made.providerId !== before?.providerId)
    run.replacedIds.set(action.name, made.providerId);
  if (!createFirst || before === undefined) return settled;
  const half: ResourceRecord = {
    ...made,
    createdByUs: end.ok ? end.createdByUs : true,
    createdAt: new Date(run.deps.clock.now()).toISOString(),
    deposed: [
      ...before.deposed,
      {
        providerId: before.providerId,
        type: before.type,
        provider: before.provider,
        outputs: before.outputs,
        sensitiveOutputs: before.sensitiveOutputs,
        dependencies: before.dependencies,
        sinceRun: run.id,
      },
    ],
  };
  if (settled.status !== "SUCCESS") return { ...settled, record: { put: half } };
  return { end: "half", record: { put: half } };
}

async function updateObject(
  run: Run,
  work: NodeWork,
  action: PlanAction,
  desired: DesiredResource,
  resolved: ResolvedConfig,
  provider: Provider,
): Promise<NodeEnd> {
  const record = run.records.get(action.name);
  if (record === undefined) return outdated(run, action, "its record is gone");
  const live = await readNow(run, action, desired, provider, record.providerId);
  if ("end" in live) return live;
  if (live.object === undefined) return outdated(run, action, "the object is gone from the cloud");
  return updateTo(run, work, { action, desired, resolved, provider, record, live: live.object });
}

/** Compares with the object as it was just read, and updates it where that is still what the plan showed. */
async function updateTo(
  run: Run,
  work: NodeWork,
  facts: {
    readonly action: PlanAction;
    readonly desired: DesiredResource;
    readonly resolved: ResolvedConfig;
    readonly provider: Provider;
    readonly record: ResourceRecord;
    readonly live: LiveObject;
  },
): Promise<NodeEnd> {
  const { action, desired, resolved, provider, record, live } = facts;
  const diff = await diffNow(run, action, desired, resolved, provider, withRecordedInputs(live, record));
  if ("end" in diff) return diff;
  if (diff.replace)
    return outdated(run, action, `${diff.forcing.join(", ") || "the object"} now asks for a replacement`);
  if (!diff.update && action.force !== true) {
    const after = recordToBe(run, provider, desired, resolved, record);
    const confirmed = completeRecord(
      run,
      after,
      { ...live, sensitive: [...live.sensitive, ...record.sensitiveOutputs] },
      { createdByUs: record.createdByUs },
    );
    return {
      end: "outcome",
      status: "SUCCESS",
      record: { put: { ...confirmed, outputs: { ...record.outputs, ...live.outputs } } },
    };
  }
  const end = await sendWithIntent(run, {
    operation: "update",
    half: work.node.half,
    provider,
    action,
    type: action.type,
    providerId: live.providerId === "" ? record.providerId : live.providerId,
    write: writeOf(run, provider, desired, resolved, record),
    timeouts: desired.timeouts,
    before: record,
    ...(live.inputs === undefined ? {} : { liveInputs: live.inputs }),
    markDirty: "its last update did not end",
    priority: work.priority,
    slot: work.slot,
  });
  return settleWrite(run, action, end, record);
}

async function adoptObject(
  run: Run,
  work: NodeWork,
  action: PlanAction,
  desired: DesiredResource,
  resolved: ResolvedConfig,
  provider: Provider,
): Promise<NodeEnd> {
  const live = await readNow(run, action, desired, provider, adoptionId(desired, resolved.config));
  if ("end" in live) return live;
  if (live.object === undefined) return outdated(run, action, "the object to take over is gone");
  const owner = live.object.owner;
  if (owner !== undefined && owner !== "" && owner !== `${run.lineage}/${action.name}`) {
    return errorEnd("ALREADY_EXISTS", `Cannot take over "${action.name}": the object belongs to ${owner}`);
  }
  const diff = await diffNow(run, action, desired, resolved, provider, live.object);
  if ("end" in diff) return diff;
  const after = recordToBe(run, provider, desired, resolved, undefined);
  const adopted = completeRecord(run, after, live.object, { createdByUs: false });
  if (!diff.update && !diff.replace) {
    return { end: "outcome", status: "SUCCESS", record: { put: adopted }, hook: { applied: adopted } };
  }
  // What was taken over is not as wanted: its own inputs, where the provider reads them, are the image before the update.
  const { inputs: _wanted, ...found } = adopted;
  const before: ResourceRecord = {
    ...found,
    ...(live.object.inputs === undefined ? {} : { inputs: live.object.inputs }),
    fingerprint: "",
    mark: "adopted",
  };
  await commit(run, [{ kind: "record", run: run.id, record: { put: before } }]);
  run.records.set(before.name, before);
  if (diff.replace || action.changes.length === 0)
    return outdated(
      run,
      action,
      "the object that was taken over differs from the configuration in another way than shown",
    );
  return updateTo(run, work, { action, desired, resolved, provider, record: before, live: live.object });
}

async function readObject(
  run: Run,
  action: PlanAction,
  desired: DesiredResource,
  resolved: ResolvedConfig,
  provider: Provider,
): Promise<NodeEnd> {
  const known = run.records.get(action.name);
  const live = await readNow(run, action, desired, provider, known?.providerId ?? adoptionId(desired, resolved.config));
  if ("end" in live) return live;
  if (live.object === undefined)
    return errorEnd("NOT_FOUND", `Cannot read "${action.name}": no ${action.type} of this name exists`);
  const record = completeRecord(run, recordToBe(run, provider, desired, resolved, known), live.object, {
    createdByUs: false,
  });
  return {
    end: "outcome",
    status: "SUCCESS",
    record: { put: record },
    hook: { applied: record },
    ...(known === undefined ? {} : { image: known }),
  };
}

async function deleteObject(
  run: Run,
  work: NodeWork,
  action: PlanAction,
  provider: Provider,
  type: string,
): Promise<NodeEnd> {
  const record = run.records.get(action.name);
  if (record === undefined) return { end: "outcome", status: "SUCCESS" };
  const isOldHalf = work.node.half === "delete" && action.replaceMode === "create-first";
  const deposedId = action.deposed ?? (isOldHalf ? action.prior?.providerId : undefined);
  if (
    deposedId === undefined &&
    isProtected(record, action.desired) &&
    run.options.allowReplace?.has(action.name) !== true
  ) {
    return {
      end: "outcome",
      status: action.kind === "delete" ? "DELETE_FAILED" : "ERROR",
      code: "PROTECTED",
      message: `Cannot delete "${action.name}": it is protected`,
    };
  }
  const providerId = deposedId ?? record.providerId;
  const removed: RecordChange =
    deposedId === undefined
      ? { remove: action.name }
      : { put: { ...record, deposed: record.deposed.filter((old) => old.providerId !== deposedId) } };
  const live = await readNow(run, action, action.desired, provider, providerId, type);
  if ("end" in live)
    return {
      ...live,
      ...(live.end === "outcome" && live.status === "ERROR" && action.kind === "delete"
        ? { status: "DELETE_FAILED" as const }
        : {}),
    };
  if (work.node.half === "delete" && !isOldHalf && live.object !== undefined) {
    const changed = await replaceStillNeeded(run, action, provider, record, live.object);
    if (changed !== undefined) return changed;
  }
  const end =
    live.object === undefined
      ? ({ end: "outcome", status: "SUCCESS", record: removed } as const)
      : settleDelete(
          await sendWithIntent(run, {
            operation: "delete",
            half: work.node.half,
            provider,
            action,
            type,
            providerId,
            timeouts: action.desired?.timeouts,
            before: record,
            ...(work.node.half === "delete" && !isOldHalf ? { markDirty: "its replacement did not end" } : {}),
            ...(deposedId === undefined ? {} : { deposed: deposedId }),
            priority: work.priority,
            slot: work.slot,
          }),
          removed,
        );
  if (end.end !== "outcome" || end.status !== "SUCCESS") {
    // The old half of a delete-first replace is no planned delete of its own.
    if (end.end === "outcome" && end.status === "DELETE_FAILED" && action.kind === "replace" && !isOldHalf)
      return { ...end, status: "ERROR" };
    return end;
  }
  if (action.kind === "replace" && !isOldHalf) return { end: "half", record: removed, hook: { deleted: action.name } };
  if (isOldHalf && "put" in removed) {
    return { ...end, record: { put: removed.put }, hook: { applied: removed.put } };
  }
  return { ...end, ...(deposedId === undefined ? { hook: { deleted: action.name } } : {}) };
}

/** A replace that a difference asked for is not carried out when the difference has gone. */
async function replaceStillNeeded(
  run: Run,
  action: PlanAction,
  provider: Provider,
  record: ResourceRecord,
  live: LiveObject,
): Promise<NodeEnd | undefined> {
  const desired = action.desired;
  if (desired === undefined || !action.changes.some((change) => change.forceNew) || action.unknown.length > 0)
    return undefined;
  const resolved = resolveNow(run, action, desired, provider);
  if (resolved.missing.length > 0 || resolved.unknown.size > 0) return undefined;
  const diff = await diffNow(run, action, desired, resolved, provider, withRecordedInputs(live, record));
  if ("end" in diff) return diff;
  return diff.replace ? undefined : outdated(run, action, "the object does not need to be replaced any more");
}

/** A Read by name, where the end of a lost create could otherwise not be told from an object that was there before. */
async function lookBeforeCreate(
  run: Run,
  action: PlanAction,
  desired: DesiredResource,
  provider: Provider,
): Promise<"absent" | "present" | "failed" | undefined> {
  const traits = provider.traits(action.type);
  if (provider.features.lookup && traits?.lookup === true) return undefined;
  await run.durable;
  try {
    const object = await provider.read(
      { name: action.name, type: action.type, providerId: "" },
      readCall(run, desired, provider, action.type),
    );
    return object === undefined ? "absent" : "present";
  } catch (thrown) {
    const error = asProviderError(thrown);
    if (error.class === "not_found") return "absent";
    return "failed";
  }
}

function alreadyExists(action: PlanAction): NodeEnd {
  return errorEnd(
    "ALREADY_EXISTS",
    `Cannot create "${action.name}": an object of this name exists already; set "adopt_existing: true" to take it over, or choose another name`,
  );
}

async function readNow(
  run: Run,
  action: PlanAction,
  desired: DesiredResource | undefined,
  provider: Provider,
  providerId: string,
  type: string = action.type,
): Promise<{ readonly object: LiveObject | undefined } | NodeEnd> {
  await run.durable;
  try {
    const object = await sendWithRetries(
      () => provider.read({ name: action.name, type, providerId }, readCall(run, desired, provider, type)),
      { repeatable: true, maxAttempts: 6, deadlineAt: run.deps.clock.now() + 120_000 },
      {
        clock: run.deps.clock,
        random: run.deps.random,
        signal: run.calls.signal,
        stopped: () => run.halt?.kind === "cancelled",
      },
    );
    return { object };
  } catch (thrown) {
    const error = asProviderError(thrown);
    if (error.class === "not_found") return { object: undefined };
    if (run.halt?.kind === "cancelled" && error.class === "cancelled") {
      return {
        end: "outcome",
        status: "SKIPPED",
        code: "CANCELLED",
        message: "The run was cancelled while the object was being read",
      };
    }
    return errorEnd(readFailureCode(error), `Cannot read "${action.name}" before changing it: ${error.message}`);
  }
}

/** A failed Read has changed nothing, so its code says what failed, never that an outcome is unknown. */
function readFailureCode(error: ProviderError): ErrorCode {
  return error.class === "deadline" ? "TRANSIENT" : providerErrorCodes[error.class];
}

function readCall(
  run: Run,
  desired: DesiredResource | undefined,
  provider: Provider,
  type: string,
): Parameters<Provider["read"]>[1] {
  return {
    timeoutMs: desired?.timeouts.read ?? provider.traits(type)?.timeouts?.read ?? 120_000,
    run: run.id,
    signal: run.calls.signal,
  };
}

async function diffNow(
  run: Run,
  action: PlanAction,
  desired: DesiredResource,
  resolved: ResolvedConfig,
  provider: Provider,
  current: LiveObject,
): Promise<{ readonly update: boolean; readonly replace: boolean; readonly forcing: readonly string[] } | NodeEnd> {
  let reply: DiffReply;
  try {
    reply = await sendWithRetries(
      () => provider.diff(toSpec(desired, resolved.config), current, readCall(run, desired, provider, action.type)),
      { repeatable: true, maxAttempts: 6, deadlineAt: run.deps.clock.now() + 120_000 },
      {
        clock: run.deps.clock,
        random: run.deps.random,
        signal: run.calls.signal,
        stopped: () => run.halt?.kind === "cancelled",
      },
    );
  } catch (thrown) {
    const error = asProviderError(thrown);
    return errorEnd(readFailureCode(error), `Cannot compare "${action.name}" before changing it: ${error.message}`);
  }
  const changes = reply.changes.filter((change) => !isIgnored(change.path, desired.lifecycle.ignoreChanges));
  const plain = reply.changes.length === 0 && (reply.needsUpdate || reply.needsReplace);
  const update = changes.length > 0 || plain;
  const forcing = changes.filter((change) => change.forceNew).map((change) => change.path);
  return { update, replace: update && (reply.needsReplace || forcing.length > 0), forcing };
}

function withRecordedInputs(live: LiveObject, record: ResourceRecord): LiveObject {
  return live.inputs !== undefined || record.inputs === undefined
    ? live
    : { ...live, inputs: record.inputs as JsonObject };
}

/** Nothing is sent; the record is marked so that the next plan looks at the object itself. */
function outdated(run: Run, action: PlanAction, why: string): NodeEnd {
  const record = run.records.get(action.name);
  return {
    end: "outcome",
    status: "ERROR",
    code: "PLAN_OUTDATED",
    message: `The plan showed ${article(action.kind)} of "${action.name}", but ${why}; nothing was sent. Plan again`,
    ...(record === undefined
      ? {}
      : {
          record: {
            put: { ...withoutMark(record), mark: record.mark ?? "dirty", markReason: `the last run found that ${why}` },
          },
        }),
  };
}

function article(kind: string): string {
  return kind === "update" || kind === "adopt" ? `an ${kind === "adopt" ? "adoption" : kind}` : `a ${kind}`;
}

function errorEnd(code: ErrorCode, message: string): NodeEnd {
  return { end: "outcome", status: "ERROR", code, message };
}

function noDriver(action: PlanAction, why: string): NodeEnd {
  return {
    end: "outcome",
    status: "SKIPPED",
    code: "NO_DRIVER",
    message: `Cannot ${action.kind} "${action.name}": ${why}`,
  };
}
