import { createFakeProvider, createTestStack, ref, scriptFaults, wanted, type TestStack } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";
import type { Planned } from "./plan-input.ts";

const outside = (stack: TestStack) => stack.cloud.account("main").outside;
const kinds = ({ plan }: Planned): string[] => plan.actions.map((action) => `${action.kind} ${action.name}`);
const problems = ({ diagnostics }: Planned): string[] => diagnostics.map((each) => `${each.code} ${each.summary}`);
const place = { file: "infra.yaml", line: 7, column: 3 };
const from = (to: string, id: string) => ({ to, id, source: place });

/** A stack beside whose cloud an object `item-1` exists, made by hand. */
function withObject(inputs: Record<string, string | number> = { count: 1 }): TestStack {
  const stack = createTestStack();
  outside(stack).create({ name: "a", type: "infra.item", inputs });
  return stack;
}

describe("an import entry", () => {
  test("is an action of its own, and records the object without a change where it is as wanted", async () => {
    const stack = withObject();
    const imports = [from("a", "item-1")];
    const planned = await stack.plan([wanted("a", { count: 1 })], { imports });
    expect(kinds(planned)).toEqual(["import a"]);
    expect(planned.plan.actions[0]).toMatchObject({ importId: "item-1", changes: [], undo: { undo: "yes" } });
    expect(planned.plan.actions[0]?.prior).toBeUndefined();
    const run = await stack.apply([wanted("a", { count: 1 })], { imports });
    expect([run.ends, run.end]).toEqual([{ a: "SUCCESS" }, "succeeded"]);
    const record = await stack.record("a");
    expect(record).toMatchObject({ providerId: "item-1", createdByUs: false, inputs: { count: 1 }, run: run.run });
    expect(record?.mark).toBeUndefined();
    expect(stack.provider.calls.map((call) => call.operation)).not.toContain("update");
  });

  test("is nothing to do once the object is recorded under its id, and costs no call", async () => {
    const stack = withObject();
    const imports = [from("a", "item-1")];
    await stack.apply([wanted("a", { count: 1 })], { imports });
    const before = stack.provider.calls.length;
    const again = await stack.plan([wanted("a", { count: 1 })], { imports });
    expect([kinds(again), again.settle, again.diagnostics]).toEqual([[], [], []]);
    expect(stack.provider.calls.length).toBe(before);
    expect(kinds(await stack.plan([wanted("a", { count: 2 })], { imports }))).toEqual(["update a"]);
  });

  test("imports and updates in one run where the object is not as wanted", async () => {
    const stack = withObject({ count: 1 });
    const run = await stack.apply([wanted("a", { count: 2 }), wanted("b", { a: ref("a", "id") })], {
      imports: [from("a", "item-1")],
    });
    expect(kinds(run.planned)).toEqual(["import a", "create b"]);
    expect(run.planned.plan.actions[0]?.changes).toMatchObject([{ path: "count", old: 1, new: 2 }]);
    expect(run.ends).toEqual({ a: "SUCCESS", b: "SUCCESS" });
    expect(stack.cloud.objects()).toMatchObject([{ id: "item-1", inputs: { count: 2 } }, { inputs: { a: "item-1" } }]);
    expect(kinds(await stack.plan([wanted("a", { count: 2 }), wanted("b", { a: ref("a", "id") })]))).toEqual([]);
  });

  test("leaves ignored paths as the object has them, in the comparison and in the update", async () => {
    const stack = withObject({ count: 1, other: 7 });
    const desired = [wanted("a", { count: 2, other: 8 }, { lifecycle: { ignoreChanges: ["other"] } })];
    const imports = [from("a", "item-1")];
    const run = await stack.apply(desired, { imports });
    expect(run.planned.plan.actions[0]?.changes.map((change) => change.path)).toEqual(["count"]);
    expect(stack.cloud.objects()).toMatchObject([{ inputs: { count: 2, other: 7 } }]);
    expect(kinds(await stack.plan(desired, { imports }))).toEqual([]);
  });

  test("may use what only this run makes", async () => {
    const stack = withObject({ a: "?" });
    const desired = [wanted("net"), wanted("a", { net: ref("net", "id") })];
    const run = await stack.apply(desired, { imports: [from("a", "item-1")] });
    expect(run.planned.plan.actions.find((action) => action.name === "a")?.changes).toContainEqual(
      expect.objectContaining({ path: "net", unknown: true }),
    );
    expect(run.ends).toEqual({ net: "SUCCESS", a: "SUCCESS" });
    expect(kinds(await stack.plan(desired))).toEqual([]);
  });

  test("says whose mark the object carries", async () => {
    const stack = createTestStack();
    outside(stack).create({ name: "a", type: "infra.item", inputs: {}, owner: "another/a" });
    const run = await stack.apply([wanted("a")], { imports: [from("a", "item-1")] });
    expect(run.planned.plan.actions[0]?.reasons.join()).toContain("the mark of another/a");
    expect(run.ends).toEqual({ a: "SUCCESS" });
  });

  test("of a resource that is not included, or in a destroy, does nothing", async () => {
    const stack = withObject();
    const imports = [from("a", "item-1")];
    const planned = await stack.plan([wanted("a"), wanted("b")], { imports, include: ["b"] });
    expect(kinds(planned)).toEqual(["create b"]);
  });

  test("takes ids as people write them, and knows the object again under the provider's own", async () => {
    const stack = createTestStack({
      providers: (cloud, clock) => {
        const provider = createFakeProvider(cloud, { clock });
        provider.importId = async (_type, id) => (id.startsWith("arn:") ? id.slice(4) : undefined);
        return [provider];
      },
    });
    outside(stack).create({ name: "a", type: "infra.item", inputs: { count: 1 } });
    const imports = [from("a", "arn:item-1")];
    const planned = await stack.plan([wanted("a", { count: 1 })], { imports });
    expect(planned.plan.actions).toMatchObject([{ kind: "import", importId: "item-1" }]);
    await stack.applyPlanned(planned);
    expect(kinds(await stack.plan([wanted("a", { count: 1 })], { imports }))).toEqual([]);
    const other = await stack.plan([wanted("a", { count: 1 })], { imports: [from("a", "arn:item-2")] });
    expect(problems(other)[0]).toContain('it is recorded with another id, "item-1"');
    const missing = await stack.plan([wanted("b")], { imports: [from("b", "no such")] });
    expect(problems(missing)[0]).toContain("NOT_FOUND");
  });
});

