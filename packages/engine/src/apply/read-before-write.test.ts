import { createTestStack, ref, wanted } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";

const calls = (stack: ReturnType<typeof createTestStack>, operation: string) =>
  stack.provider.calls.filter((call) => call.operation === operation).length;

test("a quiet diff is SUCCESS without a call", async () => {
  const stack = createTestStack();
  await stack.apply([wanted("a", { count: 1 })]);
  const planned = await stack.plan([wanted("a", { count: 2 })]);
  stack.cloud.account("main").outside.edit("item-1", { count: 2 });
  const report = await stack.applyPlanned(planned);
  expect([report.outcomes[0]?.status, report.outcomes[0]?.attempts, calls(stack, "update")]).toEqual(["SUCCESS", 0, 0]);
  expect((await stack.plan([wanted("a", { count: 2 })])).plan.actions).toEqual([]);
});

describe("PLAN_OUTDATED: nothing is sent, and the next plan looks at the object itself", () => {
  test("the object of an update is gone", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a", { count: 1 })]);
    const planned = await stack.plan([wanted("a", { count: 2 })]);
    stack.cloud.account("main").outside.delete("item-1");
    const report = await stack.applyPlanned(planned);
    expect(report.outcomes).toMatchObject([{ status: "ERROR", code: "PLAN_OUTDATED" }]);
    expect((await stack.record("a"))?.mark).toBe("dirty");
    expect((await stack.plan([wanted("a", { count: 2 })])).plan.actions.map((action) => action.kind)).toEqual([
      "create",
    ]);
  });

  test("an update has become a replace", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a", { count: 1, region: "eu" })]);
    const planned = await stack.plan([wanted("a", { count: 2, region: "eu" })]);
    stack.cloud.account("main").outside.edit("item-1", { region: "us" });
    const report = await stack.applyPlanned(planned);
    expect(report.outcomes).toMatchObject([{ status: "ERROR", code: "PLAN_OUTDATED" }]);
    expect([calls(stack, "update"), calls(stack, "delete")]).toEqual([0, 0]);
  });

  test.each(["delete-first", "create-first"] as const)("a replace (%s) is not needed any more", async (replace) => {
    const stack = createTestStack();
    const desired = (region: string) => [wanted("a", { region }, { lifecycle: { replace } })];
    await stack.apply(desired("eu"));
    const planned = await stack.plan(desired("us"));
    stack.cloud.account("main").outside.edit("item-1", { region: "us" });
    const report = await stack.applyPlanned(planned);
    expect(report.outcomes).toMatchObject([{ status: "ERROR", code: "PLAN_OUTDATED" }]);
    expect(stack.cloud.objects().map((object) => object.id)).toEqual(["item-1"]);
    expect((await stack.plan(desired("us"))).plan.actions).toEqual([]);
  });

  test("a value that the plan did not know turns an update into a replace", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("p", { count: 1 }), wanted("a", { region: "1" })]);
    const desired = [wanted("p", { count: 2 }), wanted("a", { region: ref("p", "revision") })];
    const planned = await stack.plan(desired);
    const report = await stack.applyPlanned(planned);
    const kinds = planned.plan.actions.map((action) => `${action.kind} ${action.name}`);
    if (kinds.includes("update a")) expect(report.outcomes[1]).toMatchObject({ code: "PLAN_OUTDATED" });
    else expect(kinds).toContain("replace a");
  });

  test("the object to adopt is gone, or belongs to somebody else", async () => {
    const stack = createTestStack();
    const { outside } = stack.cloud.account("main");
    outside.create({ name: "a", type: "infra.item", inputs: {} });
    const desired = [wanted("a", {}, { adoptExisting: true })];
    const planned = await stack.plan(desired);
    outside.delete("item-1");
    expect((await stack.applyPlanned(planned)).outcomes).toMatchObject([{ code: "PLAN_OUTDATED" }]);
    outside.create({ name: "a", type: "infra.item", inputs: {}, owner: "another/a" });
    expect((await stack.apply(desired)).ends).toEqual({ a: "ERROR/ALREADY_EXISTS" });
  });
});

