import type { NodeHalf, PlanAction, PlanNode, ResourceRecord } from "@wfctl/model";
import { recordedDependents } from "./recorded-dependents.ts";

type DraftAction = Pick<PlanAction, "kind" | "name" | "replaceMode" | "deposed">;

/**
 * The graph of a plan. Creates and updates run along the edges, deletes against them: an object goes only after
 * everything whose record refers to it was updated, replaced or deleted. A replace has two nodes.
 */
export function buildNodes(
  actions: readonly DraftAction[],
  dependenciesOf: (name: string) => readonly string[],
  records: ReadonlyMap<string, ResourceRecord>,
): PlanNode[] {
  const nodes: { action: number; half: NodeHalf; after: Set<number>; cleanup: boolean }[] = [];
  /** What a dependent of the resource waits for. */
  const made = new Map<string, number>();
  /** What an object that the resource's record refers to waits for, before it may go. */
  const letGo = new Map<string, number>();
  const oldHalf = new Map<string, number>();
  const deposedNodes: number[] = [];
  for (const [action, draft] of actions.entries()) {
    const add = (half: NodeHalf, cleanup: boolean): number =>
      nodes.push({ action, half, after: new Set(), cleanup }) - 1;
    if (draft.deposed !== undefined) {
      deposedNodes.push(add("main", true));
      continue;
    }
    switch (draft.kind) {
      case "replace": {
        const createFirst = draft.replaceMode === "create-first";
        const first = add(createFirst ? "create" : "delete", false);
        const second = add(createFirst ? "delete" : "create", createFirst);
        made.set(draft.name, createFirst ? first : second);
        letGo.set(draft.name, createFirst ? second : first);
        oldHalf.set(draft.name, createFirst ? second : first);
        (nodes[second] as { after: Set<number> }).after.add(first);
        break;
      }
      case "delete":
      case "forget": {
        const node = add("main", true);
        letGo.set(draft.name, node);
        oldHalf.set(draft.name, node);
        break;
      }
      default: {
        const node = add("main", false);
        made.set(draft.name, node);
        letGo.set(draft.name, node);
      }
    }
  }
  const dependents = recordedDependents(records);
  for (const draft of actions) {
    if (draft.deposed !== undefined) continue;
    const own = made.get(draft.name);
    if (own !== undefined) {
      for (const dependency of dependenciesOf(draft.name)) {
        const before = made.get(dependency);
        if (before !== undefined && before !== own) (nodes[own] as { after: Set<number> }).after.add(before);
      }
    }
    const going = oldHalf.get(draft.name);
    if (going === undefined) continue;
    for (const dependent of dependents.get(draft.name) ?? []) {
      const gone = letGo.get(dependent);
      if (gone === undefined || gone === going) continue;
      // The old half of a delete-first replace comes before its dependents' new halves, so it waits for their deletes only.
      const node = nodes[gone] as { half: NodeHalf; action: number };
      const dependentAction = actions[node.action] as DraftAction;
      const isDelete =
        dependentAction.kind === "delete" || (dependentAction.kind === "replace" && node.half === "delete");
      const deleteFirst = draft.kind === "replace" && draft.replaceMode !== "create-first";
      if (!deleteFirst || isDelete) (nodes[going] as { after: Set<number> }).after.add(gone);
    }
  }
  for (const node of deposedNodes) {
    const name = (actions[(nodes[node] as { action: number }).action] as DraftAction).name;
    // Dependents may still stand on the old object: it goes after they were looked after, and before the resource itself.
    for (const dependent of dependents.get(name) ?? []) {
      const other = letGo.get(dependent);
      if (other !== undefined) (nodes[node] as { after: Set<number> }).after.add(other);
    }
    const own = made.get(name);
    const going = oldHalf.get(name);
    if (own !== undefined) (nodes[node] as { after: Set<number> }).after.add(own);
    else if (going !== undefined) (nodes[going] as { after: Set<number> }).after.add(node);
  }
  letDeposedGoFirst(actions, nodes, deposedNodes, oldHalf, records);
  holdBackDeletes(actions, nodes, made, oldHalf, dependenciesOf);
  liftCleanup(nodes);
  return nodes.map((node) => ({ action: node.action, half: node.half, after: [...node.after], cleanup: node.cleanup }));
}

