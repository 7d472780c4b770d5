import type { ErrorCode, Outcome, PlanAction, ProviderError, RecordChange, ResourceRecord } from "@wfctl/model";
import { providerErrorCodes } from "../plan/provider-failure.ts";
import type { LiveObject } from "../ports/index.ts";
import type { Resolution } from "../recover/resolve-intent.ts";
import type { CallEnd } from "./operate.ts";
import { completeRecord, replyFault, unsure, unsureInputs } from "./records.ts";
import type { Run } from "./run.ts";

/** How one node ended: the outcome it gives its action, or that the action goes on with its next half. */
export type NodeEnd =
  | {
      readonly end: "outcome";
      readonly status: Outcome["status"];
      readonly code?: ErrorCode;
      readonly message?: string;
      readonly causes?: readonly string[];
      readonly record?: RecordChange;
      readonly keepIntents?: boolean;
      /** The record before an action that sends nothing: journaled with the outcome, for an undo. */
      readonly image?: ResourceRecord;
      /** The record that a create has taken the place of: put back where the create is undone. */
      readonly left?: ResourceRecord;
      /** For the applied and deleted hooks. */
      readonly hook?: { readonly applied: ResourceRecord } | { readonly deleted: string };
    }
  | {
      readonly end: "half";
      readonly record: RecordChange;
      readonly hook?: { readonly applied: ResourceRecord } | { readonly deleted: string };
    };

export type OutcomeEnd = Extract<NodeEnd, { end: "outcome" }>;

/** The end of a create or update call as a record and a status. */
export function settleWrite(
  run: Run,
  action: PlanAction,
  end: CallEnd,
  before: ResourceRecord | undefined,
): OutcomeEnd {
  const { after } = end;
  if (after === undefined) throw new Error("A create or update has a record to be");
  const isCreate = action.kind === "create" || action.kind === "replace";
  const facts: WriteFacts = {
    run,
    action,
    after,
    before,
    isCreate,
    createdByUs: isCreate ? isProven(end) : (before?.createdByUs ?? false),
  };
  if (!end.ok) return end.fault === undefined ? settleFailure(facts, end) : settleFault(facts, end, end.fault);
  const live = withId(end.live as LiveObject, before);
  const fault = replyFault(end.live as LiveObject, action.name, action.type);
  if (fault !== undefined) return badResult(facts, fault, live);
  return success(facts, live);
}

/** The object of a create is proven to be made by it. */
function isProven(end: CallEnd): boolean {
  if (end.ok) return end.createdByUs;
  return end.resolution?.found === "ours" && end.resolution.proven;
}

interface WriteFacts {
  readonly run: Run;
  readonly action: PlanAction;
  readonly after: NonNullable<CallEnd["after"]>;
  readonly before: ResourceRecord | undefined;
  readonly isCreate: boolean;
  readonly createdByUs: boolean;
}

function success(facts: WriteFacts, live: LiveObject): OutcomeEnd {
  const record = completeRecord(facts.run, facts.after, live, { createdByUs: facts.createdByUs });
  return { end: "outcome", status: "SUCCESS", record: { put: record }, hook: { applied: record } };
}

function marked(facts: WriteFacts, live: LiveObject, mark: "tainted" | "dirty", why: string): RecordChange {
  const { run, after, createdByUs } = facts;
  return {
    put: completeRecord(run, after, live, {
      mark,
      markReason: run.secrets.redact(why),
      createdByUs,
      ...unsure(after, facts.isCreate ? undefined : facts.before),
      ...(facts.isCreate
        ? {}
        : unsureInputs(after, facts.before, run.deps.providers.get(after.provider)?.traits(after.type))),
    }),
  };
}

function badResult(
  facts: WriteFacts,
  fault: string,
  live: LiveObject | undefined,
  mark: "tainted" | "dirty" = "tainted",
): OutcomeEnd {
  return {
    end: "outcome",
    status: "ERROR",
    code: "BAD_RESULT",
    message: `The provider's answer breaks the contract: ${fault}`,
    ...(live === undefined ? {} : { record: marked(facts, live, mark, fault) }),
  };
}

