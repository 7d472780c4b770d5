import { createTestStack, ref, scriptFaults, wanted, type Fault, type TestStackOptions } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";

const a = wanted("a", { count: 1 });
const mark = "lineage-1/a";
const notFound: Fault = { goes: { wrong: "refused", class: "not_found" } };

const missed: Fault = { goes: { wrong: "reply", change: () => undefined as never } };

/** A cloud that refuses a second object of a name, with one `a` there that no record knows. */
function withObject(owner: string | undefined, options: TestStackOptions = {}) {
  const stack = createTestStack({ ...options, cloud: { uniqueNames: true, ...options.cloud } });
  const { outside } = stack.cloud.account("main");
  outside.create({ name: "a", type: "infra.item", inputs: { count: 7 }, ...(owner === undefined ? {} : { owner }) });
  return stack;
}

const kinds = async (stack: ReturnType<typeof createTestStack>, desired = [a]) =>
  (await stack.plan(desired)).plan.actions.map((action) => action.kind);

describe("a create that meets an object with the mark of its own resource", () => {
  test.each([
    ["by the provider's refusal", {}],
    ["by the look before the create", { features: { lookup: false } }],
  ] as [string, TestStackOptions["provider"] & object][])(
    "%s: an error that records it; the next plan updates it",
    async (_how, provider) => {
      const stack = withObject(mark, { provider });
      const run = await stack.apply([a]);
      expect(run.ends).toEqual({ a: "ERROR/ALREADY_EXISTS" });
      expect(run.outcomes[0]?.message).toContain(
        "(id item-1); it carries the mark of this resource; the next plan takes it up",
      );
      expect(await stack.record("a")).toMatchObject({
        providerId: "item-1",
        mark: "dirty",
        createdByUs: false,
        inputs: { count: 7 },
      });
      expect(await kinds(stack)).toEqual(["update"]);
      expect((await stack.apply([a])).ends).toEqual({ a: "SUCCESS" });
      expect(stack.cloud.objects().map((object) => [object.id, object.inputs])).toEqual([["item-1", { count: 1 }]]);
      expect(await kinds(stack)).toEqual([]);
      await stack.destroy();
      expect(stack.cloud.objects()).toEqual([]);
    },
  );

  test("what the create would have sent of a write-only key is sent by the update", async () => {
    const types = { "infra.item": { writeOnly: ["password"], lookup: true, convergentCreate: true } };
    const stack = withObject(mark, { provider: { types } });
    const secret = wanted("a", { count: 7, password: "a-new-password" });
    await stack.apply([secret]);
    expect(await kinds(stack, [secret])).toEqual(["update"]);
    await stack.apply([secret]);
    expect(stack.cloud.objects()[0]?.inputs).toEqual({ count: 7, password: "a-new-password" });
  });

  test("secrets that the object holds are sealed in its record", async () => {
    const stack = withObject(mark, {
      provider: {
        types: { "infra.item": { lookup: true, sensitiveInputs: ["token"], sensitiveOutputs: ["password"] } },
      },
    });
    stack.cloud.account("main").outside.edit("item-1", { token: "token-of-before", again: "Bearer token-of-before" });
    await stack.apply([a]);
    const record = await stack.record("a");
    expect(record?.inputs).toMatchObject({ token: "token-of-before" });
    expect(record?.sensitiveInputs).toEqual(expect.arrayContaining(["/token", "/again"]));
    expect(record?.sensitiveOutputs).toEqual(["password"]);
  });

  test("an undo of the run leaves the object and its record", async () => {
    const stack = withObject(mark);
    const run = await stack.apply([a, wanted("b")], { onFailure: "compensate" });
    expect(run.end).toBe("compensated");
    expect(stack.cloud.objects().map((object) => object.id)).toEqual(["item-1"]);
    expect(await stack.record("a")).toMatchObject({ providerId: "item-1", mark: "dirty" });
    expect(await stack.record("b")).toBeUndefined();
  });

  test("an undo of the run leaves what the object may stand on", async () => {
    const stack = withObject(mark);
    const desired = [wanted("b"), wanted("a", { b: ref("b", "id") }), wanted("c")];
    const run = await stack.apply(desired, { onFailure: "compensate" });
    expect([run.end, run.compensation?.remaining.map(({ name }) => name)]).toEqual(["compensation_failed", ["b", "a"]]);
    expect(stack.cloud.objects().map(({ name }) => name)).toEqual(["a", "b"]);
    expect((await stack.apply(desired)).end).toBe("succeeded");
  });

  test("a read that misses a living object once costs its replacement one run, not the object", async () => {
    const stack = createTestStack({
      cloud: { uniqueNames: true },
      provider: {
        types: { "infra.item": { forceNew: ["region"], lookup: true, convergentCreate: true } },
        faults: scriptFaults([{ operation: "read", nth: 1, fault: notFound }]),
      },
    });
    const there = (region: string) => [wanted("a", { region })];
    await stack.apply(there("eu"));
    expect((await stack.apply(there("us"))).ends).toEqual({ a: "ERROR/ALREADY_EXISTS" });
    expect(await stack.record("a")).toMatchObject({ providerId: "item-1", mark: "dirty" });
    expect((await stack.apply(there("us"))).ends).toEqual({ a: "SUCCESS" });
    expect(stack.cloud.objects().map((object) => object.inputs)).toEqual([{ region: "us" }]);
  });

  test("an object that the plan took for gone stays in its record, to be compared", async () => {
    const stack = createTestStack({
      cloud: { uniqueNames: true },
      provider: { faults: scriptFaults([{ operation: "read", nth: 1, fault: missed }]) },
    });
    await stack.apply([a]);
    const run = await stack.apply([a], { refresh: true });
    expect([run.ends, run.outcomes[0]?.message]).toEqual([
      { a: "ERROR/ALREADY_EXISTS" },
      expect.stringContaining("it is the object of the record; the next plan compares it"),
    ]);
    expect(await stack.record("a")).toMatchObject({ providerId: "item-1", mark: "dirty", createdByUs: true });
    expect((await stack.apply([a])).end).toBe("succeeded");
    expect(stack.cloud.objects().map((object) => object.id)).toEqual(["item-1"]);
  });
});

