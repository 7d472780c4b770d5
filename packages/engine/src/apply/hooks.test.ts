import { createTestStack, ref, scriptFaults, wanted } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";

const a = wanted("a", { count: 1 });

test("hooks run one at a time, in completion order, each keyed by run and action", async () => {
  const stack = createTestStack({ provider: { latencyMs: (_operation, name) => (name === "a" ? 500 : 20) } });
  const seen: string[] = [];
  let open = 0;
  const hook = (text: string) => async (): Promise<void> => {
    expect((open += 1)).toBe(1);
    await stack.clock.sleep(50);
    open -= 1;
    seen.push(text);
  };
  await stack.apply([a, wanted("b"), wanted("c", { b: ref("b", "id") })], {
    hooks: {
      onBeforeAction: (action) => hook(`before ${action.name}`)(),
      onResourceApplied: (run, action, record) => hook(`applied ${run} ${action} ${record.name}`)(),
      onActionComplete: (run, outcome) => hook(`complete ${run} ${outcome.action}`)(),
    },
  });
  const indexOf = (name: string) => seen.findIndex((line) => line.startsWith("applied") && line.endsWith(` ${name}`));
  expect(indexOf("b")).toBeLessThan(indexOf("a"));
  expect(seen.filter((line) => line.startsWith("applied"))).toHaveLength(3);
  expect(seen.filter((line) => line.startsWith("complete run-1"))).toHaveLength(3);
});

test("dependents start only after the hook has agreed", async () => {
  const stack = createTestStack();
  const order: string[] = [];
  stack.cloud.onEffect = (effect) => void order.push(`made ${effect.name}`);
  await stack.apply([a, wanted("b", { a: ref("a", "id") })], {
    hooks: {
      async onResourceApplied(_run, _action, record) {
        await stack.clock.sleep(1000);
        order.push(`agreed ${record.name}`);
      },
    },
  });
  expect(order).toEqual(["made a", "agreed a", "made b", "agreed b"]);
});

test("deleted resources are told by name", async () => {
  const stack = createTestStack();
  await stack.apply([a]);
  const deleted: string[] = [];
  await stack.destroy({
    hooks: { onResourceDeleted: async (run, action, name) => void deleted.push(`${run} ${action} ${name}`) },
  });
  expect(deleted).toEqual(["run-2 0 a"]);
});

describe("an applied hook that fails after a create", () => {
  const failing = { hooks: { onResourceApplied: () => Promise.reject(new Error("no space for the secret")) } };

  test("COMPENSATED: the object is deleted again, fatal, nothing else starts", async () => {
    const stack = createTestStack();
    const run = await stack.apply([a, wanted("b", { a: ref("a", "id") })], failing);
    expect(run.ends).toEqual({ a: "COMPENSATED/HOOK_FAILED", b: "SKIPPED/RUN_STOPPED" });
    expect([run.fatal?.code, run.end]).toEqual(["HOOK_FAILED", "failed"]);
    expect([stack.cloud.objects(), (await stack.state()).records.size]).toEqual([[], 0]);
    expect((await stack.plan([a])).plan.actions.map((action) => action.kind)).toEqual(["create"]);
  });

  test("COMPENSATION_FAILED when the delete fails: record kept and tainted", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([{ operation: "delete", fault: { goes: { wrong: "refused", class: "forbidden" } } }]),
      },
    });
    const run = await stack.apply([a], failing);
    expect(run.ends).toEqual({ a: "COMPENSATION_FAILED/HOOK_FAILED" });
    expect(run.outcomes[0]?.message).toContain("no space for the secret");
    expect(await stack.record("a")).toMatchObject({ mark: "tainted", providerId: "item-1" });
  });

  test("COMPENSATION_FAILED when it is not proven that the run made the object", async () => {
    const stack = createTestStack({
      provider: {
        personality: "upstream",
        faults: scriptFaults([{ operation: "read", fault: { goes: { wrong: "refused", class: "forbidden" } } }]),
      },
    });
    const run = await stack.apply([a], failing);
    expect(run.ends).toEqual({ a: "COMPENSATION_FAILED/HOOK_FAILED" });
    expect(stack.cloud.objects()).toHaveLength(1);
  });

  test("a host that dies while it deletes the object again: the next command finds out, and calls no hook for it", async () => {
    for (const at of ["call", "effect"] as const) {
      const stack = createTestStack();
      await stack.applyUntil(
        (point) =>
          at === "call"
            ? point.at === "call" && point.operation === "delete"
            : point.at === "effect" && point.effect.kind === "deleted",
        [a],
        failing,
      );
      const applied: string[] = [];
      await stack.recover({
        hooks: { onResourceApplied: async (_run, _action, record) => void applied.push(record.name) },
      });
      const run = (await createHistory(stack)).get("run-1");
      expect(run?.outcomes.get(0)).toMatchObject({
        status: at === "call" ? "COMPENSATION_FAILED" : "COMPENSATED",
        code: "HOOK_FAILED",
      });
      expect((await stack.record("a"))?.mark).toBe(at === "call" ? "tainted" : undefined);
      expect([applied, stack.cloud.objects().length]).toEqual([[], at === "call" ? 1 : 0]);
    }
  });
});