/** The provider says that it is done, and not what it made: the resolver looked for it. */
function settleFault(facts: WriteFacts, end: Extract<CallEnd, { ok: false }>, fault: string): OutcomeEnd {
  const { resolution } = end;
  // An object that was there before and was found under its own id is not replaced for a wrong answer.
  if (resolution?.found === "ours")
    return badResult(facts, fault, resolution.object, facts.isCreate ? "tainted" : "dirty");
  const lost = badResult(facts, fault, undefined);
  return resolution?.found === "unknown" ? { ...lost, keepIntents: true } : lost;
}

/** A refused update leaves its record dirty: only SUCCESS clears that. */
function settleFailure(facts: WriteFacts, end: Extract<CallEnd, { ok: false }>): OutcomeEnd {
  const { error, resolution } = end;
  if (resolution === undefined) return failed(providerErrorCodes[error.class], error.message);
  const message = explain(error, resolution, end.notRepeated);
  switch (resolution.found) {
    case "ours": {
      const { object, complete } = resolution;
      const fault = complete ? replyFault(object, facts.action.name, facts.action.type) : undefined;
      if (complete && fault === undefined) return success(facts, object);
      // An interrupted wait leaves a whole object behind more often than not: read it again rather than replace it.
      const mark = facts.isCreate && error.class !== "cancelled" ? "tainted" : "dirty";
      return { ...failed(incompleteCode(facts, error), message), record: marked(facts, object, mark, resolution.why) };
    }
    case "gone":
      return failed("NOT_FOUND", message);
    case "absent":
      return failed(error.answered ? providerErrorCodes[error.class] : "NOT_APPLIED", message);
    case "there":
    case "unknown":
      return {
        ...failed(resolution.found === "unknown" ? (resolution.code ?? "OUTCOME_UNKNOWN") : "OUTCOME_UNKNOWN", message),
        keepIntents: true,
      };
  }
}

/** What a provider says of a failed update is worth more than that the object is not as intended. */
function incompleteCode(facts: WriteFacts, error: ProviderError): ErrorCode {
  const passing = error.class === "transient" || error.class === "rate_limited";
  return error.answered && (passing || !facts.isCreate) ? providerErrorCodes[error.class] : "INCOMPLETE";
}

/** The end of a delete call. `removed` is the record change once the object is confirmed gone. */
export function settleDelete(end: CallEnd, removed: RecordChange): OutcomeEnd {
  const success: OutcomeEnd = { end: "outcome", status: "SUCCESS", record: removed };
  if (end.ok) return success;
  const { error, resolution } = end;
  const failed = (code: ErrorCode, message: string): OutcomeEnd => ({
    end: "outcome",
    status: "DELETE_FAILED",
    code,
    message,
  });
  if (resolution === undefined) {
    return error.class === "not_found" ? success : failed(providerErrorCodes[error.class], error.message);
  }
  const message = explain(error, resolution);
  switch (resolution.found) {
    case "absent":
    case "gone":
      return success;
    case "there":
      return failed(error.answered ? providerErrorCodes[error.class] : "INTERRUPTED", message);
    case "ours":
      return failed("INTERRUPTED", message);
    case "unknown":
      return { ...failed(resolution.code ?? "OUTCOME_UNKNOWN", message), keepIntents: true };
  }
}

function failed(code: ErrorCode, message: string): OutcomeEnd {
  return { end: "outcome", status: "ERROR", code, message };
}

function explain(error: ProviderError, resolution: Resolution, more?: string): string {
  return `${error.message} (${resolution.why})${more === undefined ? "" : `; ${more}`}`;
}

function withId(live: LiveObject, before: ResourceRecord | undefined): LiveObject {
  return live.providerId === "" ? { ...live, providerId: before?.providerId ?? "" } : live;
}
