import { WfctlError, type PlanNode } from "@wfctl/model";
import { tailWeights } from "../graph/critical-path.ts";
import type { NodeEnd } from "./call-ends.ts";
import { cutShort, endsEarly, type NodeFacts } from "./early-ends.ts";
import { executeNode } from "./execute-node.ts";
import { inHookOrder } from "./hooks.ts";
import type { Slot } from "./intent.ts";
import { NotSent } from "./operate.ts";
import { weighNodes } from "./node-weights.ts";
import { actionOf, commit, halt, type Run } from "./run.ts";
import { fillSlot, settleNode } from "./settle.ts";
import { createSlots, toPriority, type HeldSlot } from "./slots.ts";

/** Ranks are made anew at most so often over a run: each time costs as much as the plan is long. */
const mostRankings = 64;

export interface Schedule {
  /** Resolves when every node but those behind the barrier has ended. */
  runMainPhase(): Promise<void>;
  /** Lets the nodes behind the barrier go, and resolves when all have ended. */
  runCleanupPhase(): Promise<void>;
}

/**
 * Runs the nodes of the plan along its edges: longest tail first, by the times that calls are known to take, within the
 * slots of each provider.
 * A dependent starts when the outcomes it waits for are on their way to the journal; its own intent comes after them there.
 */
export function createSchedule(run: Run): Schedule {
  const { nodes } = run.plan;
  const hasBarrier = run.plan.onFailure !== "continue";
  const after = nodes.map((node) => node.after);
  let tails = tailWeights(after, weighNodes(run));
  let rankedAt = { revision: run.durations.revision(), left: nodes.length };
  const states: ("waiting" | "ready" | "running" | "done" | "failed")[] = nodes.map(() => "waiting");
  const open = new Int32Array(nodes.length);
  const dependents: number[][] = nodes.map(() => []);
  for (const [index, node] of nodes.entries()) {
    open[index] = node.after.length;
    for (const before of node.after) (dependents[before] as number[]).push(index);
  }
  const isSecondHalf = nodes.map((node) =>
    node.after.some((before) => (nodes[before] as PlanNode).action === node.action),
  );
  const behindBarrier = (index: number): boolean => hasBarrier && (nodes[index] as PlanNode).cleanup;
  const slots = createSlots(
    run,
    (node) => tails[node] as number,
    () => pump(),
  );
  const late: number[] = [];
  let mainLeft = nodes.filter((_, index) => !behindBarrier(index)).length;
  let allLeft = nodes.length;
  let running = 0;
  let barrierOpen = false;
  let pumping = false;
  let wake: (() => void) | undefined;

  /** Under a policy with a barrier the halves that cannot be undone go as late as the edges allow. */
  const isLate = (index: number): boolean => {
    const node = nodes[index] as PlanNode;
    return hasBarrier && !node.cleanup && (node.half === "delete" || actionOf(run, node).kind === "delete");
  };
  const push = (index: number): void => slots.push(actionOf(run, nodes[index] as PlanNode).provider, index);
  /** Makes the ranks anew where calls turn out to take other times than was thought. */
  const rankAgain = (): void => {
    const revision = run.durations.revision();
    if (revision === rankedAt.revision || (rankedAt.left - allLeft) * mostRankings < nodes.length) return;
    rankedAt = { revision, left: allLeft };
    tails = tailWeights(after, weighNodes(run));
    slots.reorder();
  };
  const enqueue = (index: number): void => {
    if (states[index] !== "waiting" || (behindBarrier(index) && !barrierOpen)) return;
    states[index] = "ready";
    if (isLate(index)) late.push(index);
    else push(index);
  };
  const finish = (index: number, succeeded: boolean): void => {
    if (states[index] === "done" || states[index] === "failed") return;
    states[index] = succeeded ? "done" : "failed";
    allLeft -= 1;
    if (!behindBarrier(index)) mainLeft -= 1;
    for (const dependent of dependents[index] as number[]) {
      open[dependent] = (open[dependent] as number) - 1;
      if (open[dependent] === 0) enqueue(dependent);
    }
  };
  const pump = (): void => {
    // Nodes that end early finish at once and release others: one loop, however long the chain.
    if (pumping) return;
    pumping = true;
    rankAgain();
    for (let progress = true; progress;) {
      progress = false;
      for (let next = slots.pop(run.halt !== undefined); next !== undefined; next = slots.pop(run.halt !== undefined)) {
        progress = true;
        start(next.node, next.slot);
      }
      if (!progress && late.length > 0 && (running === 0 || run.halt !== undefined)) {
        for (const index of late.splice(0, run.halt === undefined ? 1 : late.length)) push(index);
        progress = true;
      }
    }
    pumping = false;
    if ((barrierOpen ? allLeft : mainLeft) === 0 && running === 0) wake?.();
  };
  const start = (index: number, slot: HeldSlot): void => {
    const node = nodes[index] as PlanNode;
    states[index] = "running";
    const failedNode = node.after.find((before) => states[before] === "failed");
    const failedAction = failedNode === undefined ? undefined : (nodes[failedNode] as PlanNode).action;
    const facts: NodeFacts = { node, isSecondHalf: isSecondHalf[index] as boolean, failedAction };
    if (endsEarly(run, facts)) {
      slot.release();
      finish(index, false);
      return;
    }
    running += 1;
    const release = (succeeded: boolean): void => {
      slot.release();
      finish(index, succeeded);
      pump();
    };
    runNode(index, slot, release)
      .then(
        (succeeded) => succeeded,
        (thrown: unknown) => {
          failInside(run, facts, thrown);
          return false;
        },
      )
      .then((succeeded) => {
        running -= 1;
        slot.release();
        finish(index, succeeded);
        pump();
      })
      .catch((thrown: unknown) => failInside(run, facts, thrown));
  };
  const runNode = async (index: number, slot: Slot, release: (succeeded: boolean) => void): Promise<boolean> => {
    const node = nodes[index] as PlanNode;
    if (run.deps.hooks?.onBeforeAction !== undefined && isSecondHalf[index] !== true) {
      const refused = await askGate(run, node);
      if (refused !== undefined) return settleNode(run, node, refused, slot, release);
      if (run.halt !== undefined) throw new NotSent();
    }
    if (behindBarrier(index)) await startCleanup(run);
    const end = await executeNode(run, {
      node,
      get priority() {
        return toPriority(tails[index] as number);
      },
      slot,
      isSecondHalf: isSecondHalf[index] as boolean,
    });
    return settleNode(run, node, end, slot, release);
  };
  const whenQuiet = (): Promise<void> =>
    new Promise<void>((resolve) => {
      wake = () => {
        wake = undefined;
        resolve();
      };
      for (let index = 0; index < nodes.length; index += 1) if (open[index] === 0) enqueue(index);
      pump();
    });
  return {
    runMainPhase: whenQuiet,
    runCleanupPhase() {
      barrierOpen = true;
      return whenQuiet();
    },
  };
}

