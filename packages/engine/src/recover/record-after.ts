import type { Intent, RecordChange, ResourceRecord } from "@wfctl/model";
import {
  completeRecord,
  deposedOf,
  replyFault,
  unsure,
  unsureInputs,
  withFailedDelete,
  withoutObject,
} from "../apply/records.ts";
import type { LiveObject } from "../ports/index.ts";
import type { Recovery } from "./recover-runs.ts";
import type { Resolved } from "./resolve-one.ts";

/** What the record is, given the evidence; undefined where it stays as it is. */
export function recordAfter(recovery: Recovery, intent: Intent, resolved: Resolved): RecordChange | undefined {
  const { resolution, provider } = resolved;
  const current = recovery.records.get(intent.name);
  if (intent.operation === "delete") {
    if (current === undefined || resolution.found === "unknown") return undefined;
    if (resolution.found === "there" && intent.deposed === undefined) return { put: withFailedDelete(current) };
    if (resolution.found !== "absent" && resolution.found !== "gone") return undefined;
    return withoutObject(current, intent.deposed ?? intent.providerId ?? current.providerId);
  }
  if (resolution.found === "gone" && current !== undefined) {
    return { put: { ...current, mark: "dirty", markReason: "the object was not there any more" } };
  }
  if (intent.after === undefined || resolution.found !== "ours") return undefined;
  const object = asOwn(resolution.object, intent);
  const complete = isComplete(intent, resolved);
  const providers = new Map(provider === undefined ? [] : [[intent.after.provider, provider]]);
  const made = completeRecord(
    { secrets: recovery.secrets, deps: { ...recovery.deps, providers } },
    intent.after,
    object,
    {
      createdByUs: intent.operation === "create" ? resolution.proven : (intent.before?.createdByUs ?? false),
      ...(complete
        ? {}
        : {
            mark: "dirty",
            markReason: `its ${intent.operation} was interrupted`,
            ...unsure(intent.after, intent.operation === "update" ? intent.before : undefined),
            ...(intent.operation === "update"
              ? unsureInputs(intent.after, intent.before, provider?.traits(intent.type))
              : {}),
          }),
    },
  );
  return { put: withOldObject(made, intent) };
}

/** The effect is there, whole, and told as the contract demands. */
export function isComplete(intent: Intent, { resolution }: Resolved): boolean {
  if (intent.operation === "delete") return resolution.found === "absent" || resolution.found === "gone";
  if (resolution.found !== "ours" || !resolution.complete) return false;
  return replyFault(asOwn(resolution.object, intent), intent.name, intent.type) === undefined;
}

/** The new object of a create-first replace stands beside the old one, which a later plan deletes. */
function withOldObject(made: ResourceRecord, intent: Intent): ResourceRecord {
  const old = intent.before;
  if (intent.half !== "create" || old === undefined || intent.operation !== "create") return made;
  return { ...made, deposed: [...old.deposed, deposedOf(old, intent.run)] };
}

function asOwn(object: LiveObject, intent: Intent): LiveObject {
  return object.providerId === "" && intent.providerId !== undefined
    ? { ...object, providerId: intent.providerId }
    : object;
}
