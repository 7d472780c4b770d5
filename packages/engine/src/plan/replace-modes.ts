import type { DesiredResource, PlanNote, ReplaceMode } from "@wfctl/model";
import type { Decision } from "./decision.ts";

/**
 * A replaced dependent that is create-first needs its replaced parents create-first too: its new object comes into being
 * while the old one still stands on the parent's old object. Where a parent cannot, the dependent falls back.
 */
export function settleReplaceModes(
  order: readonly DesiredResource[],
  decisions: ReadonlyMap<string, Decision>,
  dependencies: (name: string) => readonly string[],
  /** What the old object stands on. */
  recorded: (name: string) => readonly string[],
  canCreateFirst: (resource: DesiredResource) => boolean,
): { readonly modes: ReadonlyMap<string, ReplaceMode>; readonly notes: readonly PlanNote[] } {
  const byName = new Map(order.map((resource) => [resource.name, resource]));
  const modes = new Map<string, ReplaceMode>();
  const notes: PlanNote[] = [];
  for (const resource of order) {
    const decision = decisions.get(resource.name);
    if (decision?.kind === "replace") modes.set(resource.name, decision.replaceMode ?? "delete-first");
  }
  // Dependents first: each pass may only turn a parent create-first or a dependent delete-first.
  const reversed = order.toReversed().filter((resource) => modes.has(resource.name));
  // An old object on a parent that the new one still waits for, however indirectly, is as good as an edge of today.
  const parentsOf = (name: string): readonly string[] => {
    const now = dependencies(name);
    const before = recorded(name).filter((parent) => modes.get(parent) === "delete-first" && !now.includes(parent));
    return before.length === 0 ? now : [...now, ...before.filter((parent) => reaches(name, parent, dependencies))];
  };
  let changed = true;
  const fallen = new Set<string>();
  while (changed) {
    changed = false;
    for (const resource of reversed) {
      if (modes.get(resource.name) !== "create-first") continue;
      for (const parentName of parentsOf(resource.name)) {
        const parent = byName.get(parentName);
        if (parent === undefined || modes.get(parentName) !== "delete-first") continue;
        if (canCreateFirst(parent) && !fallen.has(parentName)) {
          modes.set(parentName, "create-first");
        } else {
          modes.set(resource.name, "delete-first");
          fallen.add(resource.name);
          notes.push({
            name: resource.name,
            code: "FALLBACK",
            text: `"${resource.name}" is replaced delete-first: it stands on "${parentName}", whose old object must go before its new one can come`,
          });
        }
        changed = true;
        break;
      }
    }
  }
  return { modes, notes };
}

function reaches(from: string, to: string, dependencies: (name: string) => readonly string[]): boolean {
  const seen = new Set([from]);
  for (const name of seen) {
    for (const next of dependencies(name)) {
      if (next === to) return true;
      seen.add(next);
    }
  }
  return false;
}
