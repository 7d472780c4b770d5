import {
  createFakeProvider,
  createTestStack,
  env,
  ref,
  scriptFaults,
  text,
  wanted,
  type TestStack,
} from "@wfctl/testkit";
import { canonicalJson, type DesiredResource, type Json } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import type { Planned } from "./plan-input.ts";

const kinds = ({ plan }: Planned): string[] => plan.actions.map((action) => `${action.kind} ${action.name}`);
const codes = ({ diagnostics }: Planned): string[] => diagnostics.map((each) => each.code);
const outside = (stack: TestStack) => stack.cloud.account("main").outside;

describe("what is done", () => {
  test("create, update, replace, delete, nothing; deletes in reverse order of the recorded edges", async () => {
    const stack = createTestStack();
    await stack.apply([
      wanted("same"),
      wanted("up", { count: 1 }),
      wanted("re", { region: "eu" }),
      wanted("gone"),
      wanted("gone2", { g: ref("gone", "id") }),
    ]);
    const planned = await stack.plan([
      wanted("same"),
      wanted("up", { count: 2 }),
      wanted("re", { region: "us" }),
      wanted("new"),
    ]);
    expect(kinds(planned)).toEqual(["update up", "replace re", "create new", "delete gone2", "delete gone"]);
    expect(planned.plan.unchanged).toBe(1);
    expect(planned.plan.actions[0]?.changes).toEqual([{ path: "count", old: 1, new: 2, forceNew: false }]);
    expect(planned.plan.actions[1]?.reasons[0]).toBe("region cannot be changed in place");
  });

  test("unchanged records cost no call", async () => {
    const stack = createTestStack();
    const desired = [wanted("a", { count: 1 }), wanted("b", { a: ref("a", "endpoint") })];
    await stack.apply(desired);
    const before = stack.provider.calls.length;
    expect(kinds(await stack.plan(desired))).toEqual([]);
    expect(stack.provider.calls.length).toBe(before);
  });

  test("a changed provider version or schema is compared, and settled without an action where it makes no difference", async () => {
    let version = "1.0.0";
    const stack = createTestStack({
      providers: (cloud, clock) =>
        [
          createFakeProvider(cloud, { clock }),
          createFakeProvider(cloud, { clock, module: "next", version: "2.0.0" }),
        ].map((provider) => Object.defineProperty(provider, "version", { get: () => version, configurable: true })),
    });
    await stack.apply([wanted("a")]);
    version = "2.0.0";
    const planned = await stack.plan([wanted("a")]);
    expect([kinds(planned), planned.settle.length, stack.provider.calls.at(-1)?.operation]).toEqual([[], 1, "diff"]);
    await stack.apply([wanted("a")]);
    expect((await stack.plan([wanted("a")])).settle).toEqual([]);
  });

  test("what a quiet comparison settles is what later plans compare with", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a", { count: 1 })]);
    outside(stack).edit("item-1", { count: 2 });
    // Somebody has done by hand what the configuration now wants.
    await stack.apply([wanted("a", { count: 2 })], { refresh: true });
    expect((await stack.record("a"))?.inputs).toEqual({ count: 2 });
    expect(kinds(await stack.plan([wanted("a", { count: 1 })]))).toEqual(["update a"]);
  });

  test("--refresh reads all, --replace replaces what its diff would leave", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a", { count: 1 })]);
    outside(stack).edit("item-1", { count: 7 });
    expect(kinds(await stack.plan([wanted("a", { count: 1 })]))).toEqual([]);
    expect(kinds(await stack.plan([wanted("a", { count: 1 })], { refresh: true }))).toEqual(["update a"]);
    expect(kinds(await stack.plan([wanted("a", { count: 1 })], { replace: ["a"] }))).toEqual(["replace a"]);
    outside(stack).delete("item-1");
    expect(kinds(await stack.plan([wanted("a", { count: 1 })], { refresh: true }))).toEqual(["create a"]);
  });

  test("a record past its revisit time is read again", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a")]);
    const record = (await stack.record("a"))!;
    stack.disk.draft.records.set("a", { ...record, revisitAt: new Date(stack.clock.now() + 1000).toISOString() });
    expect(stack.provider.calls.length + (await stack.plan([wanted("a")])).plan.actions.length).toBe(1);
    stack.clock.advance(2000);
    await stack.plan([wanted("a")]);
    expect(stack.provider.calls.map((call) => call.operation)).toEqual(["create", "read", "diff"]);
    await stack.apply([wanted("a")]);
    expect((await stack.record("a"))?.revisitAt).toBeUndefined();
  });

  test.each(["tainted", "dirty", "imported", "adopted"] as const)("a record that is %s", async (mark) => {
    const stack = createTestStack();
    await stack.apply([wanted("a", { count: 1 })]);
    stack.disk.draft.records.set("a", { ...(await stack.record("a"))!, mark });
    const planned = await stack.plan([wanted("a", { count: 1 })]);
    expect(kinds(planned)).toEqual(mark === "tainted" ? ["replace a"] : []);
    if (mark === "tainted") return;
    expect(stack.provider.calls.map((call) => call.operation)).toEqual(["create", "read", "diff"]);
    await stack.apply([wanted("a", { count: 1 })]);
    expect((await stack.record("a"))?.mark).toBeUndefined();
  });
});

