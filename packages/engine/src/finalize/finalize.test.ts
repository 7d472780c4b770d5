import {
  createTestStack,
  ref,
  scriptFaults,
  wanted,
  type Fault,
  type FaultSource,
  type TestStackOptions,
} from "@wfctl/testkit";
import { describe, expect, test } from "vitest";

const a = wanted("a", { count: 1 });
const deferred = (personality: "ours" | "upstream", faults?: FaultSource): TestStackOptions => ({
  provider: {
    personality,
    features: { finalizer: true },
    types: { "infra.item": { deferred: true, lookup: true, convergentCreate: true } },
    ...(faults === undefined ? {} : { faults }),
  },
});
const calls = (stack: ReturnType<typeof createTestStack>) =>
  stack.provider.calls.filter((call) => call.operation === "finalize").length;
const refused: Fault = { goes: { wrong: "refused", class: "transient", message: "dns is not there yet" } };

test("once after creates and updates, before clean-up, also after failed actions", async () => {
  const stack = createTestStack(
    deferred(
      "upstream",
      scriptFaults([{ operation: "create", name: "bad", fault: { goes: { wrong: "refused", class: "forbidden" } } }]),
    ),
  );
  const order: string[] = [];
  stack.cloud.onEffect = (effect) => void order.push(`${effect.kind} ${effect.name}`);
  const run = await stack.apply([a, wanted("bad"), wanted("b", { a: ref("a", "id") })]);
  expect(run.end).toBe("failed");
  expect(order).toEqual(["created a", "created b", "finalized a", "finalized b"]);
  expect([calls(stack), (await stack.state()).finalizeOwed]).toEqual([1, []]);
});

test("under stop it comes before the deletes, and its failure keeps the barrier shut", async () => {
  const stack = createTestStack(
    deferred("upstream", scriptFaults([{ operation: "finalize", nth: 2, fault: refused }])),
  );
  await stack.apply([wanted("old")]);
  const run = await stack.apply([a], { onFailure: "stop" });
  expect([run.ends, run.end]).toEqual([{ a: "SUCCESS", old: "SKIPPED/RUN_STOPPED" }, "failed"]);
  expect(run.result.errors).toMatchObject([{ resource: "<plan-finalize>", action: "finalize" }]);
});

test("an empty plan of a provider that owes nothing calls nothing", async () => {
  const stack = createTestStack(deferred("ours"));
  await stack.apply([a]);
  await stack.apply([a]);
  expect(calls(stack)).toBe(1);
});

describe("still owed", () => {
  test("after an error: the run fails, no slot changes, and the next command updates what was written there and calls again", async () => {
    const stack = createTestStack(
      deferred("upstream", scriptFaults([{ operation: "finalize", nth: 1, fault: refused }])),
    );
    const run = await stack.apply([a]);
    expect([run.ends, run.end]).toEqual([{ a: "SUCCESS" }, "failed"]);
    expect(run.finalizeErrors[0]?.error).toContain("dns is not there yet");
    expect((await stack.state()).finalizeOwed).toEqual(["cloud"]);
    const planned = await stack.plan([a]);
    expect(planned.plan.actions).toMatchObject([{ kind: "update", name: "a", force: true }]);
    const next = await stack.apply([a]);
    expect([next.end, stack.cloud.objects()[0]?.finalized]).toEqual(["succeeded", true]);
    expect((await stack.plan([a])).plan.actions).toEqual([]);
  });

  test.each(["ours", "upstream"] as const)(
    "after a kill (%s): also with an empty memory the deferred work gets done",
    async (personality) => {
      const stack = createTestStack(deferred(personality));
      await stack.applyUntil((point) => point.at === "call" && point.operation === "finalize", [a]);
      const next = await stack.apply([a]);
      expect([next.ends, next.end]).toEqual([{ a: "SUCCESS" }, "succeeded"]);
      expect([stack.cloud.objects()[0]?.finalized, (await stack.state()).finalizeOwed]).toEqual([true, []]);
    },
  );

  test("after a plugin restart in the middle of the run: what the first process deferred may be forgotten", async () => {
    const stack = createTestStack(
      deferred(
        "upstream",
        scriptFaults([{ operation: "create", name: "b", nth: 1, fault: { goes: { wrong: "crash", when: "after" } } }]),
      ),
    );
    const desired = [a, wanted("b", { a: ref("a", "id") })];
    const run = await stack.apply(desired);
    expect([run.ends, run.end]).toEqual([{ a: "SUCCESS", b: "SUCCESS" }, "failed"]);
    expect(stack.cloud.objects().map((object) => object.finalized)).toEqual([false, false]);
    const next = await stack.apply(desired);
    expect([next.end, stack.cloud.objects().map((object) => object.finalized)]).toEqual(["succeeded", [true, true]]);
  });

  test("even where nothing is left to do: an empty plan calls it", async () => {
    const stack = createTestStack(deferred("ours", scriptFaults([{ operation: "finalize", nth: 1, fault: refused }])));
    await stack.apply([a]);
    await stack.apply([]);
    expect([calls(stack), (await stack.state()).finalizeOwed]).toEqual([2, []]);
  });
});

test("owed to a plugin that has no finalizer any more: told by one run, and over", async () => {
  const stack = createTestStack(deferred("upstream", scriptFaults([{ operation: "finalize", fault: refused }])));
  await stack.apply([a]);
  Object.assign(stack.provider.features, { finalizer: false });
  const told = await stack.apply([a]);
  expect([told.ends, told.end]).toEqual([{ a: "SUCCESS" }, "failed"]);
  expect(told.finalizeErrors[0]?.error).toContain("no finalizer any more");
  expect((await stack.state()).finalizeOwed).toEqual([]);
  expect((await stack.apply([a])).end).toBe("succeeded");
});
