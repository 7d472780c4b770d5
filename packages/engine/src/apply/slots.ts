import { createReadyQueue } from "../graph/ready-queue.ts";
import type { Slot } from "./intent.ts";
import type { Run } from "./run.ts";

/** Open calls per provider that limits itself: enough to keep its limiter busy, few enough to keep memory flat. */
const selfLimitedSlots = 256;

export interface HeldSlot extends Slot {
  release(): void;
}

/** Ready nodes by provider module, and the slots that they start in. */
export interface Slots {
  push(module: string, node: number): void;
  /** The node that goes first of those that a slot is free for, with its slot. `all`: whether one is free or not. */
  pop(all: boolean): { readonly node: number; readonly slot: HeldSlot } | undefined;
  /** To be called when ranks have changed: what waits here and in plugins goes by the new ones. */
  reorder(): void;
}

interface Module {
  readonly ready: ReturnType<typeof createReadyQueue>;
  readonly limit: number;
  held: number;
}

/** The rank of a node as calls carry it. */
export function toPriority(rank: number): number {
  return Math.min(Math.ceil(rank), 2 ** 32 - 1);
}

/** The node of the highest rank goes first. `onFree` is called when a call begins to wait: its slot may serve another one. */
export function createSlots(run: Run, rankOf: (node: number) => number, onFree: () => void): Slots {
  const modules = new Map<string, Module>();
  const watchers = new Map<number, (priority: number) => void>();
  const createModule = (name: string): Module => {
    const self = run.deps.providers.get(name)?.features.ownLimits === true;
    const limit = run.options.parallelism ?? (self ? selfLimitedSlots : 10);
    const module = { ready: createReadyQueue(rankOf), limit, held: 0 };
    modules.set(name, module);
    return module;
  };
  const take = (module: Module, node: number): HeldSlot => {
    let state: "held" | "waiting" | "released" = "held";
    module.held += 1;
    return {
      waiting(isWaiting) {
        if (state === "released" || isWaiting === (state === "waiting")) return;
        state = isWaiting ? "waiting" : "held";
        module.held += isWaiting ? -1 : 1;
        if (isWaiting) onFree();
      },
      watchPriority(changed) {
        watchers.set(node, changed);
        return () => {
          if (watchers.get(node) === changed) watchers.delete(node);
        };
      },
      release() {
        if (state === "held") module.held -= 1;
        state = "released";
      },
    };
  };
  return {
    push: (name, node) => (modules.get(name) ?? createModule(name)).ready.push(node),
    pop(all) {
      for (const module of modules.values()) {
        if (!all && module.held >= module.limit) continue;
        const node = module.ready.pop();
        if (node !== undefined) return { node, slot: take(module, node) };
      }
      return undefined;
    },
    reorder() {
      for (const { ready } of modules.values()) ready.reorder();
      for (const [node, changed] of watchers) changed(toPriority(rankOf(node)));
    },
  };
}
