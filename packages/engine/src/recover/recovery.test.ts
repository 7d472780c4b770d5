import {
  createTestStack,
  ref,
  scriptFaults,
  wanted,
  type CrashPoint,
  type TestStack,
  type TestStackOptions,
} from "@wfctl/testkit";
import type { JsonObject, RunState } from "@wfctl/model";
import { describe, expect, test } from "vitest";

const a = wanted("a", { count: 1 });
const at = (operation: string, point: CrashPoint["at"]) => (each: CrashPoint) =>
  each.at === point && "operation" in each && each.operation === operation;
const effect = (kind: string) => (each: CrashPoint) => each.at === "effect" && each.effect.kind === kind;
const runOf = async (stack: TestStack, id: string): Promise<RunState | undefined> =>
  stack.hold(({ memory }) => memory.run(id));
const endOf = async (stack: TestStack, id: string): Promise<string> => {
  const run = await runOf(stack, id);
  return [...(run?.outcomes.values() ?? [])]
    .map((each) => (each.code === undefined ? each.status : `${each.status}/${each.code}`))
    .join(" ");
};

test("an update whose effect cannot show, sent for what a finalizer owes, is settled once none can come any more", async () => {
  const stack = createTestStack({
    provider: {
      personality: "upstream",
      features: { finalizer: true },
      types: { "infra.item": { deferred: true } },
      faults: scriptFaults([
        { operation: "finalize", nth: 1, fault: { goes: { wrong: "refused", class: "forbidden" } } },
        { operation: "update", nth: 1, fault: { goes: { wrong: "crash", when: "late", lateMs: 9000 } } },
      ]),
    },
  });
  await stack.apply([a]);
  expect((await stack.plan([a])).plan.actions).toMatchObject([{ kind: "update", force: true }]);
  await stack.applyUntil(at("update", "answer"), [a]);
  expect(stack.cloud.log.filter(({ kind }) => kind === "updated")).toEqual([]);
  expect((await stack.apply([a])).end).toBe("succeeded");
  // The late one came before that of the run which called the finalizer.
  const kinds = stack.cloud.log.map(({ kind }) => kind);
  expect(kinds.slice(-3)).toEqual(["updated", "updated", "finalized"]);
  await stack.clock.sleep(60_000);
  expect(stack.cloud.objects()).toMatchObject([{ finalized: true }]);
});

test("what comes to its effect after the finalizer of its run is owed another, also where the run was not closed yet", async () => {
  const stack = createTestStack({
    provider: {
      features: { finalizer: true },
      forgetfulFinalizer: true,
      types: { "infra.item": { deferred: true, lookup: true, convergentCreate: true } },
      faults: scriptFaults([
        { operation: "create", nth: 1, fault: { goes: { wrong: "refused", class: "unknown" } } },
        { operation: "lookup", nth: 1, fault: { goes: { wrong: "refused", class: "forbidden" } } },
      ]),
    },
  });
  await stack.applyUntil(
    (point) => point.at === "write" && point.events.some(({ kind }) => kind === "run-closed"),
    [a],
  );
  expect((await runOf(stack, "run-1"))?.outcomes.get(0)?.code).toBe("OUTCOME_UNKNOWN");
  await stack.recover();
  expect(await stack.record("a")).toMatchObject({ providerId: "item-1", mark: "dirty" });
  expect((await stack.apply([a])).end).toBe("succeeded");
  expect(stack.cloud.objects()).toMatchObject([{ finalized: true }]);
});