describe("values known only later", () => {
  test("consumers of a replaced producer are marked where they use a changed value; force-new fields replace them", async () => {
    const stack = createTestStack();
    const desired = (region: string) => [
      wanted("p", { region }),
      wanted("uses", { p: ref("p", "id") }),
      wanted("tied", { region: ref("p", "id") }),
      wanted("after", {}, { dependsOn: ["p"] }),
    ];
    await stack.apply(desired("eu"));
    const planned = await stack.plan(desired("us"));
    expect(kinds(planned)).toEqual(["replace p", "update uses", "replace tied"]);
    expect(planned.plan.actions[1]?.changes).toMatchObject([{ path: "p", unknown: true }]);
    expect((await stack.apply(desired("us"))).end).toBe("succeeded");
    expect(kinds(await stack.plan(desired("us")))).toEqual([]);
  });

  test("an updated producer's outputs may change: quiet at apply costs nothing, the id is known", async () => {
    const stack = createTestStack();
    const desired = (count: number) => [
      wanted("p", { count }),
      wanted("rev", { r: ref("p", "revision") }),
      wanted("id", { i: ref("p", "id") }),
      wanted("end", { e: ref("p", "endpoint") }),
    ];
    await stack.apply(desired(1));
    const planned = await stack.plan(desired(2));
    expect(kinds(planned)).toEqual(["update p", "update rev", "update end"]);
    const run = await stack.apply(desired(2));
    expect(run.outcomes.map((outcome) => outcome.attempts)).toEqual([1, 1, 0]);
    expect(kinds(await stack.plan(desired(2)))).toEqual([]);
  });

  test("a missing output or variable is an error that names it", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("p")]);
    const planned = await stack.plan([wanted("p"), wanted("a", { x: ref("p", "nope"), y: env("TOKEN") })], { env: {} });
    expect(codes(planned)).toEqual(["REFERENCE_UNRESOLVED", "REFERENCE_UNRESOLVED"]);
    expect(planned.diagnostics.map((each) => each.path)).toEqual(["/config/x", "/config/y"]);
    expect(planned.diagnostics.map((each) => each.hint)).toEqual([
      expect.stringContaining("wfctl apply --refresh"),
      "Set TOKEN and try again",
    ]);
  });
});

describe("protection, retain, forget", () => {
  test("protected resources are not deleted or replaced, whether record or configuration says so; one flag lifts it for a run", async () => {
    const stack = createTestStack();
    const desired = (region: string): DesiredResource[] => [
      wanted("a", { region }, { protected: true }),
      wanted("b", { region }, { protected: true }),
    ];
    await stack.apply(desired("eu"));
    const planned = await stack.plan([wanted("a", { region: "us" })]);
    expect(codes(planned)).toEqual(["PROTECTED", "PROTECTED"]);
    expect(planned.diagnostics[0]?.hint).toContain("--allow-replace=a,b");
    await expect(stack.destroy()).rejects.toThrow("PROTECTED");
    const allowed = await stack.apply([wanted("a", { region: "us" })], { allowReplace: ["a", "b"] });
    expect(allowed.ends).toEqual({ a: "SUCCESS", b: "SUCCESS" });
  });

  test("unprotecting alone is no action, and is remembered", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a", {}, { protected: true })]);
    const run = await stack.apply([wanted("a")]);
    expect(run.outcomes).toEqual([]);
    expect((await stack.record("a"))?.protected).toBe(false);
    expect((await stack.destroy()).ends).toEqual({ a: "SUCCESS" });
  });

  test("retain forgets instead of deleting, also in destroy, and needs no provider", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a", {}, { lifecycle: { retain: true } })]);
    const run = await stack.destroy();
    expect([run.planned.plan.actions[0]?.kind, run.ends, await stack.record("a")]).toEqual([
      "forget",
      { a: "SUCCESS" },
      undefined,
    ]);
    expect(stack.cloud.objects()).toHaveLength(1);
    expect(stack.provider.calls.map((call) => call.operation)).toEqual(["create"]);
  });
});