test("an object that a plain Read knows by another name is known again, and two entries for it are one too many", async () => {
  const stack = createTestStack({
    providers: (cloud, clock) => {
      const provider = createFakeProvider(cloud, { clock });
      const { launched } = provider;
      provider.launched = () => {
        const own = launched();
        const read: typeof own.read = (ref, call) =>
          own.read({ ...ref, providerId: ref.providerId.replace("name:", "item-") }, call);
        return { ...own, read };
      };
      provider.read = (ref, call) => provider.launched().read(ref, call);
      return [provider];
    },
  });
  outside(stack).create({ name: "a", type: "infra.item", inputs: { count: 1 } });
  const imports = [from("a", "name:1")];
  const twice = await stack.plan([wanted("a", { count: 1 }), wanted("b", { count: 1 })], {
    imports: [...imports, from("b", "item-1")],
  });
  expect(problems(twice)[0]).toContain('"a" is imported from the same object, "item-1"');
  const run = await stack.apply([wanted("a", { count: 1 })], { imports });
  expect(run.end).toBe("succeeded");
  expect(await stack.record("a")).toMatchObject({ providerId: "item-1" });
  const again = await stack.plan([wanted("a", { count: 1 })], { imports });
  expect([kinds(again), again.diagnostics]).toEqual([[], []]);
  const held = await stack.plan([wanted("a", { count: 1 }), wanted("b")], { imports: [from("b", "name:1")] });
  expect(problems(held)[0]).toContain('the state records this object as "a" already');
});

