import type { ActionError, ApplyResult, Outcome, Plan, ResourceOutput, ResourceRecord } from "@wfctl/model";
import type { FinalizeError } from "../finalize/finalize.ts";

/** The run as the record that is stored, sent and printed. */
export function buildApplyResult(
  plan: Plan,
  outcomes: readonly Outcome[],
  records: ReadonlyMap<string, ResourceRecord>,
  replacedIds: ReadonlyMap<string, string>,
  finalizeErrors: readonly FinalizeError[],
): ApplyResult {
  const resources: ResourceOutput[] = [];
  const errors: ActionError[] = [];
  for (const outcome of outcomes) {
    const action = plan.actions[outcome.action];
    if (action === undefined) continue;
    if (outcome.status === "SUCCESS" && action.kind !== "delete" && action.kind !== "forget") {
      const record = records.get(action.name);
      if (record !== undefined) {
        resources.push({
          name: record.name,
          type: record.type,
          providerId: record.providerId,
          outputs: record.outputs,
          sensitive: record.sensitiveOutputs,
          status: "",
        });
      }
    }
    if (outcome.status !== "SUCCESS" && outcome.status !== "SKIPPED") {
      errors.push({ resource: action.name, action: action.kind, error: outcome.message ?? "" });
    }
  }
  if (finalizeErrors.length > 0) {
    errors.push({
      resource: "<plan-finalize>",
      action: "finalize",
      error: finalizeErrors.map((error) => `${error.resource}/${error.action}: ${error.error}`).join("; "),
    });
  }
  return {
    planId: plan.id,
    resources,
    errors,
    initialInputSnapshot: {},
    inputDriftReport: [],
    replaceIdMap: Object.fromEntries(replacedIds),
    actions: outcomes.map((outcome) => ({
      actionIndex: outcome.action,
      status: outcome.status,
      error: outcome.message ?? "",
    })),
  };
}