describe("objects that are there already", () => {
  test("adopt: shown, recorded, updated where it differs", async () => {
    const stack = createTestStack();
    outside(stack).create({ name: "a", type: "infra.item", inputs: { count: 1 } });
    const same = await stack.plan([wanted("a", { count: 1 }, { adoptExisting: true })]);
    expect([kinds(same), same.plan.actions[0]?.changes]).toEqual([["adopt a"], []]);
    const run = await stack.apply([wanted("a", { count: 2 }, { adoptExisting: true })]);
    expect([run.ends, stack.cloud.objects()]).toMatchObject([
      { a: "SUCCESS" },
      [{ id: "item-1", inputs: { count: 2 } }],
    ]);
    expect(await stack.record("a")).toMatchObject({ createdByUs: false });
    expect(kinds(await stack.plan([wanted("a", { count: 2 }, { adoptExisting: true })]))).toEqual([]);
  });

  test("types that upstream always looks for are adopted, by domain; what is not there is created", async () => {
    const stack = createTestStack({ provider: { personality: "upstream" } });
    const dns = wanted("zone", { domain: "example.org" }, { type: "infra.dns" });
    expect(kinds(await stack.plan([dns]))).toEqual(["create zone"]);
    expect(stack.provider.calls[0]?.providerId).toBe("example.org");
  });

  test("existing: read for its outputs, never written, forgotten when dropped; missing is an error", async () => {
    const stack = createTestStack();
    const desired = [wanted("e", {}, { existing: true }), wanted("a", { e: ref("e", "id") })];
    expect(codes(await stack.plan(desired))).toEqual(["NOT_FOUND"]);
    outside(stack).create({ name: "e", type: "infra.item", inputs: { theirs: 1 } });
    const run = await stack.apply(desired);
    expect([kinds(run.planned), run.end]).toEqual([["read e", "create a"], "succeeded"]);
    expect(kinds(await stack.plan(desired))).toEqual([]);
    expect(kinds((await stack.destroy()).planned)).toEqual(["delete a", "forget e"]);
    expect(stack.cloud.objects()).toMatchObject([{ inputs: { theirs: 1 } }]);
  });

  test("the recorded id means nothing under another type: an object that was only read is left, and the plan says so", async () => {
    const types = { "infra.item": { lookup: true }, "infra.other": { lookup: true } };
    const stack = createTestStack({ provider: { types } });
    outside(stack).create({ name: "e", type: "infra.item", inputs: { count: 7 } });
    await stack.apply([wanted("e", {}, { existing: true })]);
    const before = stack.provider.calls.length;
    const planned = await stack.plan([wanted("e", {}, { type: "infra.other" })]);
    expect([kinds(planned), planned.plan.actions[0]?.reasons]).toEqual([
      ["create e"],
      [
        "it does not exist",
        "the object that was recorded (infra.item, id item-1) stays as it is, and the state names it no longer",
      ],
    ]);
    expect(stack.provider.calls.slice(before)).toEqual([]);
    // Taken over by name, or only read by name: never by the id of something else.
    expect(codes(await stack.plan([wanted("e", {}, { type: "infra.other", existing: true })]))).toEqual(["NOT_FOUND"]);
    outside(stack).create({ name: "e", type: "infra.other", inputs: {} });
    for (const how of [{ adoptExisting: true }, { existing: true }]) {
      const found = await stack.plan([wanted("e", {}, { type: "infra.other", ...how })]);
      expect(found.plan.actions[0]?.reasons.at(-1)).toContain("(infra.item, id item-1) stays as it is");
      expect(stack.provider.calls.findLast(({ operation }) => operation === "read")?.providerId).toBe("");
    }
    await stack.apply([wanted("e", {}, { type: "infra.other", existing: true })]);
    expect(await stack.record("e")).toMatchObject({ type: "infra.other", providerId: "other-2" });
    expect(kinds(await stack.plan([wanted("e", {}, { type: "infra.other", existing: true })]))).toEqual([]);
  });

  test("what was secret of an object stays so while it is only read, and when it is taken over again", async () => {
    const stack = createTestStack({ env: { TOKEN: "a-long-token-of-ours" } });
    const full = wanted("e", { count: 1, note: text("bearer ", { env: "TOKEN" }) });
    const note = ["/note"];
    await stack.apply([wanted("other", { password: env("TOKEN") }), full]);
    const known = (await stack.record("e"))?.sensitiveInputs;
    await stack.apply([wanted("e", { count: 1 }, { existing: true })]);
    expect((await stack.record("e"))?.sensitiveInputs).toEqual(known);
    stack.disk.commits.length = 0;
    await stack.apply([wanted("e", { count: 2 })]);
    const found = stack.disk.commits.flat().find((event) => event.kind === "record");
    expect(found).toMatchObject({ record: { put: { inputs: { note: "bearer a-long-token-of-ours" } } } });
    expect([known, found]).toMatchObject([
      note,
      { record: { put: { sensitiveInputs: expect.arrayContaining(note) } } },
    ]);
    const intent = stack.disk.commits.flat().findLast((event) => event.kind === "intent");
    expect(intent).toMatchObject({ intent: { sensitiveInputs: expect.arrayContaining(note) } });
  });

  test("what others gave an object is sealed where its key names a secret, though no configuration knows it as one", async () => {
    const stack = createTestStack({ provider: { personality: "upstream" } });
    outside(stack).create({ name: "a", type: "infra.item", inputs: { api_token: "of-somebody-else", note: "plain" } });
    outside(stack).create({ name: "e", type: "infra.item", inputs: { password: "theirs-and-theirs-only" } });
    await stack.apply([
      wanted("a", { api_token: "of-somebody-else", note: "plain" }, { adoptExisting: true }),
      wanted("e", {}, { existing: true }),
    ]);
    expect([await stack.record("a"), await stack.record("e")]).toMatchObject([
      { outputs: { api_token: "of-somebody-else" }, sensitiveOutputs: ["api_token"] },
      { outputs: { password: "theirs-and-theirs-only" }, sensitiveOutputs: ["password"] },
    ]);
  });

  test("a plan does not show what an object to adopt repeats of another resource's secrets", async () => {
    const stack = createTestStack({ env: { TOKEN: "a-long-token-of-ours" } });
    const other = wanted("other", { password: env("TOKEN") });
    outside(stack).create({ name: "a", type: "infra.item", inputs: { note: "bearer a-long-token-of-ours", count: 1 } });
    const adopted = wanted("a", { note: "none", count: 2 }, { adoptExisting: true });
    const changes = async (...desired: DesiredResource[]) =>
      (await stack.plan(desired)).plan.actions.find((action) => action.name === "a")?.changes;
    const hidden = [
      { path: "note", forceNew: false, sensitive: true },
      { path: "count", old: 1, new: 2 },
    ];
    // Whichever of the two is decided first.
    expect(await changes(other, adopted)).toMatchObject(hidden);
    expect(await changes(adopted, other)).toMatchObject(hidden);
    await stack.apply([other]);
    expect(JSON.stringify(await changes(adopted))).not.toContain("a-long-token");
  });

  test("dropping existing: true takes the object over as a planned adopt, never silently", async () => {
    const stack = createTestStack();
    outside(stack).create({ name: "e", type: "infra.item", inputs: {} });
    await stack.apply([wanted("e", {}, { existing: true })]);
    expect(kinds(await stack.plan([wanted("e")]))).toEqual(["adopt e"]);
    await stack.apply([wanted("e")]);
    expect(await stack.record("e")).toMatchObject({ retain: false });
    expect(kinds(await stack.plan([wanted("e")]))).toEqual([]);
  });
});

