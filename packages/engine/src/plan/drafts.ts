import {
  WfctlError,
  type DeferredValue,
  type DesiredResource,
  type PlanAction,
  type PlanNote,
  type ResourceRecord,
  type StackState,
} from "@wfctl/model";
import type { Decision } from "./decision.ts";
import type { PlanInput } from "./plan-input.ts";
import { reversibilityOf } from "./undo.ts";

/** An action before the plan gives it its place. */
export type Draft = Omit<PlanAction, "index" | "after">;

export function draftAction(
  resource: DesiredResource,
  decision: Decision,
  replaceMode: PlanAction["replaceMode"],
  record: ResourceRecord | undefined,
  input: PlanInput,
  deferred: readonly DeferredValue[],
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
    ...(decision.importId === undefined ? {} : { importId: decision.importId }),
    undo: reversibilityOf({
      kind: decision.kind,
      replaceMode,
      changes: decision.changes,
      prior: record,
      traits: provider?.traits(resource.type),
      features: provider?.features,
    }),
    unknown: decision.unknown,
    ...(deferred.length === 0 ? {} : { deferred }),
  };
}

export function draftRemoval(record: ResourceRecord, input: PlanInput): Draft {
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

export function draftDeposed(record: ResourceRecord, providerId: string): Draft {
  const old = record.deposed.find((candidate) => candidate.providerId === providerId);
  if (old === undefined) throw new WfctlError("INTERNAL", `No deposed object ${providerId} of "${record.name}"`);
  return {
    kind: "delete",
    name: record.name,
    type: old.type,
    provider: old.provider,
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

export function unknownNote(name: string, state: StackState): PlanNote {
  const entry = state.unknown.get(name);
  return {
    name,
    code: "UNKNOWN_RESOURCE",
    text: `"${name}" is not touched: what became of its ${entry?.intent.operation ?? "last call"} is not known (${entry?.why ?? "no answer"}). It is looked for again by each run; "wfctl state resolve ${name} --id ID" or "--absent" settles it`,
  };
}
