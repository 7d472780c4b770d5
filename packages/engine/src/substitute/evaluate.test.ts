import { env, ref, text } from "@wfctl/testkit";
import { renderExpression, type Expression, type Json } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import { evaluate, outputOf, type Scope } from "./evaluate.ts";

const record = {
  providerId: "i-1",
  outputs: {
    host: "db.example",
    port: 5432,
    big: 3_000_000,
    huge: 1e21,
    tiny: 1.5e-7,
    flag: false,
    list: [1, "a"],
    map: { deep: { x: 1 } },
    "map.deep": "flat",
    password: "hunter2hunter2",
    none: null,
  },
  sensitiveOutputs: ["password"],
};
const scope: Scope = {
  bounded: (run) => run(),
  env: { NAME: "value" },
  output: (resource, path) => (resource === "db" ? outputOf(record, path) : undefined),
};
const value = (of: Json): Json => evaluate({ v: of }, scope).value as Json;

test("a whole-value reference keeps the type of what it refers to", () => {
  const types = { port: 5432, flag: false, list: [1, "a"], none: null, host: "db.example" };
  for (const [path, expected] of Object.entries(types)) expect(value(ref("db", path))).toEqual({ v: expected });
});

test("inside text numbers are plain decimals, lists and maps are JSON", () => {
  const shown = (path: string) => (value(text("<", { resource: "db", path }, ">")) as { v: string }).v;
  expect(["port", "big", "huge", "tiny", "flag", "list"].map(shown)).toEqual([
    "<5432>",
    "<3000000>",
    "<1000000000000000000000>",
    "<0.00000015>",
    "<false>",
    '<[1,"a"]>',
  ]);
});

test("id is the provider id; after the first dot an exact flat key wins over a path", () => {
  expect([value(ref("db", "id")), value(ref("db", "map.deep")), value(ref("db", "map.deep.x"))]).toEqual([
    { v: "i-1" },
    { v: "flat" },
    { v: 1 },
  ]);
  expect(outputOf({ ...record, providerId: "" }, "id")).toBeUndefined();
});

describe("taint", () => {
  test("values of sensitive outputs and of the environment are marked where they stand, in lists and maps too", () => {
    const result = evaluate(
      {
        a: ref("db", "password"),
        b: [{ c: text("x", { resource: "db", path: "password" }) }],
        d: env("NAME"),
        e: ref("db", "host"),
        "f/g": ref("db", "password"),
      },
      scope,
    );
    expect(result.sensitive).toEqual(["/a", "/b/0/c", "/d", "/f~1g"]);
  });
});

describe("a reference without a value", () => {
  test("leaves what the user wrote, and names the missing part; no half of it is filled in", () => {
    const result = evaluate(
      {
        a: text("h=", { resource: "db", path: "host" }, " x=", { resource: "db", path: "nope" }, " ", { env: "UNSET" }),
        b: ref("gone", "id"),
      },
      scope,
    );
    expect(result.value).toEqual({ a: "h=${db.host} x=${db.nope} ${UNSET}", b: "${gone.id}" });
    expect(result.unresolved.map(({ pointer, part }) => [pointer, part])).toEqual([
      ["/a", "db.nope"],
      ["/a", "UNSET"],
      ["/b", "gone.id"],
    ]);
    expect(result.sensitive).toEqual([]);
  });

  test("a literal ${ in text is escaped when it is shown as source", () => {
    expect(renderExpression({ $expr: ["cost: ${", { env: "NAME" }] } as Expression)).toBe("cost: $${${NAME}");
    expect(value(text("cost: ${", { env: "NAME" }))).toEqual({ v: "cost: ${value" });
  });
});