describe.each(["ours", "upstream"] as const)("create (%s)", (personality) => {
  test("ours, whole: SUCCESS, the id recorded, nothing sent twice", async () => {
    const stack = createTestStack({ provider: { personality } });
    await stack.applyUntil(effect("created"), [a]);
    const recovery = await stack.recover();
    expect(recovery.runs).toEqual(["run-1"]);
    expect([await endOf(stack, "run-1"), stack.cloud.objects().length]).toEqual(["SUCCESS", 1]);
    expect(await stack.record("a")).toMatchObject({ providerId: "item-1", createdByUs: true });
    expect((await stack.plan([a])).plan.actions).toEqual([]);
  });

  test("ours, incomplete: repeated with its token where that converges, else ERROR and repaired by the next plan", async () => {
    const stack = createTestStack({
      provider: {
        personality,
        faults: scriptFaults([
          { operation: "create", nth: 1, fault: { goes: { wrong: "partial", class: "unknown" } } },
        ]),
      },
    });
    await stack.applyUntil(effect("created"), [a]);
    await stack.recover();
    expect(await endOf(stack, "run-1")).toBe(personality === "ours" ? "SUCCESS" : "ERROR/INCOMPLETE");
    expect((await stack.apply([a])).end).toBe("succeeded");
    expect(stack.cloud.objects()).toMatchObject([{ state: "ready", inputs: { count: 1 } }]);
  });

  test("absent: sent again with the same token, else ERROR NOT_APPLIED once the settle time is over", async () => {
    const stack = createTestStack({ provider: { personality } });
    await stack.applyUntil(at("create", "call"), [a]);
    const began = stack.clock.now();
    await stack.recover();
    if (personality === "ours") {
      expect([await endOf(stack, "run-1"), stack.cloud.objects().length]).toEqual(["SUCCESS", 1]);
    } else {
      expect(await endOf(stack, "run-1")).toBe("ERROR/NOT_APPLIED");
      expect(stack.clock.now() - began).toBeGreaterThanOrEqual(29_000);
      expect((await stack.apply([a])).ends).toEqual({ a: "SUCCESS" });
    }
    expect(stack.cloud.objects()).toHaveLength(1);
  });

  test("an object that shows up late, within the settle time, is not made twice", async () => {
    const stack = createTestStack({ cloud: { lagMs: 20_000 }, provider: { personality } });
    await stack.applyUntil(effect("created"), [a]);
    await stack.recover();
    expect([await endOf(stack, "run-1"), (await stack.record("a"))?.providerId]).toEqual(["SUCCESS", "item-1"]);
  });

  test("a process that may still be at it elsewhere: unknown, everything else proceeds, tried again by each command", async () => {
    const stack = createTestStack({
      provider: { personality, ...(personality === "ours" ? { types: { "infra.item": { lookup: true } } } : {}) },
    });
    await stack.applyUntil(at("create", "call"), [a]);
    const recovery = await stack.recover({ pluginsGone: false });
    expect(recovery.unknown).toMatchObject([{ name: "a" }]);
    expect(await endOf(stack, "run-1")).toBe("ERROR/OUTCOME_UNKNOWN");
    const planned = await stack.plan([a, wanted("b"), wanted("c", { a: ref("a", "id") })]);
    expect(planned.plan.actions.map((action) => action.name)).toEqual(["b", "c"]);
    expect(planned.plan.notes).toMatchObject([{ name: "a", code: "UNKNOWN_RESOURCE" }]);
    const run = await stack.apply([a, wanted("b"), wanted("c", { a: ref("a", "id") })], { pluginsGone: false });
    expect(run.ends).toEqual({ b: "SUCCESS", c: "SKIPPED/DEPENDENCY_FAILED" });
    // Its deadline and the settle time pass.
    stack.clock.advance(1_900_000);
    await stack.recover({ pluginsGone: false });
    expect((await stack.state()).unknown.size).toBe(0);
    expect((await stack.apply([a, wanted("b"), wanted("c", { a: ref("a", "id") })])).end).toBe("succeeded");
  });
});

test("tokens settle a create even while a process elsewhere may be at it", async () => {
  const stack = createTestStack();
  await stack.applyUntil(at("create", "call"), [a]);
  await stack.recover({ pluginsGone: false });
  expect([await endOf(stack, "run-1"), stack.cloud.objects().length]).toEqual(["SUCCESS", 1]);
});