describe("the new half of a create-first replace", () => {
  const types = { "infra.item": { forceNew: ["region"], createFirst: true, lookup: true, convergentCreate: true } };
  const there = (region: string) => [wanted("a", { region })];

  /** The old object, made as item-1, and one more of this resource that no record knows; a create is refused. */
  async function withLostHalf() {
    let armed = false;
    const stack = createTestStack({
      provider: {
        types,
        faults: ({ operation }) =>
          armed && operation === "create" ? { goes: { wrong: "refused", class: "already_exists" } } : undefined,
      },
    });
    await stack.apply(there("eu"));
    const { outside } = stack.cloud.account("main");
    return { stack, outside, arm: (on: boolean) => (armed = on) };
  }

  test("meets the old object: nothing is recorded, the way out is named", async () => {
    const { stack, arm } = await withLostHalf();
    arm(true);
    const run = await stack.apply(there("us"));
    expect(run.ends).toEqual({ a: "ERROR/ALREADY_EXISTS" });
    expect(run.outcomes[0]?.message).toContain(
      '(id item-1, recorded under "a"); set "lifecycle: {replace: delete-first}"',
    );
    expect(await stack.record("a")).toMatchObject({ providerId: "item-1", deposed: [] });
  });

  test.each(["stop", "compensate"] as const)(
    "meets a new half of before, under %s: it stands beside the old one, and no undo deletes it",
    async (onFailure) => {
      const { stack, outside, arm } = await withLostHalf();
      const old = stack.cloud.objects()[0]!;
      outside.create({ name: "a", type: "infra.item", inputs: { region: "us" }, owner: mark });
      // The search gives the oldest first: hide that.
      const planned = await stack.plan(there("us"), { onFailure });
      expect(planned.plan.actions.map((action) => action.kind)).toEqual(["replace"]);
      const find = stack.cloud.account("main");
      const findByName = find.findByName.bind(find);
      find.findByName = (type, name) =>
        stack.cloud.objects().find((object) => object.name === name && object.id !== old.id) ?? findByName(type, name);
      arm(true);
      const report = await stack.applyPlanned(planned);
      expect(stack.cloud.objects().map((object) => object.id)).toEqual(["item-1", "item-2"]);
      const record = await stack.record("a");
      if (onFailure === "compensate") {
        expect(report.end).toBe("compensation_failed");
        expect(report.compensation?.remaining).toMatchObject([
          { name: "a", why: "Cannot be undone: it met an object that it is not proven to have made" },
        ]);
      }
      expect(report.outcomes[0]?.code).toBe("ALREADY_EXISTS");
      expect(record).toMatchObject({
        providerId: "item-2",
        mark: "dirty",
        createdByUs: false,
        deposed: [{ providerId: "item-1" }],
      });
      arm(false);
      expect((await stack.apply(there("us"))).end).toBe("succeeded");
      expect(stack.cloud.objects().map((object) => object.id)).toEqual(["item-2"]);
    },
  );
});

