import { createTestStack, ref, wanted, type CommandOptions } from "@wfctl/testkit";
import type { JournalEvent } from "@wfctl/model";
import { describe, expect, test } from "vitest";

const a = wanted("a", { region: "eu" }, { lifecycle: { replace: "create-first" } });
const b = wanted("b", { a: ref("a", "id") });
const scenario = [
  { name: "creates", before: [], desired: [a, b] },
  { name: "a create-first replace and a delete", before: [a, b], desired: [{ ...a, config: { region: "us" } }] },
  {
    name: "a delete-first replace",
    before: [{ ...a, lifecycle: {} }],
    desired: [{ ...a, config: { region: "us" }, lifecycle: {} }],
  },
];

/** Runs the scenario with the nth write of the second run refused. */
async function refuseWrite(nth: number, setup: (typeof scenario)[number], options: CommandOptions = {}) {
  let writes = 0;
  let armed = false;
  const stack = createTestStack({
    beforeWrite() {
      if (armed && (writes += 1) === nth) throw new Error("disk full");
    },
  });
  if (setup.before.length > 0) await stack.apply(setup.before);
  armed = true;
  const emergency: JournalEvent[] = [];
  const run = await stack
    .apply(setup.desired, { ...options, emergency: async (events) => void emergency.push(...events) })
    .catch((error: unknown) => error as Error);
  armed = false;
  return { stack, run, emergency, writes };
}

describe.each(scenario)("a store that refuses a write: $name", (setup) => {
  test("at every write: one outcome per action, nothing sent after it, and the next command sets it right", async () => {
    const { writes } = await refuseWrite(Number.POSITIVE_INFINITY, setup);
    expect(writes).toBeGreaterThan(2);
    for (let nth = 1; nth <= writes; nth += 1) {
      const { stack, run } = await refuseWrite(nth, setup);
      if (run instanceof Error) {
        // The run could not begin.
        expect([nth, (run as { code?: string }).code]).toEqual([1, "STORE_UNAVAILABLE"]);
      } else {
        expect(run.outcomes.every((outcome) => outcome !== undefined)).toBe(true);
        expect(run.fatal?.code).toBe("STORE_UNAVAILABLE");
      }
      const next = await stack.apply(setup.desired);
      expect([nth, next.end]).toEqual([nth, "succeeded"]);
      const records = [...(await stack.state()).records.values()].map((record) => record.providerId).toSorted();
      expect(records).toEqual(
        stack.cloud
          .objects()
          .map((object) => object.id)
          .toSorted(),
      );
      expect((await stack.plan(setup.desired)).plan.actions).toEqual([]);
    }
  });
});

test("an effect whose outcome the store refuses: ERROR OUTCOME_UNRECORDED, nothing undone, the outcome goes to the emergency file", async () => {
  const { stack, run, emergency } = await refuseWrite(3, scenario[0]!);
  if (run instanceof Error) throw run;
  expect(run.ends["a"]).toBe("ERROR/OUTCOME_UNRECORDED");
  expect(run.ends["b"]).toBe("SKIPPED/RUN_STOPPED");
  expect(stack.cloud.objects().map((object) => object.name)).toEqual(["a"]);
  expect(emergency).toMatchObject([
    { kind: "outcome", outcome: { status: "SUCCESS" }, record: { put: { providerId: "item-1" } } },
  ]);
  expect((await stack.state()).openRuns[0]?.openIntents).toMatchObject([{ name: "a", operation: "create" }]);
});

test("an emergency file that cannot be written either changes nothing", async () => {
  const stack = createTestStack({
    beforeWrite: (() => {
      let writes = 0;
      return () => {
        if ((writes += 1) === 3) throw new Error("disk full");
      };
    })(),
  });
  const run = await stack.apply([a], { emergency: () => Promise.reject(new Error("no disk at all")) });
  expect(run.ends).toEqual({ a: "ERROR/OUTCOME_UNRECORDED" });
});

test("a lease that is lost: nothing new is sent, the answer in flight is told, its intent stays open", async () => {
  const stack = createTestStack({ provider: { latencyMs: 60_000 } });
  const run = await stack.hold(async ({ deps, memory }) => {
    const planned = await stack.plan([a, b]);
    const { applyPlan } = await import("../index.ts");
    memory.pauseHeartbeat();
    void stack.clock.sleep(40_000).then(async () => {
      // Somebody else takes the stack over.
      const { createMemoryStore, sampleHolder } = await import("@wfctl/state/testing");
      await createMemoryStore({ disk: stack.disk, clock: stack.clock }).acquire(sampleHolder());
      memory.resumeHeartbeat();
    });
    return applyPlan(deps, planned.plan, await memory.load(), { runId: "run-x" });
  });
  expect(run.outcomes.map((outcome) => `${outcome.status}/${outcome.code}`)).toEqual([
    "ERROR/OUTCOME_UNRECORDED",
    "SKIPPED/RUN_STOPPED",
  ]);
  expect(run.fatal?.code).toBe("LEASE_LOST");
  expect(stack.cloud.objects().map((object) => object.name)).toEqual(["a"]);
  expect((await stack.state()).openRuns[0]?.openIntents).toMatchObject([{ name: "a" }]);
});

test("a plan made from an older state is refused before anything is written", async () => {
  const stack = createTestStack();
  const planned = await stack.plan([a]);
  await stack.apply([wanted("z")]);
  await expect(stack.applyPlanned(planned)).rejects.toMatchObject({ code: "PLAN_STALE" });
});
