import { pathToPointer, pointerToPath, expressionsIn, referencesIn } from "@wfctl/model";
import { findCircles } from "./cycles.ts";
import { child } from "./fields.ts";
import type { Names } from "./link.ts";
import type { ModuleDraft } from "./read-module.ts";
import type { Reporter, Spot } from "./reporter.ts";

/** Reports each circle of dependencies and references, at one of the places that close it. */
export function reportCircles(edges: ReadonlyMap<string, ReadonlySet<string>>, names: Names, reporter: Reporter): void {
  for (const circle of findCircles(edges)) {
    const [first = ""] = circle;
    const draft = names.resources.get(first);
    if (draft === undefined) continue;
    const { spot, pointer } = findEdge(draft, circle[1] ?? first, names);
    reporter.report(spot, {
      code: "CYCLE",
      address: first,
      pointer,
      summary:
        circle.length === 1
          ? `The resource "${first}" depends on itself`
          : `Resources depend on each other in a circle: ${showCircle(circle)}`,
      hint: "Remove one of these dependencies or references",
    });
  }
}

function showCircle(circle: readonly string[]): string {
  const names = [...circle, ...circle.slice(0, 1)];
  if (names.length <= 12) return names.join(" -> ");
  return [...names.slice(0, 6), `… ${names.length - 9} more …`, ...names.slice(-3)].join(" -> ");
}

function findEdge(draft: ModuleDraft, target: string, names: Names): { readonly spot: Spot; readonly pointer: string } {
  const means = (name: unknown): boolean => typeof name === "string" && (names.renamed.get(name) ?? name) === target;
  for (const [pointer, expression] of expressionsIn(draft.config)) {
    if (![...referencesIn(expression)].some((part) => "resource" in part && means(part.resource))) continue;
    return { spot: draft.spotOf(pointerToPath(pointer)), pointer: `/config${pointer}` };
  }
  for (const [list, path] of [
    [draft.config["depends_on"], ["config", "depends_on"]],
    [draft.entry.value["dependsOn"], ["dependsOn"]],
  ] as const) {
    const index = Array.isArray(list) ? list.findIndex(means) : -1;
    if (index < 0) continue;
    const spot =
      path[0] === "config" ? draft.spotOf(["depends_on", index]) : child(draft.entry.spot, "dependsOn", index);
    return { spot, pointer: pathToPointer([...path, index]) };
  }
  return { spot: draft.entry.spot, pointer: "" };
}
