import type { Diagnostic, Json, JsonObject, Plan, PlanAction } from "@wfctl/model";
import { countActions } from "../action-words.ts";
import type { PlanFacts } from "../view.ts";

/** `wfctl/plan/1`. The plan is expected without secrets. */
export function planToJson(plan: Plan, facts: PlanFacts): JsonObject {
  return {
    schema: "wfctl/plan/1",
    id: plan.id,
    createdAt: plan.createdAt,
    command: plan.command,
    stack: { ...plan.stack },
    serial: plan.serial,
    onFailure: plan.onFailure,
    providers: plan.providers.map((provider) => ({ ...provider })),
    summary: { ...countActions(plan.actions), unchanged: plan.unchanged },
    actions: plan.actions.map(actionToJson),
    notes: [
      ...plan.notes.map((note) => ({ ...note })),
      ...facts.notes.map((text) => ({ name: "", code: "NOTE", text })),
    ],
    diagnostics: facts.diagnostics.map(diagnosticToJson),
    ...(plan.readAt === undefined ? {} : { readAt: { ...plan.readAt } }),
    digest: plan.digest,
  };
}

function actionToJson(action: PlanAction): JsonObject {
  const { desired, changes, ...rest } = action;
  return {
    ...(rest as unknown as JsonObject),
    changes: changes.map((change) => ({ ...change })),
    ...(desired === undefined ? {} : { config: desired.config as Json }),
    ...(desired?.source === undefined ? {} : { source: { ...desired.source } }),
  };
}

export function diagnosticToJson(diagnostic: Diagnostic): JsonObject {
  const { source, ...rest } = diagnostic;
  return { ...rest, ...(source === undefined ? {} : { source: { ...source } }) };
}
