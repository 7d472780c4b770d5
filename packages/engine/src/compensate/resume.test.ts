import { createTestStack, scriptFaults, wanted, type Fault, type TestStack } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";

/** Undos that die while a call of theirs is on its way in the cloud. */

const undo = { onFailure: "compensate" } as const;
const late = (lateMs: number): Fault => ({ goes: { wrong: "late", class: "deadline", lateMs } });
const refused: Fault = { goes: { wrong: "refused", class: "forbidden" } };
const bad = wanted("bad", {}, { dependsOn: ["x"] });
const intentsOpen = (stack: TestStack) => {
  const { openRuns, unknown } = stack.disk.draft;
  return [...openRuns.values()].flatMap((run) => [...run.open, ...run.unknown]).length + unknown.size;
};
const isUndo = (stack: TestStack) => stack.disk.draft.openRuns.get("run-1")?.undo !== undefined;

test("a delete that may still come to its effect is waited for before its intent is closed", async () => {
  const stack = createTestStack({
    provider: {
      faults: scriptFaults([
        { operation: "create", name: "bad", fault: refused },
        { operation: "delete", name: "x", nth: 1, fault: late(8000) },
      ]),
    },
  });
  const openAt: number[] = [];
  stack.cloud.onEffect = ((pass) => (effect) => {
    if (effect.kind === "deleting") openAt.push(intentsOpen(stack));
    pass?.(effect);
  })(stack.cloud.onEffect);
  await stack.applyUntil(
    (point) => point.at === "write" && isUndo(stack) && point.events.some(({ kind }) => kind === "outcome"),
    [wanted("x"), bad],
    undo,
  );
  const recovery = await stack.recover();
  expect(recovery.undos.map(({ end }) => end)).toEqual(["compensated"]);
  expect([openAt, stack.cloud.objects(), (await stack.state()).unknown.size]).toEqual([[1], [], 0]);
});

describe("its process is on another machine, and nobody knows whether it is still at it", () => {
  const faults = (operation: "update" | "delete", nth: number) =>
    scriptFaults([
      { operation: "create", name: "bad", fault: refused },
      { operation, name: "x", nth, fault: late(100_000) },
    ]);

  test("an update back is not sent again: the resource is unknown, and a later command settles it", async () => {
    const stack = createTestStack({ provider: { faults: faults("update", 2) } });
    await stack.apply([wanted("x", { count: 1 })]);
    const run = () => [...stack.disk.draft.openRuns.values()][0]?.undo !== undefined;
    await stack.applyUntil(
      (point) => point.at === "write" && run() && point.events.some(({ kind }) => kind === "outcome"),
      [wanted("x", { count: 2 }), bad],
      { ...undo, elsewhere: true },
    );
    const recovery = await stack.recover();
    expect(recovery.undos).toMatchObject([
      { end: "compensation_failed", remaining: [{ name: "x", why: "What became of its update back is not known" }] },
    ]);
    expect([recovery.unknown.map(({ name }) => name), [...(await stack.state()).unknown.keys()]]).toEqual([
      ["x"],
      ["x"],
    ]);
    expect(stack.provider.calls.filter(({ operation }) => operation === "update")).toHaveLength(2);
    stack.clock.advance(7_200_000);
    await stack.recover();
    expect([stack.cloud.objects()[0]?.inputs, (await stack.state()).unknown.size]).toEqual([{ count: 1 }, 0]);
    expect((await stack.plan([wanted("x", { count: 1 })])).plan.actions).toEqual([]);
  });

  test("a delete is sent again, and its end closes both", async () => {
    const stack = createTestStack({ provider: { faults: faults("delete", 1) } });
    await stack.applyUntil(
      (point) => point.at === "write" && isUndo(stack) && point.events.some(({ kind }) => kind === "outcome"),
      [wanted("x"), bad],
      { ...undo, elsewhere: true },
    );
    const recovery = await stack.recover();
    expect([recovery.undos.map(({ end }) => end), stack.cloud.objects()]).toEqual([["compensated"], []]);
    expect([recovery.unknown, (await stack.state()).unknown.size]).toEqual([[], 0]);
  });
});