/** What a deposed object stands on goes after it. A delete-first replace does not wait: it would have to wait for its own new half. */
function letDeposedGoFirst(
  actions: readonly DraftAction[],
  nodes: readonly { readonly action: number; readonly after: Set<number> }[],
  deposedNodes: readonly number[],
  oldHalf: ReadonlyMap<string, number>,
  records: ReadonlyMap<string, ResourceRecord>,
): void {
  const draftOf = (node: number): DraftAction => actions[(nodes[node] as { action: number }).action] as DraftAction;
  const edgesOf = (node: number): readonly string[] => {
    const { name, deposed } = draftOf(node);
    return records.get(name)?.deposed.find((each) => each.providerId === deposed)?.dependencies ?? [];
  };
  for (const node of deposedNodes) {
    const draft = draftOf(node);
    const edges = edgesOf(node);
    for (const other of deposedNodes) {
      const { name } = draftOf(other);
      const back = edgesOf(other).includes(draft.name);
      if (name !== draft.name && edges.includes(name) && !back)
        (nodes[other] as { after: Set<number> }).after.add(node);
    }
    for (const dependency of edges) {
      const going = oldHalf.get(dependency);
      if (going === undefined || dependency === draft.name) continue;
      const other = nodes[going] as { action: number; after: Set<number> };
      const { kind, replaceMode } = actions[other.action] as DraftAction;
      if (kind !== "replace" || replaceMode === "create-first") other.after.add(node);
    }
  }
}

/**
 * The old half of a delete-first replace waits for what its new half needs, so that a parent's failure leaves the old object
 * alone. Where a parent is itself replaced delete-first that would be a circle: there the old half cannot wait.
 */
function holdBackDeletes(
  actions: readonly DraftAction[],
  nodes: { after: Set<number> }[],
  made: ReadonlyMap<string, number>,
  oldHalf: ReadonlyMap<string, number>,
  dependenciesOf: (name: string) => readonly string[],
): void {
  const isDeleteFirst = new Set(
    actions
      .filter((draft) => draft.kind === "replace" && draft.replaceMode !== "create-first")
      .map((draft) => draft.name),
  );
  if (isDeleteFirst.size === 0) return;
  const standsOnDeleteFirst = new Map<string, boolean>();
  const check = (name: string): boolean => {
    const known = standsOnDeleteFirst.get(name);
    if (known !== undefined) return known;
    standsOnDeleteFirst.set(name, false);
    const found = dependenciesOf(name).some(
      (dependency) => made.has(dependency) && (isDeleteFirst.has(dependency) || check(dependency)),
    );
    standsOnDeleteFirst.set(name, found);
    return found;
  };
  for (const name of isDeleteFirst) {
    const old = oldHalf.get(name) as number;
    for (const dependency of dependenciesOf(name)) {
      const parent = made.get(dependency);
      if (parent !== undefined && !isDeleteFirst.has(dependency) && !check(dependency))
        (nodes[old] as { after: Set<number> }).after.add(parent);
    }
  }
}

/** What has to happen before a create or update is no clean-up: it cannot wait behind the barrier. */
function liftCleanup(nodes: { after: Set<number>; cleanup: boolean }[]): void {
  const stack = [...nodes.keys()].filter((index) => !(nodes[index] as { cleanup: boolean }).cleanup);
  while (stack.length > 0) {
    const index = stack.pop() as number;
    for (const before of (nodes[index] as { after: Set<number> }).after) {
      const node = nodes[before] as { cleanup: boolean };
      if (!node.cleanup) continue;
      node.cleanup = false;
      stack.push(before);
    }
  }
}