describe("an import entry is refused, with its place", () => {
  test("where the resource is recorded with another id", async () => {
    const stack = withObject();
    await stack.apply([wanted("a")]);
    const planned = await stack.plan([wanted("a")], { imports: [from("a", "item-1")] });
    expect(planned.diagnostics).toMatchObject([
      {
        code: "CONFIG_INVALID",
        address: "a",
        summary: 'Cannot import "a" from "item-1": it is recorded with another id, "item-2"',
        source: place,
      },
    ]);
  });

  test("where another record has the object, or another entry names it", async () => {
    const stack = withObject();
    await stack.apply([wanted("a", { count: 1 })], { imports: [from("a", "item-1")] });
    const planned = await stack.plan([wanted("a", { count: 1 }), wanted("b")], { imports: [from("b", "item-1")] });
    expect(problems(planned)).toEqual([
      'CONFIG_INVALID Cannot import "b" from "item-1": the state records this object as "a" already',
    ]);
    expect(planned.diagnostics[0]?.hint).toContain("moved: [{from: a, to: b}]");
    const twice = await withObject().plan([wanted("b"), wanted("c")], {
      imports: [from("b", "item-1"), from("c", "item-1")],
    });
    expect(problems(twice)).toEqual([
      'CONFIG_INVALID Cannot import "c": "b" is imported from the same object, "item-1"',
    ]);
    expect(twice.diagnostics[0]?.source).toEqual(place);
  });

  test("where there is no such object", async () => {
    const planned = await createTestStack().plan([wanted("a")], { imports: [from("a", "item-9")] });
    expect(planned.diagnostics).toMatchObject([{ code: "NOT_FOUND", source: place }]);
    expect(planned.plan.actions).toEqual([]);
  });

  test("where only another object would do", async () => {
    const stack = withObject({ region: "eu" });
    const planned = await stack.plan([wanted("a", { region: "us" })], { imports: [from("a", "item-1")] });
    expect(problems(planned)).toEqual([
      'CONFIG_INVALID Cannot import "a" from "item-1": the object has another region, which cannot be changed in place',
    ]);
    expect(planned.diagnostics[0]?.source).toEqual(place);
  });

  test("where the provider has no driver of the type", async () => {
    const stack = createTestStack({ provider: { types: {} } });
    const planned = await stack.plan([wanted("a")], { imports: [from("a", "item-1")] });
    expect(planned.diagnostics).toMatchObject([{ code: "NO_DRIVER", source: place }]);
  });
});

describe("a run with an import", () => {
  test("that is killed before its update goes on from the record, whose object is still to be compared", async () => {
    const stack = withObject({ count: 1 });
    const imports = [from("a", "item-1")];
    await stack.applyUntil(
      (point) => point.at === "call" && point.operation === "update",
      [wanted("a", { count: 2 })],
      {
        imports,
      },
    );
    expect((await stack.state()).openRuns).toHaveLength(1);
    const run = await stack.apply([wanted("a", { count: 2 })], { imports });
    expect(run.end).toBe("succeeded");
    expect(stack.cloud.objects()).toMatchObject([{ id: "item-1", inputs: { count: 2 } }]);
    expect(kinds(await stack.plan([wanted("a", { count: 2 })], { imports }))).toEqual([]);
  });

  test("that is killed right after it recorded the object has lost nothing", async () => {
    const stack = withObject({ count: 1 });
    const imports = [from("a", "item-1")];
    await stack.applyUntil(
      (point) => point.at === "write" && point.events.some((event) => event.kind === "record"),
      [wanted("a", { count: 2 })],
      { imports, keep: 9 },
    );
    expect(await stack.record("a")).toMatchObject({ providerId: "item-1", mark: "imported", inputs: { count: 1 } });
    const run = await stack.apply([wanted("a", { count: 2 })], { imports });
    expect([kinds(run.planned), run.end]).toEqual([["update a"], "succeeded"]);
  });

  test("is undone whole under compensate: the update, and the record", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([
          { operation: "create", name: "bad", fault: { goes: { wrong: "refused", class: "validation" } } },
        ]),
      },
    });
    outside(stack).create({ name: "a", type: "infra.item", inputs: { count: 1 } });
    const run = await stack.apply([wanted("a", { count: 2 }), wanted("bad", { a: ref("a", "id") })], {
      imports: [from("a", "item-1")],
      onFailure: "compensate",
    });
    expect(run.end).toBe("compensated");
    expect(await stack.record("a")).toBeUndefined();
    expect(stack.cloud.objects()).toMatchObject([{ id: "item-1", inputs: { count: 1 } }]);
  });

  test("does not import what is gone by then", async () => {
    const stack = withObject();
    const planned = await stack.plan([wanted("a", { count: 1 })], { imports: [from("a", "item-1")] });
    outside(stack).delete("item-1");
    const report = await stack.applyPlanned(planned);
    expect(report.outcomes).toMatchObject([{ code: "PLAN_OUTDATED" }]);
    expect(report.outcomes[0]?.message).toContain("an import");
    expect(await stack.record("a")).toBeUndefined();
  });
});
