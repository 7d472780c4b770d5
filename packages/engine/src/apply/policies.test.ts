import { createTestStack, ref, scriptFaults, wanted, type TestStack } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";

const failing = (name: string) =>
  scriptFaults([
    { operation: "create", name, fault: { beforeMs: 50, goes: { wrong: "refused", class: "forbidden" } } },
  ]);
const names = (stack: TestStack) =>
  stack.cloud
    .objects()
    .map((object) => object.name)
    .toSorted();
const started = async (stack: TestStack, run: string) =>
  stack.hold(async ({ memory }) => (await memory.run(run))?.cleanupStarted);

describe("continue", () => {
  test("independent branches go on, and deletes that no edge ties to the failure", async () => {
    const stack = createTestStack({ provider: { faults: failing("bad") } });
    await stack.apply([wanted("old")]);
    const run = await stack.apply([wanted("bad"), wanted("child", { p: ref("bad", "id") }), wanted("good")]);
    expect(run.ends).toEqual({
      bad: "ERROR/FORBIDDEN",
      child: "SKIPPED/DEPENDENCY_FAILED",
      good: "SUCCESS",
      old: "SUCCESS",
    });
    expect([run.end, names(stack)]).toEqual(["failed", ["good"]]);
    expect(await started(stack, "run-2")).toBe(false);
  });

  test("a delete waits for what stands on its object, and is skipped when that failed", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([
          { operation: "update", name: "app", fault: { goes: { wrong: "refused", class: "forbidden" } } },
        ]),
      },
    });
    await stack.apply([wanted("db"), wanted("app", { db: ref("db", "id"), count: 1 })]);
    const run = await stack.apply([wanted("app", { count: 2 })]);
    expect(run.ends).toEqual({ app: "ERROR/FORBIDDEN", db: "SKIPPED/DEPENDENCY_FAILED" });
    expect(names(stack)).toEqual(["app", "db"]);
  });
});

describe.each(["stop", "compensate"] as const)("%s", (onFailure) => {
  test("nothing new starts, calls in flight finish, deletes stay behind the barrier", async () => {
    const stack = createTestStack({
      provider: { faults: failing("bad"), latencyMs: (_operation, name) => (name === "slow" ? 500 : 10) },
    });
    await stack.apply([wanted("old")]);
    const run = await stack.apply([wanted("bad"), wanted("slow"), wanted("later", { s: ref("slow", "id") })], {
      onFailure,
    });
    expect(run.ends["bad"]).toMatch(/^ERROR\/FORBIDDEN$/);
    expect(run.ends["later"]).toBe("SKIPPED/RUN_STOPPED");
    expect(run.ends["old"]).toBe("SKIPPED/RUN_STOPPED");
    expect(run.ends["slow"]).toBe(onFailure === "stop" ? "SUCCESS" : "COMPENSATED");
    expect(names(stack)).toEqual(onFailure === "stop" ? ["old", "slow"] : ["old"]);
    expect(await started(stack, "run-2")).toBe(false);
  });

  test("the barrier opens once all creates and updates have succeeded; from then on there is no way back", async () => {
    const stack = createTestStack({ provider: { latencyMs: (_operation, name) => (name === "new" ? 2000 : 10) } });
    await stack.apply([wanted("old")]);
    const order: string[] = [];
    stack.cloud.onEffect = (effect) => void order.push(`${effect.kind} ${effect.name}`);
    const run = await stack.apply([wanted("new")], { onFailure });
    expect(run.end).toBe("succeeded");
    expect(order).toEqual(["created new", "deleting old", "deleted old"]);
    expect(await started(stack, "run-2")).toBe(true);
  });

  test("a skipped create keeps the barrier shut", async () => {
    const stack = createTestStack({ provider: { types: { "infra.item": {} } } });
    await stack.apply([wanted("old")]);
    const run = await stack.apply([wanted("odd", {}, { type: "infra.none" })], { onFailure });
    expect(run.ends).toEqual({ odd: "SKIPPED/NO_DRIVER", old: "SKIPPED/RUN_STOPPED" });
    expect(names(stack)).toEqual(["old"]);
  });

  test("what fails in the clean-up is DELETE_FAILED and nothing is undone", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([
          { operation: "delete", name: "old", fault: { goes: { wrong: "refused", class: "forbidden" } } },
        ]),
      },
    });
    await stack.apply([wanted("old")]);
    const run = await stack.apply([wanted("new")], { onFailure });
    expect(run.ends).toEqual({ new: "SUCCESS", old: "DELETE_FAILED/FORBIDDEN" });
    expect(names(stack)).toEqual(["new", "old"]);
    expect((await stack.plan([wanted("new")])).plan.actions.map((action) => `${action.kind} ${action.name}`)).toEqual([
      "delete old",
    ]);
  });

  test("a delete-first replace goes as late as the edges allow", async () => {
    const stack = createTestStack({ provider: { latencyMs: (_operation, name) => (name === "slow" ? 1000 : 10) } });
    await stack.apply([wanted("r", { region: "eu" })]);
    const order: string[] = [];
    stack.cloud.onEffect = (effect) => void order.push(`${effect.kind} ${effect.name}`);
    await stack.apply([wanted("r", { region: "us" }), wanted("slow"), wanted("next", { s: ref("slow", "id") })], {
      onFailure,
    });
    expect(order.indexOf("deleting r")).toBeGreaterThan(order.indexOf("created next"));
  });
});

