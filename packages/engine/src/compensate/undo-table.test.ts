import { createTestStack, ref, scriptFaults, wanted, type FakeProviderOptions, type TestStack } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";

/** The rows of both tables of "Failure policies" in docs/lifecycle.md that no other test has for its subject. */

const bad = wanted("bad", {});
const refuseBad = (operation: "create" | "update" = "create") =>
  scriptFaults([{ operation, name: "bad", fault: { goes: { wrong: "refused", class: "forbidden" } } }]);
const undo = { onFailure: "compensate" } as const;
const inputs = (stack: TestStack) => Object.fromEntries(stack.cloud.objects().map((each) => [each.name, each.inputs]));
const makeOutside = (stack: TestStack, name: string) =>
  stack.cloud.account("main").outside.create({ name, type: "infra.item", inputs: { count: 7 } });
const stackOf = (provider: Partial<FakeProviderOptions> = {}) =>
  createTestStack({ provider: { faults: refuseBad(), ...provider } });
/** `bad` waits for the others, so that they are done when it fails. */
const withBad = (...others: readonly ReturnType<typeof wanted>[]) => [
  ...others,
  { ...bad, dependsOn: others.map(({ name }) => name) },
];

describe("what is undone how", () => {
  test("adopt: forgotten again, the object untouched", async () => {
    const stack = stackOf();
    makeOutside(stack, "x");
    const run = await stack.apply(withBad(wanted("x", { count: 7 }, { adoptExisting: true })), undo);
    expect([run.end, run.ends["x"]]).toEqual(["compensated", "COMPENSATED"]);
    expect([(await stack.state()).records.size, inputs(stack)]).toEqual([0, { x: { count: 7 } }]);
  });

  test("adopt with an update: the inputs that it had are given back, where they can be read; else it stays and is told", async () => {
    for (const [personality, end, count, records] of [
      ["ours", "COMPENSATED", 7, []],
      ["upstream", "SUCCESS", 9, ["x"]],
    ] as const) {
      const stack = stackOf({ personality });
      makeOutside(stack, "x");
      const run = await stack.apply(withBad(wanted("x", { count: 9 }, { adoptExisting: true })), undo);
      expect([run.ends["x"]?.split("/")[0], inputs(stack)["x"]]).toEqual([end, { count }]);
      expect([...(await stack.state()).records.keys()]).toEqual(records);
      expect(run.end).toBe(personality === "ours" ? "compensated" : "compensation_failed");
    }
  });

  test("adopt of what was only read before: only read again", async () => {
    for (const count of [7, 9]) {
      const stack = stackOf();
      makeOutside(stack, "x");
      await stack.apply([wanted("x", { count: 7 }, { existing: true })]);
      const before = await stack.record("x");
      const run = await stack.apply(withBad(wanted("x", { count })), undo);
      expect([run.end, run.ends["x"], inputs(stack)["x"]]).toEqual(["compensated", "COMPENSATED", { count: 7 }]);
      expect(await stack.record("x")).toEqual(before);
    }
  });

  test("create in place of what was only read: that record is back, also where a hook refuses the create", async () => {
    const types = { "infra.item": { lookup: true, convergentCreate: true }, "infra.other": {} };
    for (const refusing of [false, true]) {
      const stack = stackOf({ types });
      makeOutside(stack, "x");
      await stack.apply([wanted("x", { count: 7 }, { existing: true })]);
      const before = await stack.record("x");
      const onResourceApplied = async (_run: string, _action: number, { type }: { type: string }) => {
        if (refusing && type === "infra.other") throw new Error("no");
      };
      const other = wanted("x", { count: 1 }, { type: "infra.other" });
      const run = await stack.apply(withBad(other), { ...undo, hooks: { onResourceApplied } });
      expect([run.end, run.ends["x"]?.split("/")[0]]).toEqual(["compensated", "COMPENSATED"]);
      expect(await stack.record("x")).toEqual(before);
      expect(stack.cloud.objects().map(({ id }) => id)).toEqual(["item-1"]);
    }
  });

  test("create in place of what was only read, killed while a hook's refusal deletes it: that record is back", async () => {
    const stack = createTestStack({
      provider: { types: { "infra.item": { lookup: true }, "infra.other": { lookup: true } } },
    });
    makeOutside(stack, "x");
    await stack.apply([wanted("x", { count: 7 }, { existing: true })]);
    const before = await stack.record("x");
    const onResourceApplied = () => Promise.reject(new Error("no"));
    await stack.applyUntil(
      (point) => point.at === "effect" && point.effect.kind === "deleted",
      [wanted("x", {}, { type: "infra.other" })],
      { hooks: { onResourceApplied } },
    );
    await stack.recover();
    expect(await stack.record("x")).toEqual(before);
  });

  test("forget and read: the record is as it was, also where somebody listens to effects", async () => {
    for (const hooks of [undefined, { onResourceApplied: async () => undefined }]) {
      const stack = stackOf();
      makeOutside(stack, "seen");
      const kept = wanted("kept", { count: 1 }, { lifecycle: { retain: true } });
      const seen = wanted("seen", {}, { existing: true });
      await stack.apply([kept, seen]);
      const before = (await stack.state()).records;
      stack.cloud.account("main").outside.edit("item-1", { count: 8 });
      const options = hooks === undefined ? undo : { ...undo, hooks };
      const run = await stack.apply(withBad(seen), options);
      expect([run.end, run.ends["seen"]]).toEqual(["compensated", "COMPENSATED"]);
      expect((await stack.state()).records).toEqual(before);
    }
  });

  test("update, also a failed one: the inputs before; never a delete", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([
          { operation: "update", name: "half", nth: 1, fault: { goes: { wrong: "lost", class: "unknown" } } },
          { operation: "create", name: "bad", fault: { goes: { wrong: "refused", class: "forbidden" } } },
        ]),
      },
    });
    await stack.apply([wanted("half", { count: 1 })]);
    const run = await stack.apply(withBad(wanted("half", { count: 2 })), undo);
    expect([run.end, run.ends["half"], inputs(stack)]).toEqual(["compensated", "COMPENSATED", { half: { count: 1 } }]);
    expect(stack.cloud.log.filter(({ kind }) => kind === "deleting")).toEqual([]);
  });

  test("update of a write-only key: not undone, and told", async () => {
    const stack = stackOf({ types: { "infra.item": { writeOnly: ["note"], lookup: true, convergentCreate: true } } });
    await stack.apply([wanted("x", { note: "old" })]);
    const run = await stack.apply(withBad(wanted("x", { note: "new" })), undo);
    expect([run.end, run.compensation?.remaining.map(({ name }) => name)]).toEqual(["compensation_failed", ["x"]]);
    expect([run.ends["x"], inputs(stack)["x"]]).toEqual(["SUCCESS", { note: "new" }]);
  });

  test("update whose end nobody knows: not touched, and told", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([
          { operation: "update", name: "x", fault: { goes: { wrong: "late", class: "deadline", lateMs: 60_000 } } },
        ]),
      },
    });
    await stack.apply([wanted("x", { count: 1 })]);
    const run = await stack.apply([wanted("x", { count: 2 })], undo);
    expect([run.end, run.ends["x"]]).toEqual(["compensation_failed", "ERROR/OUTCOME_UNKNOWN"]);
    expect(stack.provider.calls.filter(({ operation }) => operation === "update")).toHaveLength(1);
  });

  test("a delete-first replace and a delete: none, and what remains is listed", async () => {
    const stack = stackOf();
    await stack.apply([wanted("r", { region: "eu" }), wanted("gone")]);
    const replaced = wanted("r", { region: "us" }, { lifecycle: { replace: "delete-first" } });
    const run = await stack.apply(withBad(replaced), undo);
    // The delete waited behind the barrier, which stays shut.
    expect(run.ends).toEqual({ r: "SUCCESS", bad: "ERROR/FORBIDDEN", gone: "SKIPPED/RUN_STOPPED" });
    expect([run.end, run.compensation?.remaining.map(({ name }) => name)]).toEqual(["compensation_failed", ["r"]]);
    expect(inputs(stack)).toEqual({ r: { region: "us" }, gone: {} });
  });
});

