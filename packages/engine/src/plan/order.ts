import type { Diagnostic, ResourceRecord } from "@wfctl/model";
import { findCircle } from "../graph/find-circle.ts";
import { topologicalOrder } from "../graph/topology.ts";
import type { Draft } from "./drafts.ts";

/** Old objects that must go before what stands on them can move to the new ones: no order of one run does that. */
export function circleDiagnostics(
  drafts: readonly Draft[],
  nodes: readonly { readonly action: number; readonly half: string; readonly after: readonly number[] }[],
): Diagnostic[] {
  const circle = findCircle(nodes.map((node) => node.after));
  if (circle === undefined) return [];
  const steps = circle.map((index) => {
    const node = nodes[index] as { action: number; half: string };
    const draft = drafts[node.action] as Draft;
    return `${node.half === "main" ? draft.kind : `${node.half} of the replace`} of "${draft.name}"`;
  });
  const first = drafts[(nodes[circle[0] as number] as { action: number }).action] as Draft;
  return [
    {
      severity: "error",
      code: "CYCLE",
      address: first.name,
      summary: `Actions of the plan wait for each other in a circle: ${steps.join(" waits for ")}`,
      hint: 'Apply the change in two steps, or set "lifecycle: {replace: create-first}" on what is replaced',
    },
  ];
}

/** Records so that dependents come before what they depend on; ties by name. */
export function deletionOrder(records: ReadonlyMap<string, ResourceRecord>): ResourceRecord[] {
  const names = [...records.keys()].toSorted();
  let order: string[];
  try {
    order = topologicalOrder(names, (name) => records.get(name)?.dependencies ?? []);
  } catch {
    // Recorded edges can only be circular in a foreign or repaired state: any order is as good as another.
    order = names;
  }
  return order.toReversed().map((name) => records.get(name) as ResourceRecord);
}

/** Actions that each action waits for, from the edges between their nodes. */
export function actionOrder(
  count: number,
  nodes: readonly { readonly action: number; readonly after: readonly number[] }[],
): number[][] {
  const after = Array.from({ length: count }, () => new Set<number>());
  for (const node of nodes) {
    for (const before of node.after) {
      const action = (nodes[before] as { action: number }).action;
      if (action !== node.action) (after[node.action] as Set<number>).add(action);
    }
  }
  return after.map((set) => [...set].toSorted((a, b) => a - b));
}
