import { jsonEqual, type DesiredResource, type FieldChange, type ResourceRecord } from "@wfctl/model";
import type { LiveObject } from "../ports/index.ts";
import { asRecorded } from "./as-recorded.ts";
import { ask, createDecision, type DecideContext, type Decision, type DecisionBase } from "./decision.ts";
import { describeChanges, pointerToDotted } from "./describe-changes.ts";
import { finalizerOwedReason } from "./finalizer-owed.ts";
import { recordToLive, refreshRecord, settleRecord, withInputs } from "./record-live.ts";
import { toSpec, type ResolvedConfig } from "./resolve.ts";

export type Replace = (reasons: readonly string[], changes?: readonly FieldChange[]) => Decision;

/** Compares what is wanted with the record, or with the object itself where the record is not to be trusted. */
export async function compareRecord(
  resource: DesiredResource,
  context: DecideContext,
  facts: {
    readonly resolved: ResolvedConfig;
    readonly digest: string | undefined;
    readonly revisit: boolean;
    readonly replace: Replace;
    readonly base: DecisionBase;
    readonly record: ResourceRecord;
  },
): Promise<Decision> {
  const { input, provider } = context;
  const { resolved, base, record } = facts;
  const mustRead = input.refresh || facts.revisit || record.mark !== undefined;
  let current: LiveObject = recordToLive(record);
  let refreshed = record;
  if (mustRead) {
    const ref = { name: resource.name, type: resource.type, providerId: record.providerId };
    const live = asRecorded(await ask(input, resource, (options) => provider.read(ref, options)), ref);
    if (live === undefined) return createDecision(base, ["it is gone from the cloud"]);
    current = live;
    refreshed = refreshRecord(record, live, new Date(input.clock.now()).toISOString());
  }
  const spec = toSpec(resource, resolved.config);
  const known = withInputs(current, record, provider.traits(resource.type));
  const reply = await ask(input, resource, (options) => provider.diff(spec, known, options));
  const changes = describeChanges(reply, resolved, resource.lifecycle.ignoreChanges, context.secrets, record, current);
  const reasons = [...markReasons(record), ...(facts.revisit ? ["its time to be looked at again has come"] : [])];
  const acts = changes.length > 0 || (reply.changes.length === 0 && (reply.needsUpdate || reply.needsReplace));
  if (acts && (reply.needsReplace || changes.some((change) => change.forceNew))) {
    const forcing = changes.filter((change) => change.forceNew);
    return facts.replace(
      [...forcing.map((change) => `${change.path} cannot be changed in place`), ...reasons],
      changes,
    );
  }
  // A finalizer may not know of a write that did not end in success: a quiet object is no proof that its work is done.
  const isForced =
    record.mark === "dirty" && (record.markReason === finalizerOwedReason || provider.features.finalizer);
  if (acts || isForced) {
    return {
      ...base,
      kind: "update",
      changes,
      reasons: [...changeReasons(changes), ...reasons],
      ...(isForced ? { force: true } : {}),
      outputs: { record: refreshed, known: "may-change" },
    };
  }
  if (resolved.mayChange.size > 0 || resolved.unknown.size > 0 || facts.digest === undefined) {
    return waitingUpdate(base, resolved, refreshed);
  }
  const settle = settleRecord(resource, refreshed, { digest: facts.digest, resolved, always: mustRead });
  const isSame = jsonEqual(refreshed.outputs, record.outputs) && refreshed.providerId === record.providerId;
  return {
    ...base,
    kind: "none",
    changes: [],
    reasons: [],
    ...(settle === undefined ? {} : { settle }),
    // Consumers see what was read: the record is written before they start.
    outputs: { record: isSame ? record : refreshed, known: "known" },
  };
}

/** Nothing differs yet, but values that it uses may become others in this run. */
function waitingUpdate(base: DecisionBase, resolved: ResolvedConfig, record: ResourceRecord): Decision {
  const waiting = [...resolved.mayChange, ...resolved.unknown];
  return {
    ...base,
    kind: "update",
    changes: waiting.map(([pointer]) => ({ path: pointerToDotted(pointer), forceNew: false, unknown: true })),
    reasons: waiting.map(([, part]) => `it uses ${part}, which may change in this run`),
    unknown: waiting.map(([pointer]) => pointer),
    outputs: { record, known: "may-change" },
  };
}

function changeReasons(changes: readonly FieldChange[]): string[] {
  if (changes.length === 0) return [];
  return [`${changes.map((change) => change.path).join(", ")} ${changes.length === 1 ? "changes" : "change"}`];
}

function markReasons(record: ResourceRecord): string[] {
  if (record.mark === undefined) return [];
  if (record.mark === "dirty") return [record.markReason ?? "its last update did not end"];
  return [`it was ${record.mark} and is compared with the configuration`];
}
