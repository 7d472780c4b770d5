import { createTestStack, ref, scriptFaults, wanted } from "@wfctl/testkit";
import { expect, test } from "vitest";

const a = wanted("a", { count: 1 });
const b = wanted("b", { a: ref("a", "id") });

test("after the first signal nothing new starts, and the call in flight gets its true outcome", async () => {
  const stack = createTestStack({ provider: { latencyMs: 900 } });
  const controller = new AbortController();
  void stack.clock.sleep(500).then(() => controller.abort());
  const run = await stack.apply([a, b, wanted("c")], { signal: controller.signal, parallelism: 1 });
  expect(run.end).toBe("interrupted");
  expect(Object.values(run.ends).toSorted()).toEqual(["SKIPPED/CANCELLED", "SKIPPED/CANCELLED", "SUCCESS"]);
  expect(stack.cloud.objects()).toHaveLength(1);
  expect(stack.provider.stopped).toEqual(["run-1"]);
});

test("drivers of ours stop waiting and tell what they have: recorded, and looked at by the next plan", async () => {
  const stack = createTestStack({ cloud: { readyMs: 3_600_000 } });
  const controller = new AbortController();
  void stack.clock.sleep(60_000).then(() => controller.abort());
  const began = stack.clock.now();
  const run = await stack.apply([a], { signal: controller.signal });
  expect(run.ends).toEqual({ a: "ERROR/INCOMPLETE" });
  expect(stack.clock.now() - began).toBeLessThan(62_000);
  expect(await stack.record("a")).toMatchObject({ providerId: "item-1", mark: "dirty", createdByUs: true });
  expect((await stack.plan([a])).plan.actions).toEqual([]);
});

test("calls that are still open after the grace are given up: OUTCOME_UNKNOWN, intents stay open for the next command", async () => {
  const stack = createTestStack({
    provider: { personality: "upstream", latencyMs: (operation) => (operation === "create" ? 20_000 : 10) },
  });
  const controller = new AbortController();
  void stack.clock.sleep(1000).then(() => controller.abort());
  const began = stack.clock.now();
  const run = await stack.apply([a, b], { signal: controller.signal });
  expect(run.ends).toEqual({ a: "ERROR/OUTCOME_UNKNOWN", b: "SKIPPED/CANCELLED" });
  expect(stack.clock.now() - began).toBe(5000);
  expect([...(await stack.state()).unknown.keys()]).toEqual(["a"]);
  await stack.clock.sleep(60_000);
  const recovery = await stack.recover();
  expect(recovery.resolved).toMatchObject([{ name: "a", status: "ours" }]);
  expect(await stack.record("a")).toMatchObject({ providerId: "item-1" });
});

test("a retry that waits is not sent any more", async () => {
  const stack = createTestStack({
    provider: {
      faults: scriptFaults([
        { operation: "create", fault: { goes: { wrong: "refused", class: "rate_limited", retryAfterMs: 2000 } } },
      ]),
    },
  });
  const controller = new AbortController();
  void stack.clock.sleep(1000).then(() => controller.abort());
  await stack.apply([a], { signal: controller.signal });
  expect(stack.provider.calls.filter((call) => call.operation === "create")).toHaveLength(1);
});

test("a cancel while the object is read before its update: nothing is sent, the action is skipped", async () => {
  const stack = createTestStack({ provider: { latencyMs: (operation) => (operation === "read" ? 1000 : 10) } });
  await stack.apply([a]);
  const controller = new AbortController();
  void stack.clock.sleep(500).then(() => controller.abort());
  const run = await stack.apply([wanted("a", { count: 2 })], { signal: controller.signal });
  expect(run.ends).toEqual({ a: "SKIPPED/CANCELLED" });
  expect(stack.provider.calls.filter((call) => call.operation === "update")).toEqual([]);
});

test("a replace that is cut in the middle is an error, not a skip: what is left is said", async () => {
  const stack = createTestStack({ provider: { latencyMs: 100 } });
  await stack.apply([wanted("a", { region: "eu" })]);
  const controller = new AbortController();
  stack.cloud.onEffect = (effect) => effect.kind === "deleted" && controller.abort();
  const run = await stack.apply([wanted("a", { region: "us" })], { signal: controller.signal });
  expect(run.ends).toEqual({ a: "ERROR/INTERRUPTED" });
  expect(run.outcomes[0]?.message).toContain("the old object is deleted, the new one is not created");
});

test("a cancelled run leaves its finalizer owed, with all that it wrote to be updated again", async () => {
  const stack = createTestStack({
    provider: { features: { finalizer: true }, types: { "infra.item": { deferred: true } } },
  });
  const controller = new AbortController();
  stack.cloud.onEffect = () => controller.abort();
  await stack.apply([a], { signal: controller.signal });
  expect((await stack.state()).finalizeOwed).toEqual(["cloud"]);
  expect(await stack.record("a")).toMatchObject({ mark: "dirty", markReason: "finalizer owed" });
  stack.cloud.onEffect = undefined;
  const next = await stack.apply([a]);
  expect([next.ends, next.end]).toEqual([{ a: "SUCCESS" }, "succeeded"]);
  expect([(await stack.state()).finalizeOwed, stack.cloud.objects()[0]?.finalized]).toEqual([[], true]);
});