describe("what happens when", () => {
  test("a fatal hook before the clean-up: the run is undone", async () => {
    const stack = createTestStack();
    const onResourceApplied = async (_run: string, _action: number, record: { name: string }) => {
      if (record.name === "b") throw new Error("no");
    };
    const run = await stack.apply([wanted("a"), wanted("b", { a: ref("a", "id") })], {
      ...undo,
      hooks: { onResourceApplied },
    });
    expect([run.fatal?.code, run.end, inputs(stack)]).toEqual(["HOOK_FAILED", "compensated", {}]);
  });

  test("a finalizer that fails before the clean-up: the run is undone", async () => {
    const stack = createTestStack({
      provider: {
        features: { finalizer: true },
        faults: scriptFaults([
          { operation: "finalize", nth: 1, fault: { goes: { wrong: "refused", class: "forbidden" } } },
        ]),
      },
    });
    const run = await stack.apply([wanted("a")], undo);
    expect([run.end, inputs(stack)]).toEqual(["compensated", {}]);
    expect([(await stack.apply([])).end, (await stack.state()).finalizeOwed]).toEqual(["succeeded", []]);
  });

  test("a failure after the first clean-up call: nothing is undone", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([{ operation: "delete", fault: { goes: { wrong: "refused", class: "forbidden" } } }]),
      },
    });
    await stack.apply([wanted("old")]);
    const run = await stack.apply([wanted("new")], undo);
    expect([run.end, run.ends]).toEqual(["failed", { new: "SUCCESS", old: "DELETE_FAILED/FORBIDDEN" }]);
  });

  test.each([1, 2, 3, 4])(
    "a store that is lost at write %i of the undo: the next command goes on with it",
    async (nth) => {
      let refuse = 0;
      let isFirst = true;
      const stack = createTestStack({
        provider: { faults: refuseBad() },
        beforeWrite(commits) {
          if (isFirst && commits.flat().some((event) => event.kind === "undo-started")) {
            isFirst = false;
            refuse = nth;
          }
          if (refuse > 0 && (refuse -= 1) === 0) throw new Error("disk full");
        },
      });
      const run = await stack.apply(withBad(wanted("a"), wanted("b", { a: ref("a", "id") })), undo);
      expect(run.fatal?.code).toBe("STORE_UNAVAILABLE");
      const next = await stack.recover();
      // Before the undo was on record there is none to go on with: the run is closed, its successes stay.
      expect([nth, next.undos.map(({ end }) => end)]).toEqual([nth, nth === 1 ? [] : ["compensated"]]);
      expect(Object.keys(inputs(stack))).toEqual(nth === 1 ? ["a", "b"] : []);
    },
  );
});