test("an object that is gone already is deleted without a call", async () => {
  const stack = createTestStack();
  await stack.apply([wanted("a")]);
  stack.cloud.account("main").outside.delete("item-1");
  const run = await stack.destroy();
  expect([run.ends, calls(stack, "delete")]).toEqual([{ a: "SUCCESS" }, 0]);
});

test("a create of upstream looks first, and an object of that name is ALREADY_EXISTS", async () => {
  const stack = createTestStack({ provider: { personality: "upstream" } });
  stack.cloud.account("main").outside.create({ name: "a", type: "infra.item", inputs: {} });
  expect((await stack.apply([wanted("a")])).ends).toEqual({ a: "ERROR/ALREADY_EXISTS" });
  expect([stack.cloud.objects().length, calls(stack, "create")]).toEqual([1, 0]);
});

test("a create of ours costs no read", async () => {
  const stack = createTestStack();
  await stack.apply([wanted("a")]);
  expect(stack.provider.calls.map((call) => call.operation)).toEqual(["create"]);
});

describe("a key that Read does not give", () => {
  const types = { "infra.item": { writeOnly: ["password"], lookup: true, convergentCreate: true } };
  const updates = (stack: ReturnType<typeof createTestStack>) => stack.cloud.objects().map((object) => object.inputs);

  test.each([
    ["changed", { password: "old" }],
    ["added", {}],
  ])("is sent when it was %s", async (_how, before) => {
    const stack = createTestStack({ provider: { types } });
    await stack.apply([wanted("a", { count: 1, ...before })]);
    const desired = [wanted("a", { count: 1, password: "new" })];
    const run = await stack.apply(desired);
    expect([run.ends, run.outcomes[0]?.attempts, updates(stack)]).toEqual([
      { a: "SUCCESS" },
      1,
      [{ count: 1, password: "new" }],
    ]);
    expect((await stack.plan(desired, { refresh: true })).plan.actions).toEqual([]);
  });

  test("is sent when it was changed while the object had to be read", async () => {
    const stack = createTestStack({ provider: { types } });
    await stack.apply([wanted("a", { password: "old" })]);
    await stack.apply([wanted("a", { password: "new" })], { refresh: true });
    expect(updates(stack)).toEqual([{ password: "new" }]);
  });

  test.each(["before", "after"] as const)(
    "is sent again after an update whose end nobody knows, dead %s its effect",
    async (when) => {
      let faulty = true;
      const stack = createTestStack({
        provider: {
          types,
          faults: (call) => (faulty && call.operation === "update" ? { goes: { wrong: "crash", when } } : undefined),
        },
      });
      await stack.apply([wanted("a", { count: 1, password: "old" })]);
      const desired = [wanted("a", { count: 2, password: "new" })];
      await stack.applyUntil((point) => point.at === "call" && point.operation === "update", desired);
      expect((await stack.apply(desired)).ends).toEqual({ a: "ERROR/INCOMPLETE" });
      faulty = false;
      expect((await stack.apply(desired)).ends).toEqual({ a: "SUCCESS" });
      expect(updates(stack)).toEqual([{ count: 2, password: "new" }]);
      expect((await stack.plan(desired, { refresh: true })).plan.actions).toEqual([]);
    },
  );
});

test("a key called __proto__ reaches the provider as a key", async () => {
  const stack = createTestStack();
  const config = JSON.parse('{"labels":{"__proto__":{"polluted":"yes"},"a":"1"},"__proto__":{"x":1}}');
  await stack.apply([wanted("a", config)]);
  expect(JSON.stringify(stack.cloud.objects()[0]?.inputs)).toBe(JSON.stringify(config));
  expect((await stack.plan([wanted("a", config)])).plan.actions).toEqual([]);
});
