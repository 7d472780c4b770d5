/**
 * How a planned action ended. Each planned action ends in exactly one of these.
 * `COMPENSATED` and `COMPENSATION_FAILED` also rewrite a filled slot when a run is undone: the only rewrite there is.
 */
export const actionStatus = {
  SUCCESS: "SUCCESS",
  ERROR: "ERROR",
  DELETE_FAILED: "DELETE_FAILED",
  COMPENSATED: "COMPENSATED",
  COMPENSATION_FAILED: "COMPENSATION_FAILED",
  SKIPPED: "SKIPPED",
} as const;
export type ActionStatus = (typeof actionStatus)[keyof typeof actionStatus];

/**
 * What a run does with one resource. `forget` and `read` change nothing in the cloud; `adopt` (an object that was found) and
 * `import` (an object that the configuration names by its id) only where the object is not as wanted.
 */
export const actionKinds = ["create", "update", "replace", "delete", "adopt", "import", "forget", "read"] as const;
export type ActionKind = (typeof actionKinds)[number];

export const actionSymbols: Readonly<Record<ActionKind, string>> = {
  create: "+",
  update: "~",
  replace: "±",
  delete: "-",
  adopt: "&",
  import: "=",
  forget: "!",
  read: "?",
};

/** Actions that remove something from the cloud. Shown first, counted apart, guarded by protection. */
export function isDestructive(kind: ActionKind): boolean {
  return kind === "delete" || kind === "replace";
}