test("a create-first replace falls back where its old object stands on what its new one still waits for through others", async () => {
  const createFirst = { lifecycle: { replace: "create-first" } } as const;
  const stack = createTestStack();
  await stack.apply([
    wanted("base", { region: "a" }),
    wanted("top", { region: "a" }, { dependsOn: ["base"], ...createFirst }),
  ]);
  const desired = [
    wanted("base", { region: "b" }),
    wanted("between", {}, { dependsOn: ["base"] }),
    wanted("top", { region: "b", via: ref("between", "id") }, createFirst),
  ];
  const run = await stack.apply(desired);
  expect([run.planned.diagnostics, run.end]).toEqual([[], "succeeded"]);
  expect(run.planned.plan.actions.find((action) => action.name === "top")?.replaceMode).toBe("delete-first");
  expect(run.planned.plan.notes).toMatchObject([{ name: "top", code: "FALLBACK" }]);
});

describe("moved, ignore_changes, include", () => {
  test("moved renames the record and the edges to it, without an action", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("old", { count: 1 }), wanted("b", { o: ref("old", "id") })]);
    const desired = [wanted("new", { count: 1 }), wanted("b", { o: ref("new", "id") })];
    const moved = [{ from: "old", to: "new" }];
    expect(kinds(await stack.plan(desired))).toEqual(["create new", "update b", "delete old"]);
    expect((await stack.plan(desired)).plan.notes).toMatchObject([{ code: "RENAME", name: "new" }]);
    expect(kinds(await stack.plan(desired, { moved }))).toEqual([]);
    await stack.apply(desired, { moved });
    expect([...(await stack.state()).records.keys()].toSorted()).toEqual(["b", "new"]);
    expect((await stack.record("b"))?.dependencies).toEqual(["new"]);
    expect(kinds(await stack.plan(desired, { moved }))).toEqual([]);
  });

  test("a rename is recognised by what is sent, not by how it is written", async () => {
    const stack = createTestStack({ env: { TAG: "v1" } });
    await stack.apply([wanted("net"), wanted("old", { n: ref("net", "id"), tag: env("TAG") })]);
    const planned = await stack.plan([wanted("net"), wanted("new", { n: ref("net", "id"), tag: "v1" })]);
    expect(planned.plan.notes).toMatchObject([{ code: "RENAME", name: "new" }]);
    expect(planned.plan.notes[0]?.text).toContain("moved: [{from: old, to: new}]");
    const other = await stack.plan([wanted("net"), wanted("new", { n: ref("net", "endpoint"), tag: "v1" })]);
    expect(other.plan.notes).toEqual([]);
  });

  test("a move onto a recorded name, of a name that stays, or of an unknown resource is an error", async () => {
    const stack = createTestStack({
      provider: {
        faults: scriptFaults([{ operation: "create", name: "u", fault: { goes: { wrong: "hang" } } }]),
        types: { "infra.item": {} },
        features: { clientTokens: false },
      },
    });
    await stack.apply([wanted("a"), wanted("b"), wanted("u", {}, { timeouts: { create: 1000 } })]);
    expect(codes(await stack.plan([wanted("b")], { moved: [{ from: "a", to: "b" }] }))).toEqual(["CONFIG_INVALID"]);
    expect(codes(await stack.plan([wanted("a"), wanted("c")], { moved: [{ from: "a", to: "c" }] }))).toEqual([
      "CONFIG_INVALID",
    ]);
    expect(codes(await stack.plan([wanted("v")], { moved: [{ from: "u", to: "v" }] }))).toContain("CONFIG_INVALID");
  });

  test("ignored paths are not acted on, and keep what was applied when something else is", async () => {
    const stack = createTestStack();
    const desired = (count: number, other: number) => [
      wanted("a", { count, other }, { lifecycle: { ignoreChanges: ["count"] } }),
    ];
    await stack.apply(desired(1, 1));
    expect(kinds(await stack.plan(desired(2, 1)))).toEqual([]);
    await stack.apply(desired(2, 2));
    expect(stack.cloud.objects()).toMatchObject([{ inputs: { count: 1, other: 2 } }]);
    expect(kinds(await stack.plan(desired(3, 2)))).toEqual([]);
  });

  test("include changes nothing that it does not name", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a", { count: 1 }), wanted("b", { count: 1 }), wanted("gone")]);
    const desired = [wanted("a", { count: 2 }), wanted("b", { count: 2 }), wanted("c", { a: ref("a", "id") })];
    expect(kinds(await stack.plan(desired, { include: ["b", "c"] }))).toEqual(["update b", "create c"]);
    expect(kinds(await stack.plan(desired, { include: ["gone"] }))).toEqual(["delete gone"]);
  });
});

