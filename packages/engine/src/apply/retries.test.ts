import { createTestStack, scriptFaults, wanted, type Fault } from "@wfctl/testkit";
import { expect, test } from "vitest";

const throttled: Fault = { goes: { wrong: "refused", class: "rate_limited", retryAfterMs: 5000 } };
const passing: Fault = { goes: { wrong: "refused", class: "transient" } };
const times = (operation: "create" | "update" | "delete" | "read" | "diff", fault: Fault, count: number) =>
  scriptFaults(Array.from({ length: count }, (_, index) => ({ operation, nth: index + 1, fault })));

test("a throttled create of ours is sent again with the same token, not before the provider's time; attempts are counted", async () => {
  const stack = createTestStack({ provider: { faults: times("create", throttled, 2) } });
  const began = stack.clock.now();
  const run = await stack.apply([wanted("a")]);
  expect([run.ends, run.outcomes[0]?.attempts]).toEqual([{ a: "SUCCESS" }, 3]);
  expect(stack.clock.now() - began).toBeGreaterThanOrEqual(10_000);
  const tokens = stack.provider.calls.map((call) => call.options.clientToken);
  expect(new Set(tokens).size).toBe(1);
  expect(stack.events.filter((event) => event.event === "action-retry")).toMatchObject([
    { attempt: 2 },
    { attempt: 3 },
  ]);
});

test("retries of ours end: the outcome tells the last class", async () => {
  const stack = createTestStack({ provider: { faults: scriptFaults([{ operation: "create", fault: passing }]) } });
  const run = await stack.apply([wanted("a")]);
  expect(run.ends).toEqual({ a: "ERROR/TRANSIENT" });
  expect(run.outcomes[0]?.attempts).toBeLessThan(30);
});

test("a create of upstream is sent again only after the resolver found nothing", async () => {
  const stack = createTestStack({ provider: { personality: "upstream", faults: times("create", passing, 1) } });
  const run = await stack.apply([wanted("a")]);
  expect([run.ends, run.outcomes[0]?.attempts]).toEqual([{ a: "SUCCESS" }, 2]);
  expect(stack.cloud.objects()).toHaveLength(1);
  const order = stack.provider.calls.map((call) => call.operation);
  expect(order).toEqual(["read", "create", "read", "read", "create"]);
});

test("a throttled create without tokens whose time is shorter than the cloud's is not repeated, and says why", async () => {
  const stack = createTestStack({ provider: { personality: "upstream", faults: times("create", throttled, 1) } });
  const began = stack.clock.now();
  const run = await stack.apply([wanted("a", {}, { timeouts: { create: 20_000 } })]);
  expect([run.ends, run.outcomes[0]?.attempts]).toEqual([{ a: "ERROR/RATE_LIMITED" }, 1]);
  expect(run.outcomes[0]?.message).toContain(
    "not repeated: its time of 20 s (timeouts.create) is over, and only 30 s after the answer is it certain that nothing was created",
  );
  // An answer does not say that the request made nothing: the cloud has its time to show it all the same.
  expect(stack.clock.now() - began).toBeGreaterThanOrEqual(30_000);
});

test("a throttled create without tokens that has the time is repeated until that is over, and says so", async () => {
  const stack = createTestStack({ provider: { personality: "upstream", faults: times("create", throttled, 9) } });
  const run = await stack.apply([wanted("a", {}, { timeouts: { create: 90_000 } })]);
  expect([run.ends, run.outcomes[0]?.attempts]).toEqual([{ a: "ERROR/RATE_LIMITED" }, 3]);
  expect(run.outcomes[0]?.message).toMatch(/; not repeated: its time of 90 s \(timeouts.create\) is over$/);
});

test("an update of upstream that left the object alone is sent again", async () => {
  const stack = createTestStack({ provider: { personality: "upstream", faults: times("update", passing, 1) } });
  await stack.apply([wanted("a", { count: 1 })]);
  const run = await stack.apply([wanted("a", { count: 2 })]);
  expect([run.ends, run.outcomes[0]?.attempts]).toEqual([{ a: "SUCCESS" }, 2]);
});