describe("a hook that fails after an update, replace or delete: COMPENSATION_FAILED, the new truth recorded", () => {
  const failing = {
    hooks: {
      onResourceApplied: () => Promise.reject(new Error("no")),
      onResourceDeleted: () => Promise.reject(new Error("no")),
    },
  };

  test("update", async () => {
    const stack = createTestStack();
    await stack.apply([a]);
    const run = await stack.apply([wanted("a", { count: 2 })], failing);
    expect(run.ends).toEqual({ a: "COMPENSATION_FAILED/HOOK_FAILED" });
    expect(await stack.record("a")).toMatchObject({ inputs: { count: 2 } });
  });

  test("delete", async () => {
    const stack = createTestStack();
    await stack.apply([a]);
    const run = await stack.apply([], failing);
    expect(run.ends).toEqual({ a: "COMPENSATION_FAILED/HOOK_FAILED" });
    expect(await stack.record("a")).toBeUndefined();
  });

  test("replace, delete-first: the half that is done stands, the new object is not made", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a", { region: "eu" })]);
    const run = await stack.apply([wanted("a", { region: "us" })], failing);
    expect(run.ends).toEqual({ a: "COMPENSATION_FAILED/HOOK_FAILED" });
    expect([await stack.record("a"), stack.cloud.objects()]).toEqual([undefined, []]);
  });
});

test("a complete hook that fails changes nothing", async () => {
  const stack = createTestStack();
  const run = await stack.apply([a], { hooks: { onActionComplete: () => Promise.reject(new Error("no")) } });
  expect([run.ends, run.end]).toEqual([{ a: "SUCCESS" }, "succeeded"]);
});

test("a kill between effect and hook: the hook is called by the next command, at least once", async () => {
  const stack = createTestStack();
  const applied: string[] = [];
  const hooks = { onResourceApplied: async (run: string, action: number) => void applied.push(`${run} ${action}`) };
  await stack.applyUntil((point) => point.at === "durable" && point.events[0]?.kind === "half", [a], { hooks });
  expect(applied).toEqual([]);
  await stack.recover({ hooks });
  expect(applied).toEqual(["run-1 0"]);
  expect((await createHistory(stack)).get("run-1")?.outcomes.get(0)?.status).toBe("SUCCESS");
  await stack.recover({ hooks });
  expect(applied).toHaveLength(1);
});

test("a kill before the effect is recorded: recovery records it and calls the hook", async () => {
  const stack = createTestStack();
  const applied: string[] = [];
  const hooks = {
    onResourceApplied: async (_run: string, _action: number, record: { name: string }) =>
      void applied.push(record.name),
  };
  await stack.applyUntil((point) => point.at === "effect", [a], { hooks });
  await stack.recover({ hooks });
  expect(applied).toEqual(["a"]);
  expect((await stack.record("a"))?.providerId).toBe("item-1");
});

test("a gate that only lets some pass stops those that wait in it", async () => {
  const stack = createTestStack();
  const asked: string[] = [];
  const run = await stack.apply([a, wanted("b"), wanted("c")], {
    hooks: {
      onBeforeAction: async (action) => {
        asked.push(action.name);
        await stack.clock.sleep(10);
        if (action.name === "a") throw new Error("no");
      },
    },
  });
  expect(run.ends["a"]).toBe("SKIPPED/GATE_REFUSED");
  expect([run.ends["b"], run.ends["c"]]).toEqual(["SKIPPED/RUN_STOPPED", "SKIPPED/RUN_STOPPED"]);
  expect(stack.cloud.objects()).toEqual([]);
});

/** Runs of the stack by id, closed ones included. */
async function createHistory(stack: ReturnType<typeof createTestStack>) {
  return stack.hold(async ({ memory }) => {
    const runs = await memory.runs();
    const found = await Promise.all(runs.map(async ({ header }) => [header.id, await memory.run(header.id)] as const));
    return new Map(found);
  });
}