describe("accounts", () => {
  const two = (identities: readonly (string | undefined)[]) =>
    createTestStack({
      providers: (cloud, clock) =>
        identities.map((identity, index) =>
          createFakeProvider(cloud, { clock, module: `m${index}`, account: "main", identity }),
        ),
    });

  test("a module that now reaches another account is refused, and both are shown", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a")]);
    Object.defineProperty(stack.provider, "identity", { value: "fake:other" });
    const planned = await stack.plan([wanted("a")]);
    expect(codes(planned)).toEqual(["OTHER_ACCOUNT"]);
    expect(planned.diagnostics[0]?.summary).toContain('"fake:main"');
    expect(planned.diagnostics[0]?.summary).toContain('"fake:other"');
  });

  test("a module that is another provider now is refused, with the way to go on", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("a")]);
    Object.defineProperty(stack.provider, "name", { value: "other" });
    const planned = await stack.plan([wanted("a")]);
    expect(codes(planned)).toEqual(["OTHER_ACCOUNT"]);
    expect(planned.diagnostics[0]?.summary).toMatch(/"cloud" was "\w+" when "a" was written, and is "other" now/);
    expect(planned.diagnostics[0]?.hint).toContain("another name");
  });

  test("another module of one account is a new name for it; of another or an unnamed account a replace by both", async () => {
    for (const [identities, expected] of [
      [["x", "x"], []],
      [["x", "y"], ["replace a"]],
      [[undefined, undefined], ["replace a"]],
    ] as const) {
      const stack = two(identities);
      await stack.apply([wanted("a", {}, { provider: "m0" })]);
      const planned = await stack.plan([wanted("a", {}, { provider: "m1" })]);
      expect(kinds(planned)).toEqual(expected);
      const run = await stack.apply([wanted("a", {}, { provider: "m1" })]);
      expect([run.end, (await stack.record("a"))?.provider]).toEqual(["succeeded", "m1"]);
      const deletes = [...stack.providers.values()].map(
        (provider) => provider.calls.filter((call) => call.operation === "delete").length,
      );
      expect(deletes).toEqual(expected.length === 0 ? [0, 0] : [1, 0]);
    }
  });

  test("an old object whose module is not there is not deleted through another one", async () => {
    const stack = two(["x", "y"]);
    await stack.apply([wanted("a", {}, { provider: "m0" })]);
    const planned = await stack.plan([wanted("a", {}, { provider: "m1" })]);
    const report = await stack.hold(async ({ deps, memory }) => {
      const { applyPlan } = await import("../index.ts");
      const only = new Map([...deps.providers].filter(([module]) => module === "m1"));
      return applyPlan({ ...deps, providers: only }, planned.plan, await memory.load(), { runId: "run-x" });
    });
    expect(report.outcomes).toMatchObject([{ status: "SKIPPED", code: "NO_DRIVER" }]);
    expect(stack.cloud.objects()).toHaveLength(1);
  });
});

