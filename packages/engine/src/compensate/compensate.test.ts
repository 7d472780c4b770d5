import { createTestStack, ref, scriptFaults, wanted, type TestStack } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";
import { compensateRun } from "./compensate-run.ts";

const a = wanted("a", { count: 1 });
const b = wanted("b", { a: ref("a", "id") });
const names = (stack: TestStack) => stack.cloud.objects().map((object) => object.name);
const byHand = (stack: TestStack, run: string, skip: readonly string[] = []) =>
  stack.hold(async ({ deps, memory }) =>
    compensateRun(deps, (await memory.run(run))!, await memory.load(), {
      skip: new Set(skip),
      undoRunId: `undo-of-${run}`,
    }),
  );

describe("by hand, after the run was closed", () => {
  test("undoes a run that succeeded, dependents first, as a run of its own", async () => {
    const stack = createTestStack();
    await stack.apply([a, b]);
    const order: string[] = [];
    stack.cloud.onEffect = (effect) => effect.kind === "deleted" && order.push(effect.name);
    const report = await byHand(stack, "run-1");
    expect([report.end, order, (await stack.state()).records.size]).toEqual(["compensated", ["b", "a"], 0]);
    const [undo, target] = await stack.hold(async ({ memory }) => [
      await memory.run("undo-of-run-1"),
      await memory.run("run-1"),
    ]);
    expect([undo?.header.undoes, undo?.closed?.end]).toEqual(["run-1", "compensated"]);
    expect([...target!.outcomes.values()].map((outcome) => outcome.status)).toEqual(["COMPENSATED", "COMPENSATED"]);
  });

  test("--skip leaves a resource and what it stands on, and the rest is finished", async () => {
    const stack = createTestStack();
    await stack.apply([a, b, wanted("c")]);
    const report = await byHand(stack, "run-1", ["b"]);
    expect([report.end, names(stack)]).toEqual(["compensation_failed", ["a", "b"]]);
    expect(report.remaining.map((each) => each.name).toSorted()).toEqual(["a", "b"]);
  });

  test("is refused once the state has changed, and after the clean-up had begun", async () => {
    const stack = createTestStack();
    await stack.apply([a]);
    await stack.apply([a, wanted("c")]);
    await expect(byHand(stack, "run-1")).rejects.toMatchObject({ code: "PLAN_STALE" });
    await stack.apply([a], { onFailure: "stop" });
    await expect(byHand(stack, "run-3")).rejects.toMatchObject({ code: "UNDO_FAILED" });
    expect(names(stack)).toEqual(["a"]);
  });
});

describe("killed in the middle", () => {
  const failing = scriptFaults([
    { operation: "create", name: "bad", fault: { goes: { wrong: "refused", class: "forbidden" } } },
  ]);
  const desired = [a, b, wanted("bad", { b: ref("b", "id") })];

  test.each(["call", "effect", "durable"] as const)(
    "at its %s points: the next command finishes the undo and says so",
    async (at) => {
      const stack = createTestStack({ provider: { faults: failing } });
      await stack.applyUntil(
        (point) => {
          const isUndo = stack.disk.draft.openRuns.get("run-1")?.undo !== undefined;
          return isUndo && point.at === at && (point.at !== "call" || point.operation === "delete");
        },
        desired,
        { onFailure: "compensate" },
      );
      const recovery = await stack.recover();
      expect(recovery.undos.map((undo) => undo.end)).toEqual(["compensated"]);
      expect([names(stack), (await stack.state()).records.size, (await stack.state()).openRuns.length]).toEqual([
        [],
        0,
        0,
      ]);
    },
  );

  test("before it began: no undo, successes stay, and it can be undone by hand", async () => {
    const stack = createTestStack({ provider: { faults: failing } });
    await stack.applyUntil((point) => point.at === "effect" && point.effect.name === "b", desired, {
      onFailure: "compensate",
    });
    const recovery = await stack.recover();
    expect([recovery.undos, names(stack)]).toEqual([[], ["a", "b"]]);
    expect((await byHand(stack, "run-1")).end).toBe("compensated");
    expect(names(stack)).toEqual([]);
  });
});

describe("what cannot be undone", () => {
  const refuse = (operation: "delete" | "update", name: string) =>
    ({ operation, name, fault: { goes: { wrong: "refused", class: "forbidden" } } }) as const;

  test("an undo that fails: COMPENSATION_FAILED, record kept and looked at again, independent undos go on", async () => {
    const stack = createTestStack({ provider: { faults: scriptFaults([refuse("delete", "b")]) } });
    await stack.apply([a, b, wanted("c")]);
    const report = await byHand(stack, "run-1");
    expect([report.end, names(stack)]).toEqual(["compensation_failed", ["a", "b"]]);
    expect((await stack.record("b"))?.mark).toBe("dirty");
    expect((await stack.plan([a, b])).plan.actions).toEqual([]);
  });

  test("an update that used an object that is deleted for good is not taken back to it", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([
          { operation: "create", name: "bad", fault: { goes: { wrong: "refused", class: "forbidden" } } },
        ]),
      },
    });
    const desired = (region: string) => [wanted("a", { region }), b];
    await stack.apply(desired("eu"));
    const run = await stack.apply([...desired("us"), wanted("bad", { b: ref("b", "id") })], {
      onFailure: "compensate",
    });
    expect(run.end).toBe("compensation_failed");
    const id = stack.cloud.objects().find((object) => object.name === "a")?.id;
    expect(stack.cloud.objects().find((object) => object.name === "b")?.inputs).toEqual({ a: id });
  });

  test("an object that is not proven to be the run's own is forgotten and reported, not deleted", async () => {
    const stack = createTestStack({
      provider: {
        personality: "upstream",
        faults: scriptFaults([
          { operation: "read", name: "a", nth: 1, fault: { goes: { wrong: "refused", class: "forbidden" } } },
        ]),
      },
    });
    await stack.apply([a]);
    const report = await byHand(stack, "run-1");
    expect(report.remaining).toMatchObject([{ name: "a", why: expect.stringContaining("Forgotten, not deleted") }]);
    expect([names(stack), await stack.record("a")]).toEqual([["a"], undefined]);
  });

  test("what stands on a create of unknown end is left alone", async () => {
    const stack = createTestStack({
      provider: {
        personality: "upstream",
        faults: scriptFaults([{ operation: "create", name: "b", fault: { goes: { wrong: "hang" } } }]),
      },
    });
    const run = await stack.apply([a, { ...b, timeouts: { create: 5000 } }], { onFailure: "compensate" });
    expect([run.end, names(stack)]).toEqual(["compensation_failed", ["a"]]);
    expect([...(await stack.state()).unknown.keys()]).toEqual(["b"]);
  });
});