test("a name alone is no evidence: an object of that name that was not looked for before is left alone", async () => {
  const stack = createTestStack({
    provider: {
      personality: "upstream",
      faults: scriptFaults([{ operation: "read", nth: 1, fault: { goes: { wrong: "refused", class: "forbidden" } } }]),
    },
  });
  stack.cloud.account("main").outside.create({ name: "a", type: "infra.item", inputs: { theirs: true } });
  await stack.applyUntil(at("create", "call"), [a]);
  await stack.recover();
  expect([...(await stack.state()).unknown.keys()]).toEqual(["a"]);
  await stack.apply([a]);
  await stack.destroy();
  expect(stack.cloud.objects()).toMatchObject([{ inputs: { theirs: true } }]);
});

test("a hook that fails for what is found late, when its run is closed: the record is marked", async () => {
  const stack = createTestStack({ provider: { personality: "upstream" } });
  await stack.applyUntil(at("create", "call"), [a]);
  await stack.recover({ pluginsGone: false });
  expect(await endOf(stack, "run-1")).toBe("ERROR/OUTCOME_UNKNOWN");
  // The process that was asked has done it after all.
  stack.cloud.account("main").outside.create({ name: "a", type: "infra.item", inputs: a.config as JsonObject });
  const refuses = { onResourceApplied: () => Promise.reject(new Error("the secret is not stored")) };
  await stack.recover({ hooks: refuses });
  const record = await stack.record("a");
  expect([record?.mark, record?.markReason]).toEqual(["tainted", "a hook after its create failed"]);
});

test("an ownership mark is evidence where there is no lookup", async () => {
  const stack = createTestStack({
    provider: {
      types: { "infra.item": {} },
      features: { lookup: false, clientTokens: false },
      faults: scriptFaults([{ operation: "read", nth: 1, fault: { goes: { wrong: "refused", class: "forbidden" } } }]),
    },
  });
  await stack.applyUntil(effect("created"), [a]);
  await stack.recover();
  expect([await endOf(stack, "run-1"), (await stack.record("a"))?.providerId]).toEqual(["SUCCESS", "item-1"]);
});

test("the old object of a create-first replace, which carries our mark and name, is not taken for the new one", async () => {
  const stack = createTestStack({
    provider: {
      types: { "infra.item": { createFirst: true, forceNew: ["region"] } },
      features: { lookup: false, clientTokens: false },
    },
  });
  await stack.apply([wanted("a", { region: "eu" })]);
  await stack.applyUntil(at("create", "call"), [wanted("a", { region: "us" })]);
  await stack.recover();
  expect([...(await stack.state()).unknown.keys()]).toEqual(["a"]);
  expect(await stack.record("a")).toMatchObject({ providerId: "item-1", inputs: { region: "eu" } });
});

describe("update", () => {
  const changed = wanted("a", { count: 2 });

  test.each(["ours", "upstream"] as const)(
    "as intended: SUCCESS; else ERROR INTERRUPTED and dirty (%s)",
    async (personality) => {
      for (const [when, end] of [
        [effect("updated"), "SUCCESS"],
        [at("update", "call"), "ERROR/INTERRUPTED"],
      ] as const) {
        const stack = createTestStack({ provider: { personality } });
        await stack.apply([a]);
        await stack.applyUntil(when, [changed]);
        await stack.recover();
        expect(await endOf(stack, "run-2")).toBe(end);
        expect((await stack.record("a"))?.mark).toBe(end === "SUCCESS" ? undefined : "dirty");
        expect((await stack.apply([changed])).end).toBe("succeeded");
        expect(stack.cloud.objects()).toMatchObject([{ inputs: { count: 2 } }]);
      }
    },
  );

  test("gone meanwhile: ERROR, and the next plan creates it again", async () => {
    const stack = createTestStack();
    await stack.apply([a]);
    await stack.applyUntil(at("update", "call"), [changed]);
    stack.cloud.account("main").outside.delete("item-1");
    await stack.recover();
    expect(await endOf(stack, "run-2")).toBe("ERROR/INTERRUPTED");
    expect((await stack.apply([changed])).ends).toEqual({ a: "SUCCESS" });
  });
});

