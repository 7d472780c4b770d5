import { createTestStack, ref, scriptFaults, wanted, type Fault, type TestStackOptions } from "@wfctl/testkit";
import type { ErrorCode, ProviderErrorClass } from "@wfctl/model";
import { describe, expect, test } from "vitest";

const a = wanted("a", { count: 1 });
const aChanged = wanted("a", { count: 2 });

/** A stack whose `a` exists already, and whose calls of one operation then go wrong. */
async function afterCreate(operation: "update" | "delete", fault: Fault, options: TestStackOptions = {}) {
  let armed = false;
  const script = scriptFaults([{ operation, fault }]);
  const stack = createTestStack({
    ...options,
    provider: { ...options.provider, faults: (call) => (armed ? script(call) : undefined) },
  });
  await stack.apply([a]);
  armed = true;
  return stack;
}

const refused = (errorClass: ProviderErrorClass): Fault => ({ goes: { wrong: "refused", class: errorClass } });

/** Classes that say for certain that nothing was changed, with the code of the outcome. */
const definite: readonly [ProviderErrorClass, ErrorCode][] = [
  ["validation", "VALIDATION"],
  ["unauthorized", "UNAUTHORIZED"],
  ["forbidden", "FORBIDDEN"],
  ["image_missing", "IMAGE_MISSING"],
  ["already_exists", "ALREADY_EXISTS"],
  ["unsupported", "UNSUPPORTED"],
];

describe("a definite error of the provider", () => {
  test.each(definite)("%s of a create: ERROR %s, nothing recorded, one call", async (errorClass, code) => {
    const stack = createTestStack({
      provider: { faults: scriptFaults([{ operation: "create", fault: refused(errorClass) }]) },
    });
    const run = await stack.apply([a]);
    expect(run.ends).toEqual({ a: `ERROR/${code}` });
    expect([run.end, run.outcomes[0]?.attempts]).toEqual(["failed", 1]);
    expect(await stack.record("a")).toBeUndefined();
    expect((await stack.state()).unknown.size).toBe(0);
  });

  test.each([...definite, ["not_found", "NOT_FOUND"] as const])(
    "%s of an update: ERROR %s, the record stays dirty",
    async (errorClass, code) => {
      const stack = await afterCreate("update", refused(errorClass));
      const run = await stack.apply([aChanged]);
      expect(run.ends).toEqual({ a: `ERROR/${code}` });
      expect(await stack.record("a")).toMatchObject({ mark: "dirty", inputs: { count: 1 } });
    },
  );

  test.each(definite)("%s of a delete: DELETE_FAILED %s, the record stays", async (errorClass, code) => {
    const stack = await afterCreate("delete", refused(errorClass));
    const run = await stack.apply([]);
    expect(run.ends).toEqual({ a: `DELETE_FAILED/${code}` });
    expect((await stack.record("a"))?.mark).toBeUndefined();
  });

  test("not_found of a delete is success", async () => {
    const stack = await afterCreate("delete", refused("not_found"));
    expect((await stack.apply([])).ends).toEqual({ a: "SUCCESS" });
    expect(await stack.record("a")).toBeUndefined();
  });
});

