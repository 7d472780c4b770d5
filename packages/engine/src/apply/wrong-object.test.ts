import { createTestStack, scriptFaults, wanted, type CallOperation, type Fault } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";

type Change = Extract<Fault["goes"], { wrong: "reply" }>["change"];

const spoil = (operation: CallOperation, name: string, change: Change, nth?: number) => ({
  operation,
  name,
  ...(nth === undefined ? {} : { nth }),
  fault: { goes: { wrong: "reply" as const, change } },
});

/** A plugin of upstream's kind, whose answers about the second resource are spoiled. */
const stackWith = (...faults: ReturnType<typeof spoil>[]) =>
  createTestStack({ provider: { personality: "upstream", faults: scriptFaults(faults) } });

const two = (count = 1) => [wanted("a", { count }), wanted("b", { count }, { dependsOn: ["a"] })];
const idsOf = (stack: ReturnType<typeof createTestStack>) => stack.cloud.objects().map((object) => object.id);

describe("an id that cannot be the object's own", () => {
  test.each([
    ["that of another resource", "item-1"],
    ["with control characters", "item\u00002"],
    ["longer than any", "x".repeat(10_000)],
  ])("in the answer of a create: %s: BAD_RESULT, and the object that was made is found", async (_what, id) => {
    const stack = stackWith(spoil("create", "b", (live) => ({ ...live, providerId: id })));
    expect((await stack.apply(two())).ends).toEqual({ a: "SUCCESS", b: "ERROR/BAD_RESULT" });
    expect(await stack.record("b")).toMatchObject({ mark: "tainted", providerId: "item-2" });
    expect((await stack.record("a"))?.providerId).toBe("item-1");
  });

  test("that of a resource of another type: counts where a Read finds the object there, and only there", async () => {
    const types = { "infra.item": {}, "infra.other": {} };
    const isShared: Change = (live) => ({ ...live, providerId: "item-1" });
    const desired = [wanted("a"), wanted("b", {}, { type: "infra.other", dependsOn: ["a"] })];
    const ends = async (...faults: ReturnType<typeof spoil>[]) => {
      const stack = createTestStack({ provider: { personality: "upstream", types, faults: scriptFaults(faults) } });
      return (await stack.apply(desired)).ends;
    };
    const created = spoil("create", "b", isShared);
    expect(await ends(created)).toEqual({ a: "SUCCESS", b: "ERROR/BAD_RESULT" });
    const asOwn = spoil("read", "b", () => ({
      name: "b",
      type: "infra.other",
      providerId: "item-1",
      outputs: {},
      sensitive: [],
      status: "",
    }));
    expect(await ends(created, { ...asOwn, nth: 2 })).toEqual({ a: "SUCCESS", b: "SUCCESS" });
  });

  test("in the answer of an update: BAD_RESULT, and the record keeps its id, dirty", async () => {
    const stack = stackWith(spoil("update", "b", (live) => ({ ...live, providerId: "item-1" })));
    await stack.apply(two());
    expect((await stack.apply(two(2))).ends).toEqual({ a: "SUCCESS", b: "ERROR/BAD_RESULT" });
    expect(await stack.record("b")).toMatchObject({ mark: "dirty", providerId: "item-2" });
    expect((await stack.destroy()).end).toBe("succeeded");
    expect(idsOf(stack)).toEqual([]);
  });
});

describe("a Read that answers with another object", () => {
  const asOther: Change = (live) => ({ ...live, providerId: "item-1", name: "a" });

  test("before an update: BAD_RESULT, nothing is sent to the other object", async () => {
    const stack = stackWith(spoil("read", "b", asOther, 2));
    await stack.apply(two());
    const run = await stack.apply(two(2));
    expect(run.ends).toEqual({ a: "SUCCESS", b: "ERROR/BAD_RESULT" });
    expect(stack.provider.calls.filter(({ operation, name }) => operation === "update" && name === "b")).toEqual([]);
    expect((await stack.record("b"))?.providerId).toBe("item-2");
  });

  test("before a delete: DELETE_FAILED, and the other object stays", async () => {
    const stack = stackWith(spoil("read", "b", asOther, 2));
    await stack.apply(two());
    expect((await stack.apply([wanted("a", { count: 1 })])).ends).toEqual({ b: "DELETE_FAILED/BAD_RESULT" });
    expect(idsOf(stack)).toEqual(["item-1", "item-2"]);
    expect((await stack.apply([wanted("a", { count: 1 })])).ends).toEqual({ b: "SUCCESS" });
    expect(idsOf(stack)).toEqual(["item-1"]);
  });

  test("of another type, while planning: the plan says so", async () => {
    const stack = stackWith(spoil("read", "b", (live) => ({ ...live, type: "infra.other" }), 2));
    await stack.apply(two());
    const { plan, diagnostics } = await stack.plan(two(), { refresh: true });
    expect(diagnostics).toMatchObject([{ severity: "error", address: "b" }]);
    expect(plan.actions).toEqual([]);
  });

  test("without a name: the record keeps its id, and the update goes to its own object", async () => {
    const stack = stackWith(spoil("read", "b", (live) => ({ ...live, providerId: "item-1", name: "" }), 2));
    await stack.apply(two());
    await stack.apply(two(2));
    expect((await stack.record("b"))?.providerId).toBe("item-2");
    expect(stack.cloud.objects().map(({ inputs }) => inputs["count"])).toEqual([2, 2]);
  });
});

test("a delete is sent where a Read finds nothing and no lookup would find the object again", async () => {
  const stack = createTestStack({
    provider: {
      personality: "upstream",
      faults: scriptFaults([
        { operation: "read", name: "a", nth: 2, fault: { goes: { wrong: "refused", class: "not_found" } } },
      ]),
    },
  });
  await stack.apply([wanted("a")]);
  expect((await stack.destroy()).ends).toEqual({ a: "SUCCESS" });
  expect(idsOf(stack)).toEqual([]);
});