describe("delete", () => {
  test.each(["ours", "upstream"] as const)(
    "gone: SUCCESS, record removed; there: DELETE_FAILED INTERRUPTED (%s)",
    async (personality) => {
      for (const [when, end] of [
        [effect("deleted"), "SUCCESS"],
        [at("delete", "call"), "DELETE_FAILED/INTERRUPTED"],
      ] as const) {
        const stack = createTestStack({ provider: { personality } });
        await stack.apply([a]);
        await stack.applyUntil(when, [], { destroy: true });
        await stack.recover();
        expect([await endOf(stack, "run-2"), (await stack.record("a")) === undefined]).toEqual([
          end,
          end === "SUCCESS",
        ]);
        expect((await stack.destroy()).end).toBe("succeeded");
        expect(stack.cloud.objects()).toEqual([]);
      }
    },
  );

  test("going: waited for", async () => {
    const stack = createTestStack({ cloud: { deleteMs: 120_000 } });
    await stack.apply([a]);
    await stack.applyUntil(effect("deleting"), [], { destroy: true });
    await stack.recover();
    expect(await endOf(stack, "run-2")).toBe("SUCCESS");
  });
});

describe("a request that is still on its way when recovery first looks", () => {
  const late = (operation: "update" | "delete") =>
    scriptFaults([{ operation, nth: 1, fault: { goes: { wrong: "late", class: "deadline", lateMs: 20_000 } } }]);

  test.each(["ours", "upstream"] as const)(
    "an update: looked at again when the settle time is over (%s)",
    async (personality) => {
      const stack = createTestStack({ provider: { personality, faults: late("update") } });
      await stack.apply([a]);
      const changed = wanted("a", { count: 2 });
      // The process that was asked may still be at it: nothing is concluded before it is gone.
      expect((await stack.apply([changed])).ends).toEqual({ a: "ERROR/OUTCOME_UNKNOWN" });
      const next = await stack.apply([changed]);
      expect(next.recovery.resolved).toMatchObject([
        { name: "a", status: "ours", message: "the object is as intended" },
      ]);
      expect(stack.cloud.log.filter(({ kind }) => kind === "updated")).toHaveLength(1);
      // Whoever looks on is told why nothing moves.
      const told = { event: "recovery-waiting", name: "a", operation: "update", waitMs: expect.any(Number) };
      expect(stack.events).toContainEqual(expect.objectContaining(told));
    },
  );

  test.each(["ours", "upstream"] as const)(
    "a delete: looked at again when the settle time is over (%s)",
    async (personality) => {
      const stack = createTestStack({ provider: { personality, faults: late("delete") } });
      await stack.apply([a]);
      expect((await stack.apply([])).ends).toEqual({ a: "DELETE_FAILED/OUTCOME_UNKNOWN" });
      const next = await stack.apply([a]);
      // It was wanted again meanwhile: it is made anew, not taken for the one that was about to go.
      expect(next.recovery.resolved).toMatchObject([{ name: "a", status: "absent" }]);
      expect([next.ends, stack.cloud.objects().map(({ id }) => id)]).toEqual([{ a: "SUCCESS" }, ["item-2"]]);
    },
  );

  test("an interrupt does not wait for it: unknown, for the next command", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([
          { operation: "update", nth: 1, fault: { goes: { wrong: "crash", when: "late", lateMs: 20_000 } } },
        ]),
      },
    });
    await stack.apply([a]);
    const controller = new AbortController();
    stack.provider.crash();
    const run = stack.apply([wanted("a", { count: 2 })], {
      signal: controller.signal,
      crashWhen: (point) => {
        if (point.at === "call" && point.operation === "update") controller.abort();
        return false;
      },
    });
    expect((await run).ends).toEqual({ a: "ERROR/OUTCOME_UNKNOWN" });
    expect((await stack.apply([wanted("a", { count: 2 })])).end).toBe("succeeded");
    expect(stack.cloud.objects()).toMatchObject([{ inputs: { count: 2 }, revision: 2 }]);
  });
});

