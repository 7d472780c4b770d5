import { createTestStack, ref, scriptFaults, wanted, type TestStack } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";
import { compensateRun } from "./compensate-run.ts";

const a = wanted("a", { count: 1 });
const refuseBad = scriptFaults([
  { operation: "create", name: "bad", fault: { goes: { wrong: "refused", class: "forbidden" } } },
]);
const bad = (...names: readonly string[]) => wanted("bad", {}, { dependsOn: names });
const compensate = { onFailure: "compensate" } as const;

/** Who keeps what it is told of, by name, and fails when it is told of one of `deaf`. */
function createListener(deaf: readonly string[] = []) {
  const holds = new Map<string, unknown>();
  const told: string[] = [];
  const hear = (text: string, what: string): void => {
    told.push(text);
    if (deaf.includes(what)) throw new Error("the secret store is away");
  };
  const hooks = {
    onResourceApplied: async (_run: string, _action: number, record: { name: string; inputs?: unknown }) => {
      hear(`applied ${record.name}`, `applied ${record.name}`);
      holds.set(record.name, record.inputs);
    },
    onResourceDeleted: async (_run: string, _action: number, name: string) => {
      hear(`deleted ${name}`, `deleted ${name}`);
      holds.delete(name);
    },
  };
  return { holds, told, hooks };
}

const owed = async (stack: TestStack) => (await stack.state()).hooksOwed.map(({ name }) => name);

describe("who listens to effects is told of an undo", () => {
  test("of a create: deleted; of an update: the record of before", async () => {
    const stack = createTestStack({ provider: { faults: refuseBad } });
    const { holds, told, hooks } = createListener();
    await stack.apply([wanted("kept", { count: 1 })], { hooks });
    const run = await stack.apply([wanted("kept", { count: 2 }), a, bad("kept", "a")], { ...compensate, hooks });
    expect(run.end).toBe("compensated");
    expect([...holds]).toEqual([["kept", { count: 1 }]]);
    expect(told.slice(-2).toSorted()).toEqual(["applied kept", "deleted a"]);
    expect(await owed(stack)).toEqual([]);
  });

  test("of a create-first replace: the old object is current again", async () => {
    const stack = createTestStack({ provider: { faults: refuseBad } });
    const { holds, hooks } = createListener();
    const r = (region: string) => wanted("r", { region }, { lifecycle: { replace: "create-first" } });
    await stack.apply([r("eu")], { hooks });
    const run = await stack.apply([r("us"), bad("r")], { ...compensate, hooks });
    expect([run.end, [...holds]]).toEqual(["compensated", [["r", { region: "eu" }]]]);
  });

  test("of what is only forgotten there is no hook", async () => {
    const stack = createTestStack({ provider: { faults: refuseBad } });
    stack.cloud.account("main").outside.create({ name: "x", type: "infra.item", inputs: { count: 1 } });
    const { told, hooks } = createListener();
    const run = await stack.apply([wanted("x", { count: 1 }, { adoptExisting: true }), bad("x")], {
      ...compensate,
      hooks,
    });
    expect([run.ends["x"], told]).toEqual(["COMPENSATED", ["applied x"]]);
  });

  test("by hand, after the run was closed", async () => {
    const stack = createTestStack();
    const { holds, hooks } = createListener();
    await stack.apply([a], { hooks });
    const report = await stack.hold(
      async ({ deps, memory }) =>
        compensateRun(deps, (await memory.run("run-1"))!, await memory.load(), {
          skip: new Set(),
          undoRunId: "undo-1",
        }),
      { hooks },
    );
    expect([report.end, [...holds], await owed(stack)]).toEqual(["compensated", [], []]);
  });
});

describe("a hook of an undo that fails", () => {
  test("is owed: the object is gone, the report says what remains, and the next command calls it", async () => {
    const stack = createTestStack({ provider: { faults: refuseBad } });
    const first = createListener(["deleted a"]);
    const run = await stack.apply([a, bad("a")], { ...compensate, hooks: first.hooks });
    expect([run.end, run.ends["a"], stack.cloud.objects()]).toEqual(["compensation_failed", "COMPENSATED", []]);
    expect(run.compensation?.remaining).toMatchObject([
      { name: "a", why: expect.stringContaining("the next command calls it: the secret store is away") },
    ]);
    expect(await owed(stack)).toEqual(["a"]);
    const again = createListener(["deleted a"]);
    await stack.recover({ hooks: again.hooks });
    expect([again.told, await owed(stack)]).toEqual([["deleted a"], ["a"]]);
    const last = createListener();
    await stack.recover({ hooks: last.hooks });
    expect([last.told, await owed(stack)]).toEqual([["deleted a"], []]);
  });

  test("does not keep what it stands on from being undone", async () => {
    const stack = createTestStack({ provider: { faults: refuseBad } });
    const { hooks, told } = createListener(["deleted b"]);
    const run = await stack.apply([a, wanted("b", { a: ref("a", "id") }), bad("b")], { ...compensate, hooks });
    expect([run.ends["a"], run.ends["b"]]).toEqual(["COMPENSATED", "COMPENSATED"]);
    expect([told.slice(-2), await owed(stack)]).toEqual([["deleted b", "deleted a"], ["b"]]);
  });
});