describe("an ambiguous end", () => {
  const classes = ["unknown", "transient", "rate_limited", "deadline", "cancelled", "bad_reply"] as const;

  test.each(classes)("%s after the effect of a create of ours: SUCCESS, one object", async (errorClass) => {
    const lost: Fault = { goes: { wrong: "lost", class: errorClass, answered: errorClass !== "deadline" } };
    const stack = createTestStack({
      provider: { faults: scriptFaults([{ operation: "create", nth: 1, fault: lost }]) },
    });
    const run = await stack.apply([a]);
    const expected = errorClass === "cancelled" ? "ERROR/INCOMPLETE" : "SUCCESS";
    expect(run.ends).toEqual({ a: expected });
    expect(stack.cloud.objects()).toHaveLength(1);
    expect((await stack.record("a"))?.providerId).toBe(stack.cloud.objects()[0]?.id);
  });

  test.each([
    ["unknown", "PROVIDER_ERROR"],
    ["transient", "TRANSIENT"],
    ["rate_limited", "RATE_LIMITED"],
  ] as const)(
    "%s of every create of upstream: ERROR %s once the cloud had its time to show one",
    async (errorClass, code) => {
      const stack = createTestStack({
        provider: {
          personality: "upstream",
          faults: scriptFaults([{ operation: "create", fault: refused(errorClass) }]),
        },
      });
      const began = stack.clock.now();
      const run = await stack.apply([a]);
      expect(run.ends).toEqual({ a: `ERROR/${code}` });
      expect(stack.clock.now() - began).toBeGreaterThanOrEqual(30_000);
      expect([stack.cloud.objects().length, (await stack.state()).unknown.size]).toEqual([0, 0]);
    },
  );

  test("a plugin that dies in a create of upstream and leaves nothing: ERROR NOT_APPLIED", async () => {
    const stack = createTestStack({
      provider: {
        personality: "upstream",
        faults: scriptFaults([{ operation: "create", fault: { goes: { wrong: "crash", when: "before" } } }]),
      },
    });
    expect((await stack.apply([a])).ends).toEqual({ a: "ERROR/NOT_APPLIED" });
    expect((await stack.plan([a])).plan.actions.map((action) => action.kind)).toEqual(["create"]);
  });

  test("no answer at all, and the process may still be at it: ERROR OUTCOME_UNKNOWN, the resource is unknown", async () => {
    const stack = createTestStack({
      provider: {
        personality: "upstream",
        faults: scriptFaults([{ operation: "create", fault: { goes: { wrong: "hang" } } }]),
      },
    });
    const run = await stack.apply([wanted("a", { count: 1 }, { timeouts: { create: 60_000 } })]);
    expect(run.ends).toEqual({ a: "ERROR/OUTCOME_UNKNOWN" });
    expect(run.unknown).toEqual(["a"]);
    expect([...(await stack.state()).unknown.keys()]).toEqual(["a"]);
  });

  test("a create that never answers is repeated for no longer than the resource's own timeout", async () => {
    const stack = createTestStack({
      provider: { faults: scriptFaults([{ operation: "create", fault: { goes: { wrong: "hang" } } }]) },
    });
    const begun = stack.clock.now();
    const run = await stack.apply([wanted("a", { count: 1 }, { timeouts: { create: 60_000 } })]);
    expect(run.ends).toEqual({ a: "ERROR/OUTCOME_UNKNOWN" });
    expect(stack.clock.now() - begun).toBeLessThan(5 * 60_000);
  });

  test("a delete without an answer: DELETE_FAILED OUTCOME_UNKNOWN", async () => {
    const stack = await afterCreate(
      "delete",
      { goes: { wrong: "hang" } },
      { provider: { types: { "infra.item": { timeouts: { delete: 5000 } } } } },
    );
    const run = await stack.apply([]);
    expect(run.ends).toEqual({ a: "DELETE_FAILED/OUTCOME_UNKNOWN" });
    expect((await stack.state()).unknown.size).toBe(1);
  });

  test("an update that did not take effect: ERROR of the provider's class, dirty", async () => {
    const stack = await afterCreate("update", refused("unknown"));
    expect((await stack.apply([aChanged])).ends).toEqual({ a: "ERROR/PROVIDER_ERROR" });
    expect((await stack.record("a"))?.mark).toBe("dirty");
  });

  test("found but incomplete: ERROR INCOMPLETE, the id recorded, the record tainted", async () => {
    const stack = createTestStack({
      provider: {
        personality: "upstream",
        faults: scriptFaults([{ operation: "create", fault: { goes: { wrong: "partial", class: "unknown" } } }]),
      },
    });
    expect((await stack.apply([a])).ends).toEqual({ a: "ERROR/INCOMPLETE" });
    expect(await stack.record("a")).toMatchObject({ mark: "tainted", providerId: "item-1" });
    expect((await stack.plan([a])).plan.actions.map((action) => action.kind)).toEqual(["replace"]);
  });
});

describe("a reply that breaks the contract: ERROR BAD_RESULT, record tainted", () => {
  const broken = (change: Extract<Fault["goes"], { wrong: "reply" }>["change"]) =>
    createTestStack({
      provider: {
        personality: "upstream",
        faults: scriptFaults([{ operation: "create", fault: { goes: { wrong: "reply", change } } }]),
      },
    });

  test.each([
    ["another name", (live) => ({ ...live, name: "other" })],
    ["another type", (live) => ({ ...live, type: "infra.other" })],
    ["a sensitive value that is no string", (live) => ({ ...live, outputs: { pin: 12_345 }, sensitive: ["pin"] })],
    ["no id, where the object can be found", (live) => ({ ...live, providerId: "" })],
  ] as [string, Extract<Fault["goes"], { wrong: "reply" }>["change"]][])("%s", async (_what, change) => {
    const stack = broken(change);
    const run = await stack.apply([a]);
    expect(run.ends).toEqual({ a: "ERROR/BAD_RESULT" });
    expect(await stack.record("a")).toMatchObject({ mark: "tainted", providerId: "item-1" });
  });

  test("no id, and nothing that tells which object it is: unknown", async () => {
    const stack = createTestStack({
      cloud: { lagMs: 600_000 },
      provider: {
        personality: "upstream",
        faults: scriptFaults([
          { operation: "create", fault: { goes: { wrong: "reply", change: (live) => ({ ...live, providerId: "" }) } } },
          { operation: "read", name: "a", nth: 2, fault: refused("forbidden") },
        ]),
      },
    });
    expect((await stack.apply([a])).ends).toEqual({ a: "ERROR/BAD_RESULT" });
    expect([...(await stack.state()).unknown.keys()]).toEqual(["a"]);
    expect(await stack.record("a")).toBeUndefined();
  });

  test("an update without an id keeps the id that is known", async () => {
    const stack = await afterCreate("update", {
      goes: { wrong: "reply", change: (live) => ({ ...live, providerId: "" }) },
    });
    expect((await stack.apply([aChanged])).ends).toEqual({ a: "ERROR/BAD_RESULT" });
    expect(await stack.record("a")).toMatchObject({ mark: "tainted", providerId: "item-1" });
  });
});

