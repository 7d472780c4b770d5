import type { PlanNode } from "@wfctl/model";
import { actionOf, type Run } from "./run.ts";

/** Where nothing at all is known every call is expected to take as long as the others. */
const unknownMs = 1000;
/** What nobody knows is taken for longer than all that is known: it goes early, and is known from then on. */
const longerThanKnown = 2;
/** Nodes that only read or forget: what counts is what waits for them. */
const quietMs = 1;

/** How long each node is expected to take, in milliseconds: as such calls took, or else as the plugin says of its types. */
export function weighNodes(run: Run): (node: number) => number {
  const expected = run.plan.nodes.map((node) => expectedMs(run, node));
  let longestMs = 0;
  for (const ms of expected) longestMs = Math.max(longestMs, ms ?? 0);
  const otherMs = longestMs > quietMs ? longerThanKnown * longestMs : unknownMs;
  return (node) => Math.max(quietMs, expected[node] ?? otherMs);
}

function expectedMs(run: Run, node: PlanNode): number | undefined {
  const { provider, type, kind, prior } = actionOf(run, node);
  const isDelete = kind === "delete" || node.half === "delete";
  if (!isDelete && kind !== "create" && kind !== "replace" && kind !== "update") return quietMs;
  const module = run.deps.providers.get(isDelete ? (prior?.provider ?? provider) : provider);
  if (module === undefined) return undefined;
  const called = isDelete ? (prior?.type ?? type) : type;
  const operation = isDelete ? "delete" : kind === "update" ? "update" : "create";
  return run.durations.expectedMs(module.name, called, operation) ?? module.traits(called)?.typicalMs?.[operation];
}
