import { createTestStack, ref, wanted } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";
import type { Planned } from "./plan-input.ts";

const kinds = ({ plan }: Planned): string[] => plan.actions.map((action) => `${action.kind} ${action.name}`);
const notes = ({ plan }: Planned): string[] => plan.notes.map((note) => `${note.code} ${note.text}`);
const problems = ({ diagnostics }: Planned): string[] =>
  diagnostics.map((each) => `${each.severity} ${each.summary} (${each.hint})`);

const chain = [
  wanted("net"),
  wanted("db", { n: ref("net", "id") }),
  wanted("api", { d: ref("db", "id") }),
  wanted("x"),
];

describe("include", () => {
  test("is an error where a named resource needs what is not there, with everything that it needs", async () => {
    const stack = createTestStack();
    const planned = await stack.plan(chain, { include: ["api", "x"] });
    expect(problems(planned)).toEqual([
      'error Cannot plan "api" alone: it needs "db", which does not exist and is not included (Include what it needs: --include api,x,db,net)',
    ]);
    expect(kinds(await stack.plan(chain, { include: ["net", "db", "api"] }))).toEqual([
      "create net",
      "create db",
      "create api",
    ]);
  });

  test("uses what is recorded of what it does not name", async () => {
    const stack = createTestStack();
    await stack.apply(chain, { include: ["net"] });
    expect(problems(await stack.plan(chain, { include: ["db"] }))).toEqual([]);
    expect((await stack.apply(chain, { include: ["db"] })).ends).toEqual({ db: "SUCCESS" });
  });

  test("does not delete under what stays", async () => {
    const stack = createTestStack();
    await stack.apply(chain);
    const planned = await stack.plan([wanted("x")], { include: ["net"] });
    expect(problems(planned)).toEqual([
      'error Cannot plan "net" alone: it is deleted, and "db", which stands on it, is not included (Include what it needs: --include net,db,api)',
    ]);
    expect(kinds(await stack.plan([wanted("x")], { include: ["net", "db", "api"] }))).toEqual([
      "delete api",
      "delete db",
      "delete net",
    ]);
  });

  test("warns where something stands on what is replaced", async () => {
    const stack = createTestStack();
    await stack.apply(chain);
    const planned = await stack.plan(chain, { include: ["net"], replace: ["net"] });
    expect(kinds(planned)).toEqual(["replace net"]);
    expect(problems(planned)[0]).toMatch(/^warning "db" stands on "net", which is replaced/);
  });
});

describe("exclude", () => {
  test("leaves out what needs an excluded resource that does not exist, and says so", async () => {
    const stack = createTestStack();
    const planned = await stack.plan(chain, { exclude: ["db"] });
    expect([kinds(planned), planned.diagnostics]).toEqual([["create net", "create x"], []]);
    expect(notes(planned)).toEqual([
      'EXCLUDED "api" is left out as well: it needs "db", which does not exist and is not included',
    ]);
    const run = await stack.apply(chain, { exclude: ["db"] });
    expect(run.end).toBe("succeeded");
    expect(kinds(await stack.plan(chain))).toEqual(["create db", "create api"]);
  });

  test("keeps what an excluded resource stands on", async () => {
    const stack = createTestStack();
    await stack.apply(chain);
    const planned = await stack.plan([], { exclude: ["db"] });
    expect(kinds(planned).toSorted()).toEqual(["delete api", "delete x"]);
    expect(notes(planned)).toEqual([
      'EXCLUDED "net" is left out as well: it is deleted, and "db", which stands on it, is not included',
    ]);
    const run = await stack.destroy({ exclude: ["db"] });
    expect(run.ends).toEqual({ api: "SUCCESS", x: "SUCCESS" });
    expect([...(await stack.state()).records.keys()].toSorted()).toEqual(["db", "net"]);
  });

  test("lets others use what is recorded of an excluded one that would change", async () => {
    const stack = createTestStack();
    await stack.apply([wanted("db", { count: 1 })]);
    const desired = [wanted("db", { count: 2 }), wanted("api", { d: ref("db", "id") })];
    expect(kinds(await stack.plan(desired, { exclude: ["db"] }))).toEqual(["create api"]);
  });
});

describe("what is deferred", () => {
  test("is listed with its reason, and settled by the run", async () => {
    const stack = createTestStack();
    await stack.apply([
      wanted("p", { count: 1 }),
      wanted("uses", { r: ref("p", "revision") }),
      wanted("re", { region: "a" }),
    ]);
    const desired = [
      wanted("p", { count: 2 }),
      wanted("uses", { r: ref("p", "revision") }),
      wanted("re", { region: "b" }),
      wanted("net"),
      wanted("new", { a: ref("net", "id"), b: { c: [ref("re", "id")] }, d: 1 }),
    ];
    const planned = await stack.plan(desired);
    const deferred = Object.fromEntries(planned.plan.actions.map((action) => [action.name, action.deferred]));
    expect(deferred["net"]).toBeUndefined();
    expect(deferred["new"]).toEqual([
      { path: "a", waitsFor: "net.id", why: '"net" is created in this run' },
      { path: "b.c.0", waitsFor: "re.id", why: '"re" is replaced in this run' },
    ]);
    expect(deferred["uses"]).toEqual([
      { path: "r", waitsFor: "p.revision", why: '"p" is updated in this run, and may give another value' },
    ]);
    expect((await stack.apply(desired)).end).toBe("succeeded");
    expect(kinds(await stack.plan(desired))).toEqual([]);
  });
});
