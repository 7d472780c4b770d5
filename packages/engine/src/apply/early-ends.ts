import type { PlanNode } from "@wfctl/model";
import { dependenciesOf } from "../plan/resolve.ts";
import { actionOf, type Run } from "./run.ts";
import { fillSlot } from "./settle.ts";

export interface NodeFacts {
  readonly node: PlanNode;
  /** The node is the second half of a replace whose first half is done. */
  readonly isSecondHalf: boolean;
  /** Action that it waits for and that failed; undefined where none did. */
  readonly failedAction: number | undefined;
}

/** Ends a node that must not run: the run has stopped, or something it waits for did not succeed. False where there is work to do. */
export function endsEarly(run: Run, facts: NodeFacts): boolean {
  const { node } = facts;
  if (run.outcomes[node.action] !== undefined) return true;
  if (run.halt !== undefined) {
    cutShort(run, facts);
    return true;
  }
  if (facts.failedAction !== undefined) {
    const name = run.plan.actions[facts.failedAction]?.name ?? "";
    const causes = [name, ...(run.outcomes[facts.failedAction]?.causes ?? [])];
    end(run, facts, "DEPENDENCY_FAILED", `"${name}" did not succeed`, causes);
    return true;
  }
  const unknown = run.unknown.size === 0 ? undefined : unknownNeighbour(run, node);
  if (unknown !== undefined) {
    end(run, facts, "DEPENDENCY_FAILED", `What became of "${unknown}" is not known`, [unknown]);
    return true;
  }
  return false;
}

/** Ends a node of a run that has stopped before the node's own call was sent. */
export function cutShort(run: Run, facts: NodeFacts): void {
  const cancelled = run.halt?.kind === "cancelled";
  const why = run.halt?.error?.message ?? "an action failed";
  end(
    run,
    facts,
    cancelled ? "CANCELLED" : "RUN_STOPPED",
    cancelled ? "The run was cancelled before this was sent" : `The run stopped before this was sent: ${why}`,
  );
}

/** A replace whose first half is done has touched the cloud: cut short it is an error, not a skip. */
function end(
  run: Run,
  facts: NodeFacts,
  code: "CANCELLED" | "RUN_STOPPED" | "DEPENDENCY_FAILED",
  message: string,
  causes?: readonly string[],
): void {
  const { node } = facts;
  if (!facts.isSecondHalf) {
    fillSlot(run, node, { status: "SKIPPED", code, message, ...(causes === undefined ? {} : { causes }) });
    return;
  }
  const left =
    node.half === "create"
      ? "the old object is deleted, the new one is not created"
      : "the new object is current, the old one is still there";
  fillSlot(run, node, {
    status: node.half === "create" ? "ERROR" : "DELETE_FAILED",
    code: "INTERRUPTED",
    message: `${message}; ${left}. The next plan goes on from there`,
    ...(causes === undefined ? {} : { causes }),
  });
}

/** A resource of unknown state that this node stands on, or that stands on what this node deletes. */
function unknownNeighbour(run: Run, node: PlanNode): string | undefined {
  const action = actionOf(run, node);
  if (action.desired !== undefined && node.half !== "delete") {
    return dependenciesOf(action.desired).find((name) => run.unknown.has(name));
  }
  for (const [name, { intent }] of run.unknown) {
    // What it stood on, and what it may stand on by now.
    const record = run.records.get(name);
    const objects = [record, intent.after, ...(record?.deposed ?? []), ...(intent.after?.deposed ?? [])];
    if (objects.some((object) => object?.dependencies.includes(action.name) === true)) return name;
  }
  return undefined;
}