test("a read or diff whose plugin dies is asked once more of the next process, not for ever", async () => {
  for (const operation of ["read", "diff"] as const) {
    for (const [crashes, end] of [
      [1, "SUCCESS"],
      [2, "PLUGIN_EXITED"],
    ] as const) {
      let left = 0;
      const dies: Fault = { goes: { wrong: "crash", when: "before" } };
      const stack = createTestStack({
        provider: { faults: (call) => (call.operation === operation && left-- > 0 ? dies : undefined) },
      });
      await stack.apply([wanted("a", { count: 1 })]);
      const planned = await stack.plan([wanted("a", { count: 2 })]);
      left = crashes;
      const { outcomes } = await stack.applyPlanned(planned);
      expect(outcomes.map(({ status, code }) => code ?? status)).toEqual([end]);
    }
  }
});

test("deletes, reads and diffs are sent again freely", async () => {
  for (const operation of ["delete", "read", "diff"] as const) {
    const stack = createTestStack({ provider: { personality: "upstream", faults: times(operation, passing, 2) } });
    await stack.apply([wanted("a", { count: 1 })]);
    await stack.apply([wanted("a", { count: 2 })]);
    expect((await stack.destroy()).end).toBe("succeeded");
  }
});

test("nothing is sent after the deadline, and each attempt gets what is left of it", async () => {
  const stack = createTestStack({ provider: { faults: scriptFaults([{ operation: "create", fault: throttled }]) } });
  const run = await stack.apply([wanted("a", {}, { timeouts: { create: 12_000 } })]);
  expect(run.ends).toEqual({ a: "ERROR/RATE_LIMITED" });
  const limits = stack.provider.calls.slice(0, 2).map((call) => call.options.timeoutMs);
  expect(limits[0]).toBe(12_000);
  expect(limits[1]).toBeLessThanOrEqual(7000);
  const intent = stack.disk.commits.flat().find((event) => event.kind === "intent");
  expect(intent?.kind === "intent" && Date.parse(intent.intent.deadlineAt) - Date.parse(intent.intent.sentAt)).toBe(
    12_000,
  );
});

test("a definite answer to a second attempt does not hide what the first one made", async () => {
  const stack = createTestStack({
    provider: {
      faults: scriptFaults([
        { operation: "create", nth: 1, fault: { goes: { wrong: "lost", class: "transient" } } },
        { operation: "create", fault: { goes: { wrong: "refused", class: "unauthorized" } } },
      ]),
    },
  });
  await stack.apply([wanted("a")]);
  expect(stack.cloud.objects()).toHaveLength(1);
  expect((await stack.record("a"))?.providerId).toBe("item-1");
});

test("a dead plugin is started again, and its open call resolved first", async () => {
  const stack = createTestStack({
    provider: {
      faults: scriptFaults([{ operation: "create", nth: 1, fault: { goes: { wrong: "crash", when: "after" } } }]),
    },
  });
  const run = await stack.apply([wanted("a")]);
  expect([run.ends, stack.provider.restarts, stack.cloud.objects().length]).toEqual([{ a: "SUCCESS" }, 1, 1]);
});

test("while a driver only waits, its slot serves another call", async () => {
  const stack = createTestStack({ provider: { latencyMs: 5000, features: { ownLimits: true } } });
  const began = stack.clock.now();
  await stack.apply([wanted("a"), wanted("b"), wanted("c")], { parallelism: 1 });
  expect(stack.clock.now() - began).toBeLessThan(6000);
});

test("a provider without limits of its own gets no more calls at once than its slots", async () => {
  const stack = createTestStack({ provider: { personality: "upstream", latencyMs: 1000 } });
  const desired = Array.from({ length: 25 }, (_, index) => wanted(`r${index}`));
  const began = stack.clock.now();
  await stack.apply(desired);
  // Three waves of ten, each with its read before the create.
  expect(stack.clock.now() - began).toBe(6000);
});

test("people see a sign of life every ten seconds", async () => {
  const stack = createTestStack({
    provider: { personality: "upstream", latencyMs: (operation) => (operation === "create" ? 35_000 : 1) },
  });
  await stack.apply([wanted("a")]);
  const lines = stack.events.filter((event) => event.event === "action-progress");
  expect(lines.map((event) => event.event === "action-progress" && Math.round(event.elapsedMs / 1000))).toEqual([
    10, 20, 30,
  ]);
});