async function askGate(run: Run, node: PlanNode): Promise<NodeEnd | undefined> {
  const action = actionOf(run, node);
  try {
    await inHookOrder(run, async () => run.deps.hooks?.onBeforeAction?.(action, run.calls.signal));
    return undefined;
  } catch (thrown) {
    const message = run.secrets.redact(thrown instanceof Error ? thrown.message : String(thrown));
    const error = new WfctlError("GATE_REFUSED", `The gate refused to ${action.kind} "${action.name}": ${message}`, {
      address: action.name,
      cause: thrown,
    });
    halt(run, { kind: "fatal", error });
    run.failed = true;
    return { end: "outcome", status: "SKIPPED", code: "GATE_REFUSED", message: `The gate refused: ${message}` };
  }
}

/** The point of no return: durable before the first call of the clean-up phase. */
async function startCleanup(run: Run): Promise<void> {
  run.cleanupMark ??= commit(run, [{ kind: "cleanup-started", run: run.id }]);
  run.cleanupStarted = true;
  try {
    await run.cleanupMark;
  } catch (thrown) {
    throw new NotSent(WfctlError.from(thrown, "STORE_UNAVAILABLE"));
  }
}

/** Nothing was sent because the run stopped or the store refused; or wfctl itself failed, which ends the run. */
function failInside(run: Run, facts: NodeFacts, thrown: unknown): void {
  run.failed = true;
  if (thrown instanceof NotSent) {
    if (thrown.error !== undefined) halt(run, { kind: "fatal", error: thrown.error });
    cutShort(run, facts);
    return;
  }
  const error = WfctlError.from(thrown);
  halt(run, { kind: "fatal", error });
  fillSlot(run, facts.node, { status: "ERROR", code: error.code, message: error.message });
}