describe("replace: each half as above", () => {
  const desired = (region: string, replace: "create-first" | "delete-first") => [
    wanted("a", { region }, { lifecycle: { replace } }),
  ];

  test.each([
    ["delete-first", effect("deleted")],
    ["delete-first", at("create", "call")],
    ["delete-first", effect("created")],
    ["create-first", effect("created")],
    ["create-first", at("delete", "call")],
    ["create-first", effect("deleted")],
  ] as const)("%s, killed in the middle: the next plan goes on from there", async (mode, when) => {
    for (const personality of ["ours", "upstream"] as const) {
      const stack = createTestStack({
        provider: {
          personality,
          types: { "infra.item": { forceNew: ["region"], lookup: true, convergentCreate: true } },
        },
      });
      await stack.apply(desired("eu", mode));
      await stack.applyUntil(when, desired("us", mode));
      const next = await stack.apply(desired("us", mode));
      if ((await stack.state()).unknown.size > 0) {
        // Without lookup a new object beside the old one cannot be told by its name.
        expect([personality, mode]).toEqual(["upstream", "create-first"]);
        continue;
      }
      expect(next.end).toBe("succeeded");
      expect(stack.cloud.objects()).toMatchObject([{ inputs: { region: "us" } }]);
      expect((await stack.plan(desired("us", mode))).plan.actions).toEqual([]);
    }
  });
});

test("slots never dispatched become SKIPPED INTERRUPTED", async () => {
  const stack = createTestStack();
  await stack.applyUntil(effect("created"), [a, wanted("b", { a: ref("a", "id") })]);
  await stack.recover();
  expect(await endOf(stack, "run-1")).toBe("SUCCESS SKIPPED/INTERRUPTED");
  expect((await runOf(stack, "run-1"))?.closed?.end).toBe("recovered");
});

test("other account: unknown, never asked there; the plan refuses and shows both", async () => {
  let account = "main";
  const options: TestStackOptions = { provider: {} };
  const stack = createTestStack(options);
  await stack.applyUntil(effect("created"), [a]);
  const other = Object.assign(Object.create(stack.provider) as typeof stack.provider, { identity: "fake:other" });
  const recovery = await stack.hold(async ({ recoverDeps }) => {
    const { recoverRuns } = await import("../index.ts");
    account = "other";
    return recoverRuns({ ...recoverDeps, provider: async () => other });
  });
  expect([account, recovery.unknown]).toMatchObject([
    "other",
    [{ name: "a", why: expect.stringContaining("fake:main") }],
  ]);
  expect(await endOf(stack, "run-1")).toBe("ERROR/OTHER_ACCOUNT");
  await stack.recover();
  expect((await stack.state()).unknown.size).toBe(0);
});

test("a provider that is not there any more, or does not start: unknown, with the reason", async () => {
  const stack = createTestStack();
  await stack.applyUntil(effect("created"), [a]);
  const { recoverRuns } = await import("../index.ts");
  const missing = await stack.hold(({ recoverDeps }) =>
    recoverRuns({ ...recoverDeps, provider: async () => undefined }),
  );
  expect(missing.unknown[0]?.why).toContain("not configured any more");
  const broken = await stack.hold(({ recoverDeps }) =>
    recoverRuns({ ...recoverDeps, provider: () => Promise.reject(new Error("no such file")) }),
  );
  expect(broken.unknown[0]?.why).toContain("no such file");
  await stack.recover();
  expect(await stack.record("a")).toMatchObject({ providerId: "item-1" });
});

