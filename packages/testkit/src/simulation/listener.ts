import type { Hooks } from "@wfctl/engine";
import type { StackState } from "@wfctl/model";
import { hashText } from "../random/seeded-random.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

/** Somebody who is told of effects, keeps what was told, and sometimes fails. */
export interface Listener {
  /** Hooks for one host. */
  hooks(): Hooks;
  /** Fails no more. */
  calm(): void;
  /** What does not hold once everything was set right: all that the state has was told, and nothing is owed. */
  check(state: StackState): string[];
}

export function createListener(world: World, watch: Watch, faultShare: number): Listener {
  const told = new Map<string, string>();
  const count = new Map<string, number>();
  let share = faultShare;

  const draw = (text: string): number => {
    const nth = (count.get(text) ?? 0) + 1;
    count.set(text, nth);
    return hashText(`${text}/${nth}`) / 4_294_967_296;
  };
  const isDurable = (run: string, action: number): boolean => {
    const { openRuns, hooksOwed } = world.stack.disk.draft;
    return openRuns.get(run)?.hooksOwed.has(action) === true || hooksOwed.has(`${run}:${action}`);
  };
  const listen = async (at: { inside: number }, run: string, action: number, what: string): Promise<void> => {
    if (!isDurable(run, action) && !isLate(run, action))
      watch.violations.push(`the hook of action ${action} of ${run} was called before its effect was durable`);
    at.inside += 1;
    if (at.inside > 1) watch.violations.push("two hooks run at the same time");
    await world.stack.clock.sleep(1 + Math.floor(draw(`time/${what}`) * 50));
    at.inside -= 1;
    if (draw(`fault/${what}`) < share) throw new Error("the listener fails");
  };
  /** What recovery finds of an action that has its outcome already is told before it is written. */
  const isLate = (run: string, action: number): boolean => {
    const { openRuns, unknown } = world.stack.disk.draft;
    const open = openRuns.get(run);
    const inDoubt = [
      ...(open?.open.values() ?? []),
      ...[...(open?.unknown.values() ?? [])].map(({ intent }) => intent),
    ];
    return (
      inDoubt.some((intent) => intent.action === action) ||
      [...unknown.values()].some(({ intent }) => intent.run === run && intent.action === action)
    );
  };
  return {
    hooks() {
      const at = { inside: 0 };
      return {
        async onResourceApplied(run, action, record) {
          await listen(at, run, action, `applied ${record.name}`);
          told.set(record.name, record.providerId);
        },
        async onResourceDeleted(run, action, name) {
          await listen(at, run, action, `deleted ${name}`);
          told.delete(name);
        },
      };
    },
    calm() {
      share = 0;
    },
    check(state) {
      const broken = state.hooksOwed.map(
        ({ run, action, name }) => `the hook of ${name} (${run} ${action}) is still owed`,
      );
      const untold = namesWithoutHook(world);
      for (const record of state.records.values()) {
        if (untold.has(record.name) || told.get(record.name) === record.providerId) continue;
        broken.push(`the listener was told ${record.name} is ${told.get(record.name)}, it is ${record.providerId}`);
      }
      for (const name of told.keys())
        if (!state.records.has(name) && !untold.has(name))
          broken.push(`the listener was not told that ${name} is gone`);
      return broken;
    },
  };
}

/** Resources that an action or an undo has only forgotten: no hook tells of these. */
function namesWithoutHook(world: World): Set<string> {
  const names = new Set<string>();
  const { openRuns, history } = world.stack.disk.draft;
  for (const run of [...(history?.values() ?? []), ...openRuns.values()]) {
    for (const { index, kind, name } of run.header.actions) {
      const { status, message } = run.outcomes.get(index) ?? {};
      const isForgotten = status === "COMPENSATION_FAILED" && message?.includes("Forgotten, not deleted") === true;
      // An undo of these takes the record away, not the object.
      const isReleased = status === "COMPENSATED" && (kind === "adopt" || kind === "import" || kind === "read");
      if (kind === "forget" || isForgotten || isReleased) names.add(name);
    }
  }
  return names;
}