describe("an undo that was killed and goes on tells what it has undone, at least once", () => {
  test.each(["call", "effect", "durable", "hook"] as const)("killed at its %s points", async (at) => {
    const stack = createTestStack({ provider: { faults: refuseBad } });
    const { holds, hooks } = createListener();
    const isUndo = () => stack.disk.draft.openRuns.get("run-1")?.undo !== undefined;
    await stack.applyUntil(
      (point) => {
        if (!isUndo()) return false;
        if (at === "hook") return point.at === "write" && point.events[0]?.kind === "hooks-done";
        return point.at === at && (point.at !== "call" || point.operation === "delete");
      },
      [a, wanted("b", { a: ref("a", "id") }), bad("b")],
      { ...compensate, hooks },
    );
    const recovery = await stack.recover({ hooks });
    expect(recovery.undos.map(({ end }) => end)).toEqual(["compensated"]);
    expect([[...holds], stack.cloud.objects(), await owed(stack)]).toEqual([[], [], []]);
  });

  test("and its hook that fails then stays owed", async () => {
    const stack = createTestStack({ provider: { faults: refuseBad } });
    const { hooks } = createListener();
    await stack.applyUntil(
      (point) => point.at === "durable" && point.events.some((event) => "hooksOwed" in event) && isUndone(point.events),
      [a, bad("a")],
      { ...compensate, hooks },
    );
    await stack.recover({ hooks: createListener(["deleted a"]).hooks });
    expect([await owed(stack), (await stack.state()).openRuns]).toEqual([["a"], []]);
    await stack.recover({ hooks });
    expect(await owed(stack)).toEqual([]);
  });
});

function isUndone(
  events: readonly { readonly kind: string; readonly outcome?: { readonly status: string } }[],
): boolean {
  return events.some((event) => event.outcome?.status === "COMPENSATED");
}

describe("the create that its hook refuses", () => {
  test("is told back once the object is deleted again; where that fails, it is owed", async () => {
    for (const deaf of [["applied a"], ["applied a", "deleted a"]]) {
      const stack = createTestStack();
      const { told, hooks } = createListener(deaf);
      const run = await stack.apply([a], { hooks });
      expect([run.ends["a"], told]).toEqual(["COMPENSATED/HOOK_FAILED", ["applied a", "deleted a"]]);
      expect(await owed(stack)).toEqual(deaf.length === 1 ? [] : ["a"]);
      const later = createListener();
      await stack.recover({ hooks: later.hooks });
      expect([later.told, await owed(stack)]).toEqual([deaf.length === 1 ? [] : ["deleted a"], []]);
    }
  });

  test("killed once the object is deleted again: the next command tells", async () => {
    const stack = createTestStack();
    const { hooks } = createListener(["applied a"]);
    await stack.applyUntil((point) => point.at === "effect" && point.effect.kind === "deleted", [a], { hooks });
    const later = createListener();
    await stack.recover({ hooks: later.hooks });
    expect([later.told, await owed(stack), (await stack.state()).records.size]).toEqual([["deleted a"], [], 0]);
  });

  test("whose delete has no known end stays open: it is looked for again", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([
          { operation: "delete", nth: 1, fault: { goes: { wrong: "late", class: "deadline", lateMs: 8000 } } },
        ]),
      },
    });
    const { hooks } = createListener(["applied a"]);
    const run = await stack.apply([a], { hooks });
    expect(run.ends["a"]).toBe("COMPENSATION_FAILED/HOOK_FAILED");
    expect([...(await stack.state()).unknown.keys()]).toEqual(["a"]);
    const later = createListener();
    await stack.recover({ hooks: later.hooks });
    expect([later.told, stack.cloud.objects(), (await stack.state()).unknown.size]).toEqual([["deleted a"], [], 0]);
  });
});