describe("the plan as a document", () => {
  const desired = [
    ...Array.from({ length: 12 }, (_, index) =>
      wanted(`r${index}`, { n: index, ...(index % 3 === 0 ? {} : { p: ref(`r${index - 1}`, "revision") }) }),
    ),
    wanted("u"),
  ];

  test("is the same whatever the providers' speed, but for its id", async () => {
    const digests = new Set<string>();
    for (const seed of [1, 2, 3]) {
      const stack = createTestStack({ provider: { types: { "infra.item": { forceNew: ["region"] } } } });
      await stack.apply(desired.map((resource) => ({ ...resource, config: { ...resource.config, extra: 1 } })));
      const slow = createTestStack({
        seed,
        provider: { latencyMs: (_operation, name) => (name.length * 37 * seed) % 90 },
      });
      for (const record of (await stack.state()).records.values())
        slow.disk.draft.records.set(record.name, { ...record, mark: "dirty" });
      for (const object of stack.cloud.objects())
        slow.cloud.account("main").create({ name: object.name, type: object.type, inputs: object.inputs });
      const planned = await slow.plan(desired, { refresh: true });
      expect(planned.plan.actions.length).toBeGreaterThan(5);
      digests.add(planned.plan.digest);
      expect(planned.plan.digest).not.toContain("undefined");
    }
    expect(digests.size).toBe(1);
  });

  test("its digest is bound to serial, configuration, policy and providers, not to places in files", async () => {
    const stack = createTestStack();
    const base = (await stack.plan([wanted("a", { n: 1 })])).plan;
    const moved = (await stack.plan([wanted("a", { n: 1 }, { source: { file: "elsewhere.yaml", line: 7 } })])).plan;
    expect([moved.digest, moved.configDigest]).toEqual([base.digest, base.configDigest]);
    const others = [
      (await stack.plan([wanted("a", { n: 2 })])).plan.digest,
      (await stack.plan([wanted("a", { n: 1 })], { onFailure: "stop" })).plan.digest,
    ];
    await stack.apply([wanted("b")]);
    others.push((await stack.plan([wanted("a", { n: 1 }), wanted("b")])).plan.digest);
    expect(others).not.toContain(base.digest);
  });

  test("holds no secret: values of secret keys, of secret outputs, and texts that repeat them are left out", async () => {
    const types = {
      "infra.item": { sensitiveInputs: ["pin"], sensitiveOutputs: ["password"], lookup: true, convergentCreate: true },
    };
    const stack = createTestStack({ provider: { types } });
    await stack.apply(
      [
        wanted("p"),
        wanted("a", {
          pin: "1234567890",
          key: ref("p", "password"),
          url: text("https://u:", { resource: "p", path: "password" }, "@h"),
        }),
      ],
      { env: { T: "environment-secret" } },
    );
    const planned = await stack.plan(
      [
        wanted("p", { count: 2 }),
        wanted("a", { pin: "0987654321", key: "x", url: "y", copied: "say environment-secret", env: env("T") }),
      ],
      { env: { T: "environment-secret" } },
    );
    const shown = canonicalJson(planned.plan.actions.map((action) => action.changes) as unknown as Json);
    for (const secret of ["1234567890", "0987654321", "password-of", "environment-secret"])
      expect(shown).not.toContain(secret);
    expect(
      planned.plan.actions
        .find((action) => action.name === "a")
        ?.changes.filter((change) => change.sensitive)
        .map((change) => change.path),
    ).toEqual(expect.arrayContaining(["pin", "key", "url", "copied", "env"]));
  });

  test("says beforehand what can be undone", async () => {
    const stack = createTestStack({
      provider: {
        types: { "infra.item": { forceNew: ["region"], writeOnly: ["note"], lookup: true, convergentCreate: true } },
      },
    });
    await stack.apply([
      wanted("up", { count: 1 }),
      wanted("wo", { note: "x" }),
      wanted("re", { region: "eu" }),
      wanted("gone"),
    ]);
    const planned = await stack.plan([
      wanted("up", { count: 2 }),
      wanted("wo", { note: "y" }),
      wanted("re", { region: "us" }),
      wanted("new"),
    ]);
    expect(Object.fromEntries(planned.plan.actions.map((action) => [action.name, action.undo.undo]))).toEqual({
      up: "yes",
      wo: "no",
      re: "no",
      new: "yes",
      gone: "no",
    });
  });
});

