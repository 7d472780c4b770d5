import {
  sizeTiers,
  type DesiredResource,
  type FieldChange,
  type JsonObject,
  type ReplaceMode,
  type ResourceRecord,
} from "@wfctl/model";
import type { Provider, TypeTraits } from "../ports/index.ts";
import { isAdoptedByType } from "./adoption.ts";
import { compareRecord, type Replace } from "./compare-record.ts";
import { createDecision, type DecideContext, type Decision, type DecisionBase } from "./decision.ts";
import { fingerprint } from "./fingerprint.ts";
import { decideImport } from "./import-object.ts";
import { decideAdoption, readExisting } from "./look-up-object.ts";
import { isOnlyRead, leavesReason, otherObjectReason } from "./other-object.ts";
import { settleRecord } from "./record-live.ts";
import { resolveConfig, type ResolvedConfig } from "./resolve.ts";

/** Decides without a call where it can, so that an unchanged resource costs no promise. */
export function decide(resource: DesiredResource, context: DecideContext): Decision | Promise<Decision> {
  const sizing = needsSizing(resource) ? context.sizing(context.provider, resource) : undefined;
  if (sizing instanceof Promise) return sizing.then((resolved) => decideSized(resource, context, resolved));
  return decideSized(resource, context, sizing);
}

function needsSizing(resource: DesiredResource): boolean {
  return resource.size !== undefined && (sizeTiers as readonly string[]).includes(resource.size);
}

function decideSized(
  resource: DesiredResource,
  context: DecideContext,
  sizing: JsonObject | undefined,
): Decision | Promise<Decision> {
  const { input, provider, record } = context;
  const resolved = resolveConfig(resource, {
    env: input.env,
    bounded: input.bounded,
    source: context.source,
    sizing,
    recordedInputs: record?.inputs,
    traits: provider.traits(resource.type),
  });
  if (resolved.sensitive.length > 0) context.secrets.add(resolved.config, resolved.sensitive);
  const base: DecisionBase = {
    sizing,
    unknown: [...resolved.unknown.keys()],
    waits: resolved.mayChange.size === 0 ? resolved.unknown : new Map([...resolved.unknown, ...resolved.mayChange]),
    missing: resolved.missing,
  };
  const wanted = context.importing;
  if (wanted !== undefined && record?.providerId !== wanted.id) {
    return context
      .call(() => decideImport(resource, context, { wanted, sizing, base }))
      .then(
        // The entry has done its work: the object is recorded under the provider's own id.
        (decision) => decision ?? decideRecorded(resource, context, { resolved, base }),
      );
  }
  return decideRecorded(resource, context, { resolved, base });
}

function decideRecorded(
  resource: DesiredResource,
  context: DecideContext,
  { resolved, base }: { readonly resolved: ResolvedConfig; readonly base: DecisionBase },
): Decision | Promise<Decision> {
  const { input, provider, record } = context;
  const traits = provider.traits(resource.type);
  const other = record === undefined ? undefined : otherObjectReason(resource, record, provider);
  const leaving = other === undefined || record === undefined ? [] : [leavesReason(record)];
  if (resource.existing) return context.call(() => readExisting(resource, context, base, leaving));
  const released = record !== undefined && wasOnlyRead(resource, record);
  if (record === undefined || released) {
    // An object that was only read is taken over; one that cannot be meant any more is left as it is.
    const looks = resource.adoptExisting || isAdoptedByType(resource.type) || (released && other === undefined);
    if (!looks) return createDecision(base, ["it does not exist", ...leaving], resolved.config);
    return context.call(() => decideAdoption(resource, context, resolved, base, leaving));
  }
  const replace: Replace = (reasons, changes: readonly FieldChange[] = []) => ({
    ...base,
    kind: "replace",
    changes,
    reasons,
    replaceMode: replaceModeOf(resource, traits),
    outputs: { record, known: "unknown" },
  });
  const reason = replaceReason(resource, record, provider, input.replace);
  if (reason !== undefined) return replace([reason]);
  const digest =
    resolved.unknown.size === 0 ? fingerprint(input.digester, provider, resource, resolved.config) : undefined;
  const revisit = record.revisitAt !== undefined && Date.parse(record.revisitAt) <= input.clock.now();
  const trusted = record.mark === undefined && !input.refresh && !revisit && resolved.mayChange.size === 0;
  if (trusted && digest !== undefined && digest === record.fingerprint) {
    const settle = settleRecord(resource, record, { digest, resolved, always: false });
    return {
      ...base,
      kind: "none",
      changes: [],
      reasons: [],
      ...(settle === undefined ? {} : { settle }),
      outputs: { record, known: "known" },
    };
  }
  return context.call(() => compareRecord(resource, context, { resolved, digest, revisit, replace, base, record }));
}

/** `existing: true` was dropped: from now on the object would be written, so it is taken over first. */
function wasOnlyRead(resource: DesiredResource, record: ResourceRecord): boolean {
  return isOnlyRead(record) && resource.lifecycle.retain !== true;
}

/** Why there is nothing to compare: the object has to make room for another one. */
function replaceReason(
  resource: DesiredResource,
  record: ResourceRecord,
  provider: Provider,
  asked: ReadonlySet<string>,
): string | undefined {
  const other = otherObjectReason(resource, record, provider);
  if (other !== undefined) return other;
  if (record.mark === "tainted") return `it is tainted: ${record.markReason ?? "an earlier run left it incomplete"}`;
  return asked.has(resource.name) ? "--replace names it" : undefined;
}

function replaceModeOf(resource: DesiredResource, traits: TypeTraits | undefined): ReplaceMode {
  return resource.lifecycle.replace ?? (traits?.createFirst === true ? "create-first" : "delete-first");
}
