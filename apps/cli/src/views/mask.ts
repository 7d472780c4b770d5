import { mapAtPointers, type FieldChange, type Json, type JsonObject, type Plan, type PlanAction } from "@wfctl/model";

/** What stands in the place of a secret, on a screen and in a file. */
export const masked = "(sensitive)";

/** JSON pointers of the secret values of one wanted resource. */
export type FindSecrets = (action: PlanAction) => readonly string[];

/** The plan without a secret in it: for people, for JSON output, and for a file. */
export function maskPlan(plan: Plan, findSecrets: FindSecrets): Plan {
  return { ...plan, actions: plan.actions.map((action) => maskAction(action, findSecrets(action))) };
}

function maskAction(action: PlanAction, secrets: readonly string[]): PlanAction {
  const changes = action.changes.some((change) => change.sensitive === true)
    ? action.changes.map(maskChange)
    : action.changes;
  if (action.desired === undefined || secrets.length === 0) return { ...action, changes };
  const config = maskAt(action.desired.config as JsonObject, secrets);
  return { ...action, changes, desired: { ...action.desired, config } };
}

function maskChange(change: FieldChange): FieldChange {
  if (change.sensitive !== true) return change;
  return {
    ...change,
    ...(change.old === undefined ? {} : { old: masked }),
    ...(change.new === undefined ? {} : { new: masked }),
  };
}

function maskAt(value: JsonObject, pointers: readonly string[]): JsonObject {
  return mapAtPointers(value, pointers, () => masked) as JsonObject;
}

/** Outputs with the values of the secret keys hidden. */
export function maskKeys(outputs: JsonObject, sensitive: readonly string[]): JsonObject {
  const secret = new Set(sensitive);
  return Object.fromEntries(
    Object.entries(outputs).map(([key, value]): [string, Json] => [key, secret.has(key) ? masked : value]),
  );
}
