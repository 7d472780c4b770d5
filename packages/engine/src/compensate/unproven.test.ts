import { createTestStack, ref, scriptFaults, wanted, type Fault, type TestStack } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";
import { compensateRun } from "./compensate-run.ts";

/** Objects of which it is not proven that the run made them: no undo deletes them, whatever mark they carry. */

const a = wanted("a", { count: 1 });
const ids = (stack: TestStack) => stack.cloud.objects().map(({ id }) => id);
const byHand = (stack: TestStack, run: string) =>
  stack.hold(async ({ deps, memory }) =>
    compensateRun(deps, (await memory.run(run))!, await memory.load(), { skip: new Set(), undoRunId: "undo-1" }),
  );

describe("a create of unknown end whose object is found by its ownership mark", () => {
  const refusedRead: Fault = { goes: { wrong: "refused", class: "forbidden" } };
  const lost: Fault = { goes: { wrong: "crash", when: "before" } };
  /** No lookup, no tokens that create honours: what is found is judged by its mark and the read before. */
  const marks = { "infra.item": {} };

  /** An object with the mark of `a`, of an earlier run whose record was lost, and a create that does not come through. */
  function withLostRecord() {
    const stack = createTestStack({
      provider: {
        types: marks,
        faults: scriptFaults([
          { operation: "read", name: "a", nth: 1, fault: refusedRead },
          { operation: "create", name: "a", nth: 1, fault: lost },
          { operation: "create", name: "bad", fault: { goes: { wrong: "refused", class: "forbidden" } } },
        ]),
      },
    });
    stack.cloud
      .account("main")
      .outside.create({ name: "a", type: "infra.item", inputs: { count: 1 }, owner: "lineage-1/a" });
    return stack;
  }

  test("counts as not made by the run where the read before it failed: the undo leaves it and says how to go on", async () => {
    const stack = withLostRecord();
    const run = await stack.apply([a, wanted("bad", {}, { dependsOn: ["a"] })], { onFailure: "compensate" });
    expect([run.end, ids(stack)]).toEqual(["compensation_failed", ["item-1"]]);
    expect(run.compensation?.remaining).toMatchObject([
      { name: "a", why: expect.stringMatching(/not proven that this run created .*id item-1.*wfctl import a item-1/) },
    ]);
    expect(await stack.record("a")).toBeUndefined();
    expect(stack.provider.calls.filter(({ operation }) => operation === "delete")).toEqual([]);
  });

  test("the same where a recovery finds it, and the run is undone by hand", async () => {
    const stack = withLostRecord();
    await stack.applyUntil((point) => point.at === "call" && point.operation === "create", [a]);
    await stack.recover();
    expect(await stack.record("a")).toMatchObject({ providerId: "item-1", createdByUs: false });
    expect((await byHand(stack, "run-1")).end).toBe("compensation_failed");
    expect(ids(stack)).toEqual(["item-1"]);
  });

  test("counts as made by the run where nothing had the name just before: the undo deletes it", async () => {
    const stack = createTestStack({
      provider: {
        types: marks,
        faults: scriptFaults([
          { operation: "create", name: "a", nth: 1, fault: { goes: { wrong: "crash", when: "after" } } },
          { operation: "create", name: "bad", fault: { goes: { wrong: "refused", class: "forbidden" } } },
        ]),
      },
    });
    const run = await stack.apply([a, wanted("bad", {}, { dependsOn: ["a"] })], { onFailure: "compensate" });
    expect([run.end, run.ends["a"], ids(stack)]).toEqual(["compensated", "COMPENSATED", []]);
  });

  test("counts as made by the run where it carries the client token of the create", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([
          { operation: "create", name: "a", nth: 1, fault: { goes: { wrong: "lost", class: "unknown" } } },
        ]),
      },
    });
    await stack.apply([a]);
    expect(await stack.record("a")).toMatchObject({ createdByUs: true });
  });
});

describe("the new object of a create-first replace of a plugin that does not say that it made it", () => {
  const r = (region: string) => wanted("r", { region }, { lifecycle: { replace: "create-first" } });
  const personality = "upstream";

  test("is left and told; the old one is current again", async () => {
    const stack = createTestStack({
      provider: {
        personality,
        faults: scriptFaults([
          { operation: "create", name: "bad", fault: { goes: { wrong: "refused", class: "forbidden" } } },
        ]),
      },
    });
    await stack.apply([r("eu")]);
    const run = await stack.apply([r("us"), wanted("bad", { r: ref("r", "id") })], { onFailure: "compensate" });
    expect([run.end, ids(stack)]).toEqual(["compensation_failed", ["item-1", "item-2"]]);
    expect(run.compensation?.remaining).toMatchObject([{ name: "r", why: expect.stringContaining("id item-2") }]);
    expect(await stack.record("r")).toMatchObject({ providerId: "item-1", deposed: [] });
    expect((await stack.plan([r("eu")])).plan.actions).toEqual([]);
  });

  test("the plan says so beforehand", async () => {
    for (const [how, undo] of [
      ["upstream", "unknown"],
      ["ours", "yes"],
    ] as const) {
      const stack = createTestStack({ provider: { personality: how } });
      await stack.apply([r("eu")]);
      expect((await stack.plan([r("us")])).plan.actions[0]?.undo.undo).toBe(undo);
    }
  });
});
