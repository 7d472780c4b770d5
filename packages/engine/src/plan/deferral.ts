import type { DeferredValue } from "@wfctl/model";
import type { Decision } from "./decision.ts";
import { pointerToDotted } from "./describe-changes.ts";

/** Why each value of a resource that is not certain yet is not, from what is decided about the resource that gives it. */
export function describeDeferred(
  waits: Decision["waits"],
  decisions: ReadonlyMap<string, Decision>,
): readonly DeferredValue[] {
  return [...waits].map(([pointer, part]) => ({
    path: pointerToDotted(pointer),
    waitsFor: part,
    why: explain(part, decisions),
  }));
}

function explain(part: string, decisions: ReadonlyMap<string, Decision>): string {
  const name = resourceOf(part, decisions);
  if (name === undefined) return "what it refers to is not known";
  switch (decisions.get(name)?.kind) {
    case "create":
      return `"${name}" is created in this run`;
    case "replace":
      return `"${name}" is replaced in this run`;
    default:
      return `"${name}" is updated in this run, and may give another value`;
  }
}

/** The resource of `name.output`. Names may have dots: the longest one is meant. */
function resourceOf(part: string, decisions: ReadonlyMap<string, Decision>): string | undefined {
  for (let dot = part.lastIndexOf("."); dot > 0; dot = part.lastIndexOf(".", dot - 1)) {
    const name = part.slice(0, dot);
    if (decisions.has(name)) return name;
  }
  return undefined;
}
