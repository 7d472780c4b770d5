import { actionKinds, isDestructive, type ActionKind, type PlanAction } from "@wfctl/model";

/** What a run does to a resource, as a verb before it, while it goes on, and when it is done. */
export const actionWords: Readonly<Record<ActionKind, { readonly now: string; readonly done: string }>> = {
  create: { now: "creating", done: "created" },
  update: { now: "updating", done: "updated" },
  replace: { now: "replacing", done: "replaced" },
  delete: { now: "deleting", done: "deleted" },
  adopt: { now: "taking over", done: "taken over" },
  import: { now: "importing", done: "imported" },
  forget: { now: "forgetting", done: "forgotten" },
  read: { now: "reading", done: "read" },
};

export type ActionCounts = Readonly<Record<ActionKind, number>>;

export function countActions(actions: readonly Pick<PlanAction, "kind">[]): ActionCounts {
  const counts = Object.fromEntries(actionKinds.map((kind) => [kind, 0])) as Record<ActionKind, number>;
  for (const { kind } of actions) counts[kind] += 1;
  return counts;
}

/** What removes something comes first, then changes, then what is new. In plan order otherwise. */
export function orderForReading<T extends Pick<PlanAction, "kind">>(actions: readonly T[]): T[] {
  const rank = ({ kind }: T): number =>
    isDestructive(kind) ? (kind === "delete" ? 0 : 1) : 2 + readingOrder.indexOf(kind);
  return actions.toSorted((a, b) => rank(a) - rank(b));
}

const readingOrder: readonly ActionKind[] = ["forget", "update", "create", "adopt", "import", "read"];