describe("a hook that a closed run owes", () => {
  const owed = async (stack: ReturnType<typeof createTestStack>) =>
    (await stack.state()).hooksOwed.map(({ run, action, name }) => `${run} ${action} ${name}`);
  const failing = {
    onResourceApplied: () => Promise.reject(new Error("no space for the secret")),
    onResourceDeleted: () => Promise.reject(new Error("no")),
  };
  const listening = () => {
    const told: string[] = [];
    const hooks = {
      onResourceApplied: async (run: string, action: number, record: { name: string; inputs?: unknown }) =>
        void told.push(`applied ${run} ${action} ${record.name} ${JSON.stringify(record.inputs)}`),
      onResourceDeleted: async (run: string, action: number, name: string) =>
        void told.push(`deleted ${run} ${action} ${name}`),
    };
    return { told, hooks };
  };

  test("is called by every later command until it succeeds, before anything else, and then no more", async () => {
    const stack = createTestStack();
    await stack.apply([a]);
    await stack.apply([wanted("a", { count: 2 })], { hooks: failing });
    expect(await owed(stack)).toEqual(["run-2 0 a"]);
    await stack.apply([wanted("a", { count: 2 })], { hooks: failing });
    expect(await owed(stack)).toEqual(["run-2 0 a"]);
    const { told, hooks } = listening();
    const run = await stack.apply([wanted("a", { count: 2 }), wanted("b")], { hooks });
    expect(told).toEqual(['applied run-2 0 a {"count":2}', "applied run-4 0 b {}"]);
    expect([run.end, await owed(stack)]).toEqual(["succeeded", []]);
    await stack.recover({ hooks });
    expect(told).toHaveLength(2);
  });

  test("of a delete is told of the delete; of what was deleted since, of that", async () => {
    const stack = createTestStack();
    await stack.apply([a, wanted("b")]);
    await stack.apply([a], { hooks: failing });
    await stack.apply([wanted("a", { count: 3 })], { hooks: failing });
    await stack.apply([]);
    // A host without hooks has nobody to tell, and owes nothing any more.
    expect(await owed(stack)).toEqual([]);

    const other = createTestStack();
    await other.apply([a, wanted("b")]);
    await other.apply([a], { hooks: failing });
    expect(await owed(other)).toEqual(["run-2 0 b"]);
    const { told, hooks } = listening();
    await other.apply([a], { hooks });
    expect([told, await owed(other)]).toEqual([["deleted run-2 0 b"], []]);
  });

  test("stays owed through a kill between the call and its record: at least once", async () => {
    const stack = createTestStack();
    await stack.apply([a]);
    await stack.apply([wanted("a", { count: 2 })], { hooks: failing });
    const { told, hooks } = listening();
    await stack.applyUntil((point) => point.at === "write" && point.events[0]?.kind === "hooks-done", [a], { hooks });
    expect(await owed(stack)).toEqual(["run-2 0 a"]);
    await stack.recover({ hooks });
    expect(told).toEqual(Array.from({ length: 2 }, () => 'applied run-2 0 a {"count":2}'));
    expect(await owed(stack)).toEqual([]);
  });

  test("after a recovery whose hook failed stays owed, but for a create, which is tainted", async () => {
    const stack = createTestStack();
    await stack.applyUntil((point) => point.at === "effect", [a], { hooks: failing });
    await stack.recover({ hooks: failing });
    expect([await owed(stack), (await stack.record("a"))?.mark]).toEqual([[], "tainted"]);
    await stack.apply([a]);
    await stack.applyUntil((point) => point.at === "effect", [wanted("a", { count: 2 })], { hooks: failing });
    await stack.recover({ hooks: failing });
    expect((await owed(stack)).map((text) => text.replace(/^run-\d+ /, ""))).toEqual(["0 a"]);
    const { told, hooks } = listening();
    await stack.recover({ hooks });
    expect([told.length, await owed(stack)]).toEqual([1, []]);
  });
});

describe("an object that is taken over and not as wanted is told of, whatever comes of its update", () => {
  const x = wanted("x", { count: 2 }, { adoptExisting: true });
  const withObject = (fault = {}) => {
    const stack = createTestStack({ provider: { faults: scriptFaults([{ operation: "update", fault }]) } });
    stack.cloud.account("main").outside.create({ name: "x", type: "infra.item", inputs: { count: 1 } });
    const told: string[] = [];
    const hooks = {
      onResourceApplied: async (_run: string, _action: number, { name, mark }: { name: string; mark?: string }) =>
        void told.push(`applied ${name} ${mark ?? ""}`),
      onResourceDeleted: async (_run: string, _action: number, name: string) => void told.push(`deleted ${name}`),
    };
    return { stack, told, hooks };
  };

  test("killed before it was sent: the next command tells, also where the plan has nothing to do any more", async () => {
    const { stack, told, hooks } = withObject();
    await stack.applyUntil((point) => point.at === "durable" && "hooksOwed" in (point.events[0] ?? {}), [x], { hooks });
    const run = await stack.apply([wanted("x", { count: 1 })], { hooks });
    expect([run.end, run.ends, told]).toEqual(["succeeded", {}, ["applied x adopted"]]);
    expect((await stack.state()).hooksOwed).toEqual([]);
  });

  test("refused: the next command tells; once the run is undone there is nothing to tell", async () => {
    const refused = { goes: { wrong: "refused", class: "forbidden" } } as const;
    for (const onFailure of ["continue", "compensate"] as const) {
      const { stack, told, hooks } = withObject(refused);
      const run = await stack.apply([x], { hooks, onFailure });
      expect([run.end, told]).toEqual([onFailure === "continue" ? "failed" : "compensated", []]);
      await stack.recover({ hooks });
      expect(told).toEqual(onFailure === "continue" ? ["applied x dirty"] : []);
      expect((await stack.state()).hooksOwed).toEqual([]);
    }
  });

  test("done: told once", async () => {
    const { stack, told, hooks } = withObject();
    expect((await stack.apply([x], { hooks })).end).toBe("succeeded");
    await stack.recover({ hooks });
    expect(told).toEqual(["applied x "]);
  });
});
