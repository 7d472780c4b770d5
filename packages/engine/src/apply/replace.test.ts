import { createTestStack, ref, scriptFaults, wanted, type FakeProviderOptions, type TestStack } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";

const createFirst = { lifecycle: { replace: "create-first" } } as const;
const follow = (stack: TestStack): string[] => {
  const order: string[] = [];
  stack.cloud.onEffect = (effect) => {
    if (effect.kind !== "deleting") order.push(`${effect.kind} ${effect.id}`);
  };
  return order;
};
const refusing = (operation: "create" | "delete", name: string, nth: number): Partial<FakeProviderOptions> => ({
  faults: scriptFaults([{ operation, name, nth, fault: { goes: { wrong: "refused", class: "forbidden" } } }]),
});

describe.each(["ours", "upstream"] as const)("replace (%s)", (personality) => {
  test("delete-first: the old object goes, then the new one comes", async () => {
    const stack = createTestStack({ provider: { personality } });
    await stack.apply([wanted("a", { region: "eu" })]);
    const order = follow(stack);
    const run = await stack.apply([wanted("a", { region: "us" })]);
    expect([run.ends, run.outcomes.length]).toEqual([{ a: "SUCCESS" }, 1]);
    expect(order).toEqual(["deleted item-1", "created item-2"]);
    expect(run.result.replaceIdMap).toEqual({ a: "item-2" });
    expect((await stack.plan([wanted("a", { region: "us" })])).plan.actions).toEqual([]);
  });

  test("create-first: the new object comes, dependents move, then the old one goes", async () => {
    const stack = createTestStack({ provider: { personality } });
    const desired = (region: string) => [wanted("a", { region }, createFirst), wanted("b", { a: ref("a", "id") })];
    await stack.apply(desired("eu"));
    const order = follow(stack);
    const run = await stack.apply(desired("us"));
    expect(run.ends).toEqual({ a: "SUCCESS", b: "SUCCESS" });
    expect(order).toEqual(["created item-3", "updated item-2", "deleted item-1"]);
    expect((await stack.record("a"))?.deposed).toEqual([]);
    expect((await stack.plan(desired("us"))).plan.actions).toEqual([]);
  });

  test("create-first where the old object cannot be deleted: DELETE_FAILED, deposed, deleted by the next plan", async () => {
    const stack = createTestStack({ provider: { personality, ...refusing("delete", "a", 1) } });
    await stack.apply([wanted("a", { region: "eu" }, createFirst)]);
    const run = await stack.apply([wanted("a", { region: "us" }, createFirst)]);
    expect(run.ends).toEqual({ a: "DELETE_FAILED/FORBIDDEN" });
    expect(await stack.record("a")).toMatchObject({ providerId: "item-2", deposed: [{ providerId: "item-1" }] });
    const next = await stack.plan([wanted("a", { region: "us" }, createFirst)]);
    expect(next.plan.actions).toMatchObject([{ kind: "delete", name: "a", deposed: "item-1" }]);
    const again = await stack.apply([wanted("a", { region: "us" }, createFirst)]);
    expect(again.ends).toEqual({ a: "SUCCESS" });
    expect([stack.cloud.objects().map((object) => object.id), (await stack.record("a"))?.deposed]).toEqual([
      ["item-2"],
      [],
    ]);
  });

  test("create-first where the new object cannot be made: the old one stays, dirty", async () => {
    const stack = createTestStack({ provider: { personality, ...refusing("create", "a", 2) } });
    await stack.apply([wanted("a", { region: "eu" }, createFirst)]);
    const run = await stack.apply([wanted("a", { region: "us" }, createFirst)]);
    expect(run.ends).toEqual({ a: "ERROR/FORBIDDEN" });
    expect(await stack.record("a")).toMatchObject({ providerId: "item-1", mark: "dirty", deposed: [] });
    expect((await stack.apply([wanted("a", { region: "us" }, createFirst)])).ends).toEqual({ a: "SUCCESS" });
    expect(stack.cloud.objects().map((object) => object.id)).toEqual(["item-2"]);
  });

  test("delete-first where the new object cannot be made: ERROR, and the next plan creates it", async () => {
    const stack = createTestStack({ provider: { personality, ...refusing("create", "a", 2) } });
    await stack.apply([wanted("a", { region: "eu" })]);
    expect((await stack.apply([wanted("a", { region: "us" })])).ends).toEqual({ a: "ERROR/FORBIDDEN" });
    expect(await stack.record("a")).toBeUndefined();
    expect((await stack.plan([wanted("a", { region: "us" })])).plan.actions).toMatchObject([{ kind: "create" }]);
  });

  test("delete-first of a resource that still has a deposed object: nothing drops out of the state", async () => {
    const stack = createTestStack({ provider: { personality, ...refusing("delete", "a", 1) } });
    await stack.apply([wanted("a", { region: "eu" }, createFirst)]);
    await stack.apply([wanted("a", { region: "us" }, createFirst)]);
    const run = await stack.apply([wanted("a", { region: "ca" }, { lifecycle: { replace: "delete-first" } })]);
    expect(run.end).toBe("succeeded");
    expect(stack.cloud.objects().map((object) => object.id)).toEqual(["item-3"]);
    expect((await stack.record("a"))?.deposed).toEqual([]);
  });
});