test("throttled and passing faults of reads and diffs are waited out, others are diagnostics", async () => {
  const faulty = (errorClass: "rate_limited" | "forbidden") =>
    scriptFaults([{ operation: "read", nth: 1, fault: { goes: { wrong: "refused", class: errorClass } } }]);
  for (const [errorClass, expected] of [
    ["rate_limited", []],
    ["forbidden", ["FORBIDDEN"]],
  ] as const) {
    const stack = createTestStack({ provider: { faults: faulty(errorClass) } });
    await stack.apply([wanted("a")]);
    expect(codes(await stack.plan([wanted("a")], { refresh: true }))).toEqual(expected);
  }
});

test("abstract sizes are resolved once each, shown, and part of what is compared", async () => {
  const stack = createTestStack();
  const desired = [
    wanted("a", {}, { size: "m" }),
    wanted("b", {}, { size: "m" }),
    wanted("c", {}, { size: "db-custom" }),
  ];
  const run = await stack.apply(desired);
  expect(run.planned.plan.actions.map((action) => action.sizing)).toEqual([
    { instance_type: "fake-m" },
    { instance_type: "fake-m" },
    undefined,
  ]);
  expect(stack.provider.calls.filter((call) => call.operation === "sizing")).toHaveLength(1);
  expect(kinds(await stack.plan(desired))).toEqual([]);
  expect(kinds(await stack.plan([wanted("a", {}, { size: "l" }), ...desired.slice(1)]))).toEqual(["update a"]);
});
