import { actionOf, type Run } from "./run.ts";

/** Weight of a node whose call takes as long as the mean. Calls that queue in a plugin keep the rank that they were sent with. */
const meanWeight = 1000;

/** How long each node is expected to take, as a share of the mean; what is not known is taken for the mean of what is. */
export function weighNodes(run: Run): (node: number) => number {
  const expected = run.plan.nodes.map((node) => {
    const { provider, type, kind, prior } = actionOf(run, node);
    const isDelete = kind === "delete" || node.half === "delete";
    const module = isDelete ? (prior?.provider ?? provider) : provider;
    const name = run.deps.providers.get(module)?.name ?? "";
    const operation = isDelete ? "delete" : kind === "update" ? "update" : "create";
    return run.durations.expectedMs(name, isDelete ? (prior?.type ?? type) : type, operation);
  });
  const known = expected.filter((ms) => ms !== undefined);
  const meanMs = Math.max(1, known.reduce((sum, ms) => sum + ms, 0) / known.length);
  return (node) => {
    const ms = expected[node];
    return ms === undefined ? meanWeight : Math.max(1, (meanWeight * ms) / meanMs);
  };
}