describe("skipped: nothing was sent", () => {
  const skip = async (
    stack: ReturnType<typeof createTestStack>,
    desired: Parameters<typeof stack.apply>[0],
    options = {},
  ) => {
    const run = await stack.apply(desired, options);
    return { run, sent: stack.provider.calls.filter((call) => call.operation === "create").map((call) => call.name) };
  };

  test("cancelled before it began", async () => {
    const stack = createTestStack();
    const { run, sent } = await skip(stack, [a], { signal: AbortSignal.abort() });
    expect([run.ends, run.end, sent]).toEqual([{ a: "SKIPPED/CANCELLED" }, "interrupted", []]);
  });

  test("the gate refuses: fatal, what else is open is RUN_STOPPED", async () => {
    const stack = createTestStack();
    const { run, sent } = await skip(stack, [a, wanted("b", { a: ref("a", "id") })], {
      hooks: { onBeforeAction: () => Promise.reject(new Error("not on a Friday")) },
    });
    expect([run.ends, run.end, sent]).toEqual([{ a: "SKIPPED/GATE_REFUSED", b: "SKIPPED/RUN_STOPPED" }, "failed", []]);
    expect([run.fatal?.code, run.outcomes[0]?.message]).toEqual(["GATE_REFUSED", "The gate refused: not on a Friday"]);
  });

  test("a dependency failed: the chain of causes is named", async () => {
    const stack = createTestStack({
      provider: { faults: scriptFaults([{ operation: "create", name: "a", fault: refused("forbidden") }]) },
    });
    const { run, sent } = await skip(stack, [
      a,
      wanted("b", { a: ref("a", "id") }),
      wanted("c", { b: ref("b", "id") }),
      wanted("d"),
    ]);
    expect(run.ends).toEqual({
      a: "ERROR/FORBIDDEN",
      b: "SKIPPED/DEPENDENCY_FAILED",
      c: "SKIPPED/DEPENDENCY_FAILED",
      d: "SUCCESS",
    });
    expect(
      run.outcomes.find(
        (outcome) => outcome.action === run.planned.plan.actions.find((action) => action.name === "c")?.index,
      )?.causes,
    ).toEqual(["b", "a"]);
    expect(sent).toEqual(["a", "d"]);
  });

  test("a reference without a value is named", async () => {
    const stack = createTestStack({ provider: { types: { "infra.item": {} } } });
    const planned = await stack.plan([a, wanted("b", { url: ref("a", "nope") })]);
    const report = await stack.applyPlanned(planned);
    expect(report.outcomes[1]).toMatchObject({ status: "SKIPPED", code: "REFERENCE_UNRESOLVED" });
    expect(report.outcomes[1]?.message).toContain("${a.nope}");
    expect(report.outcomes[1]?.message).toContain("wfctl apply --refresh");
    expect(report.end).toBe("failed");
  });

  test("an expression that cannot be evaluated with the value that came says why", async () => {
    const stack = createTestStack({ provider: { types: { "infra.item": {} } } });
    const sum = { computed: "a.id + 1", refs: [{ resource: "a", path: "id" }] };
    const planned = await stack.plan([a, wanted("b", { url: { $expr: [sum] } })]);
    const report = await stack.applyPlanned(planned);
    expect(report.outcomes[1]).toMatchObject({ status: "SKIPPED", code: "REFERENCE_UNRESOLVED" });
    expect(report.outcomes[1]?.message).toMatch(
      /^"b" holds \$\{\{a\.id \+ 1\}\}: The expression cannot be evaluated: /,
    );
    expect(report.outcomes[1]?.message).not.toContain("no value");
  });

  test("no driver of the type, and no provider", async () => {
    const stack = createTestStack({ provider: { types: { "infra.item": {} } } });
    const { run } = await skip(stack, [a, wanted("b", {}, { type: "infra.none" })]);
    expect([run.ends, run.end]).toEqual([{ a: "SUCCESS", b: "SKIPPED/NO_DRIVER" }, "failed"]);
  });

  test("a protected resource that the plan's diagnostics did not stop: fatal", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a", { count: 1 }, { protected: true }), wanted("b")]);
    const planned = await stack.plan([wanted("b", { count: 3 })]);
    expect(planned.diagnostics.map((each) => each.code)).toEqual(["PROTECTED"]);
    const report = await stack.applyPlanned(planned);
    expect(report.outcomes.map((outcome) => outcome.code).toSorted()).toContain("PROTECTED");
    expect(stack.cloud.objects()).toHaveLength(2);
  });
});