test("two replaced resources, both delete-first: dependents go first and come last", async () => {
  const stack = createTestStack();
  const desired = (region: string) => [wanted("a", { region }), wanted("b", { region, a: ref("a", "id") })];
  await stack.apply(desired("eu"));
  const order = follow(stack);
  expect((await stack.apply(desired("us"))).end).toBe("succeeded");
  expect(order).toEqual(["deleted item-2", "deleted item-1", "created item-3", "created item-4"]);
});

test("a create-first dependent makes its replaced parent create-first where the parent can", async () => {
  const stack = createTestStack({
    provider: {
      types: { "infra.item": { forceNew: ["region"], createFirst: true, lookup: true, convergentCreate: true } },
    },
  });
  const desired = (region: string) => [
    wanted("a", { region }, { lifecycle: { replace: "delete-first" } }),
    wanted("b", { region, a: ref("a", "id") }),
  ];
  await stack.apply(desired("eu"));
  const planned = await stack.plan(desired("us"));
  expect(planned.plan.actions.map((action) => action.replaceMode)).toEqual(["create-first", "create-first"]);
  const order = follow(stack);
  expect((await stack.apply(desired("us"))).end).toBe("succeeded");
  expect(order).toEqual(["created item-3", "created item-4", "deleted item-2", "deleted item-1"]);
});

test("a create-first dependent falls back where its parent cannot, and the plan says why", async () => {
  const stack = createTestStack();
  const desired = (region: string) => [
    wanted("a", { region }),
    wanted("b", { region, a: ref("a", "id") }, createFirst),
  ];
  await stack.apply(desired("eu"));
  const planned = await stack.plan(desired("us"));
  expect(planned.plan.actions.map((action) => action.replaceMode)).toEqual(["delete-first", "delete-first"]);
  expect(planned.plan.notes).toMatchObject([{ name: "b", code: "FALLBACK" }]);
  expect((await stack.apply(desired("us"))).end).toBe("succeeded");
});

test("a create-first replace below a delete-first one: each keeps its own order", async () => {
  const stack = createTestStack();
  const desired = (region: string) => [
    wanted("a", { region }, createFirst),
    wanted("b", { region, a: ref("a", "id") }),
  ];
  await stack.apply(desired("eu"));
  const order = follow(stack);
  expect((await stack.apply(desired("us"))).end).toBe("succeeded");
  expect(order).toEqual(["created item-3", "deleted item-2", "created item-4", "deleted item-1"]);
});

test("a parent's failure leaves the old object of a delete-first replace alone", async () => {
  const stack = createTestStack({ provider: refusing("create", "p", 1) });
  await stack.apply([wanted("c", { region: "eu" })]);
  const run = await stack.apply([wanted("p"), wanted("c", { region: "us", p: ref("p", "id") })]);
  expect(run.ends).toEqual({ p: "ERROR/FORBIDDEN", c: "SKIPPED/DEPENDENCY_FAILED" });
  expect(stack.cloud.objects()).toMatchObject([{ id: "item-1" }]);
});

test("a type change is a replace; the old half goes by its old type", async () => {
  const stack = createTestStack();
  await stack.apply([wanted("a")]);
  const run = await stack.apply([wanted("a", {}, { type: "infra.thing" })]);
  expect(run.ends).toEqual({ a: "SUCCESS" });
  expect(stack.cloud.objects()).toMatchObject([{ type: "infra.thing" }]);
});

test("old objects that a new edge keeps in a circle are an error of the plan that shows it", async () => {
  const stack = createTestStack();
  await stack.apply([
    wanted("db", { region: "eu" }),
    wanted("proxy", { db: ref("db", "id") }),
    wanted("app", { proxy: ref("proxy", "id") }),
  ]);
  const planned = await stack.plan([wanted("db", { region: "us" }), wanted("app", { db: ref("db", "id") })]);
  expect(planned.diagnostics.map((each) => each.code)).toEqual(["CYCLE"]);
  expect(planned.diagnostics[0]?.summary).toContain('delete of "proxy"');
  const other = [wanted("db", { region: "us" }, createFirst), wanted("app", { db: ref("db", "id") })];
  expect((await stack.apply(other)).end).toBe("succeeded");
});

test("a cloud that still shows the deleted old object by name does not stop its successor", async () => {
  const stack = createTestStack({ cloud: { lagMs: 4000 }, provider: { personality: "upstream" } });
  await stack.apply([wanted("a", { region: "eu" })]);
  expect((await stack.apply([wanted("a", { region: "us" })])).ends).toEqual({ a: "SUCCESS" });
});