describe("compensate", () => {
  test("creates are deleted again, updates updated back, in reverse order; the first error stays the headline", async () => {
    const stack = createTestStack({ provider: { faults: failing("bad") } });
    await stack.apply([wanted("base", { count: 1 })]);
    const order: string[] = [];
    stack.cloud.onEffect = (effect) => void order.push(`${effect.kind} ${effect.name}`);
    const desired = [
      wanted("base", { count: 2 }),
      wanted("mid", { b: ref("base", "revision") }),
      wanted("bad", { m: ref("mid", "id") }),
    ];
    const run = await stack.apply(desired, { onFailure: "compensate" });
    expect(run.ends).toEqual({
      base: "COMPENSATED",
      mid: "COMPENSATED",
      bad: "ERROR/FORBIDDEN",
    });
    expect(run.end).toBe("compensated");
    expect(order).toEqual(["updated base", "created mid", "deleting mid", "deleted mid", "updated base"]);
    expect(stack.cloud.objects()).toMatchObject([{ name: "base", inputs: { count: 1 } }]);
    expect((await stack.plan([wanted("base", { count: 1 })])).plan.actions).toEqual([]);
  });

  test("a create-first replace is taken back before its clean-up", async () => {
    const stack = createTestStack({ provider: { faults: failing("bad") } });
    const old = wanted("r", { region: "eu" }, { lifecycle: { replace: "create-first" } });
    await stack.apply([old]);
    const run = await stack.apply([{ ...old, config: { region: "us" } }, wanted("bad", { r: ref("r", "id") })], {
      onFailure: "compensate",
    });
    expect(run.end).toBe("compensated");
    expect(stack.cloud.objects()).toMatchObject([{ id: "item-1", inputs: { region: "eu" } }]);
    expect((await stack.plan([old])).plan.actions).toEqual([]);
  });

  test("an interrupt undoes nothing", async () => {
    const stack = createTestStack({ provider: { latencyMs: 100 } });
    const controller = new AbortController();
    stack.cloud.onEffect = () => controller.abort();
    const run = await stack.apply([wanted("a"), wanted("b", { a: ref("a", "id") })], {
      onFailure: "compensate",
      signal: controller.signal,
    });
    expect([run.end, names(stack)]).toEqual(["interrupted", ["a"]]);
  });
});