test("recovery that dies itself is done again", async () => {
  const stack = createTestStack();
  await stack.applyUntil(effect("created"), [a, wanted("b")]);
  for (const when of ["write", "durable"] as const) {
    await new Promise<void>((resolve) => {
      void stack.recover({ crashWhen: (point) => point.at === when, onDeath: resolve });
    });
  }
  expect((await stack.apply([a, wanted("b")])).end).toBe("succeeded");
  expect(stack.cloud.objects()).toHaveLength(2);
});

test("two deposed objects whose deletes were in flight leave the list together", async () => {
  const types = { "infra.item": { createFirst: true, forceNew: ["region"], lookup: true, convergentCreate: true } };
  let refuse = true;
  const stack = createTestStack({
    provider: {
      types,
      latencyMs: 100,
      faults: (call) =>
        refuse && call.operation === "delete" ? { goes: { wrong: "refused", class: "forbidden" } } : undefined,
    },
  });
  for (const region of ["eu", "us", "ca"]) await stack.apply([wanted("a", { region })]);
  expect((await stack.record("a"))?.deposed).toHaveLength(2);
  refuse = false;
  let gone = 0;
  await stack.applyUntil(
    (point) => point.at === "effect" && point.effect.kind === "deleted" && (gone += 1) === 2,
    [wanted("a", { region: "ca" })],
  );
  await stack.recover();
  expect((await stack.record("a"))?.deposed).toEqual([]);
  expect(stack.cloud.objects()).toHaveLength(1);
});

test("of two calls for one resource whose ends a closed run did not know, the next command settles both", async () => {
  const types = { "infra.item": { createFirst: true, forceNew: ["region"], lookup: true, convergentCreate: true } };
  let goes: "refused" | "late" = "refused";
  const stack = createTestStack({
    provider: {
      types,
      faults: ({ operation }) => {
        if (operation !== "delete") return undefined;
        if (goes === "refused") return { goes: { wrong: "refused", class: "forbidden" } };
        return { goes: { wrong: "late", class: "deadline", lateMs: 60_000 } };
      },
    },
  });
  for (const region of ["eu", "us", "ca"]) await stack.apply([wanted("a", { region })]);
  goes = "late";
  const run = await stack.apply([wanted("a", { region: "ca" })]);
  expect(run.outcomes.map(({ status, code }) => `${status} ${code}`)).toEqual([
    "DELETE_FAILED OUTCOME_UNKNOWN",
    "DELETE_FAILED OUTCOME_UNKNOWN",
  ]);
  expect((await stack.state()).unknown.size).toBe(1);
  await stack.clock.sleep(7_200_000);
  const { resolved } = await stack.recover();
  expect(resolved.map(({ name, operation, status }) => `${operation} ${name} ${status}`)).toEqual([
    "delete a absent",
    "delete a absent",
  ]);
  expect([(await stack.state()).unknown.size, (await stack.record("a"))?.deposed]).toEqual([0, []]);
});

test.each(["create", "update", "delete"] as const)(
  "a clock that was set back since the %s was sent does not lengthen the wait for its effect",
  async (operation) => {
    const stack = createTestStack({ provider: { personality: "upstream" } });
    if (operation !== "create") await stack.apply([a]);
    stack.clock.advance(7_200_000);
    const wantedNow = { create: [a], update: [wanted("a", { count: 2 })], delete: [] }[operation];
    await stack.applyUntil(at(operation, "call"), wantedNow);
    stack.clock.advance(-7_200_000);
    const began = stack.clock.now();
    await stack.recover();
    expect(stack.clock.now() - began).toBeLessThan(120_000);
    expect((await stack.apply(wantedNow)).end).toBe("succeeded");
  },
);