describe("an object that is not this resource's is left alone, and the message says how to take it over", () => {
  test.each([
    ["without a mark", undefined, '(id item-1); set "adopt_existing: true" or run "wfctl import a item-1"'],
    [
      "of another resource",
      "lineage-1/b",
      '(id item-1, it belongs to lineage-1/b); choose another name, or take it over all the same with "wfctl import a item-1"',
    ],
    [
      "of another stack",
      "lineage-2/a",
      '(id item-1, it belongs to lineage-2/a); choose another name, or take it over all the same with "wfctl import a item-1"',
    ],
  ])("%s", async (_what, owner, message) => {
    const stack = withObject(owner);
    const run = await stack.apply([a]);
    expect(run.ends).toEqual({ a: "ERROR/ALREADY_EXISTS" });
    expect(run.outcomes[0]?.message).toContain(message);
    expect(await stack.record("a")).toBeUndefined();
    expect(stack.cloud.objects().map((object) => object.inputs)).toEqual([{ count: 7 }]);
  });

  test("that is recorded under another name", async () => {
    const stack = createTestStack({ cloud: { uniqueNames: true } });
    await stack.apply([wanted("a")]);
    await stack.apply([wanted("z")], { moved: [{ from: "a", to: "z" }] });
    const run = await stack.apply([wanted("z"), a]);
    expect(run.ends).toEqual({ a: "ERROR/ALREADY_EXISTS" });
    expect(run.outcomes[0]?.message).toContain('(id item-1, recorded under "z")');
    expect(await stack.record("a")).toBeUndefined();
  });

  test("that is being deleted", async () => {
    const stack = withObject(mark, { cloud: { deleteMs: 600_000 } });
    stack.cloud.account("main").outside.delete("item-1");
    const run = await stack.apply([a]);
    expect(run.outcomes[0]?.message).toContain("(id item-1, deleting)");
    expect(await stack.record("a")).toBeUndefined();
  });

  test("that cannot be read: the id stays open", async () => {
    const stack = withObject(mark, {
      provider: {
        faults: scriptFaults([{ operation: "read", fault: { goes: { wrong: "refused", class: "forbidden" } } }]),
      },
    });
    const run = await stack.apply([a]);
    expect(run.ends).toEqual({ a: "ERROR/ALREADY_EXISTS" });
    expect(run.outcomes[0]?.message).toContain('"wfctl import a ID"');
    expect(await stack.record("a")).toBeUndefined();
  });
});
