import { expect, test } from "vitest";
import { ExpressionError } from "@wfctl/expressions";
import type { ComputedPart, JsonObject } from "@wfctl/model";
import { evaluate, outputOf } from "./evaluate.ts";

const record = {
  providerId: "id-1",
  outputs: { port: 5432, password: "hunter22", list: [{ a: 1 }] },
  sensitiveOutputs: ["password"],
};
const scope = {
  bounded: <T>(run: () => T) => run(),
  env: { HOME: "/root", "var.secret": "s3cret" },
  output: (name: string, path: string) => (name === "db" ? outputOf(record, path) : undefined),
};
function run(...parts: (string | ComputedPart)[]): ReturnType<typeof evaluate> {
  return evaluate({ x: { $expr: parts } as unknown as JsonObject }, scope);
}

test("the value of an expression keeps its type, and is text inside of text", () => {
  const part: ComputedPart = {
    computed: "db.port + var.n",
    refs: [{ resource: "db", path: "port" }],
    variables: { n: 2 },
  };
  expect(run(part).value).toEqual({ x: 5434 });
  expect(run("p:", part).value).toEqual({ x: "p:5434" });
});

test("a resource goes by the name in the text", () => {
  const refs = [{ resource: "db", path: "id", as: "orders-db" }];
  expect(run({ computed: 'resource["orders-db"].id', refs }).value).toEqual({ x: "id-1" });
});

test("an expression is as secret as anything that it refers to", () => {
  const refs = [{ resource: "db", path: "password" }];
  expect(run({ computed: "size(db.password)", refs })).toMatchObject({ value: { x: 8 }, sensitive: ["/x"] });
  expect(run({ computed: "var.secret + '!'", refs: [{ env: "var.secret" }] })).toMatchObject({
    value: { x: "s3cret!" },
    sensitive: ["/x"],
  });
  expect(run({ computed: "db.port", refs: [{ resource: "db", path: "port" }] }).sensitive).toEqual([]);
});

test("what has no value is listed, and the text stays", () => {
  const refs = [
    { resource: "db", path: "host" },
    { resource: "api", path: "url" },
  ];
  const result = run({ computed: " db.host + api.url ", refs });
  expect(result.value).toEqual({ x: "${{ db.host + api.url }}" });
  expect(result.unresolved.map(({ part }) => part)).toEqual(["db.host", "api.url"]);
});

test("what takes too long for its bound says so, and one that ends at once is not put into it", () => {
  const refs = [{ resource: "db", path: "password" }];
  const bounded = (): never => {
    throw new ExpressionError("The expression is not evaluated: it takes longer than 5 s", 0, "");
  };
  const within = (computed: string): ReturnType<typeof run> =>
    evaluate({ x: { $expr: [{ computed, refs }] } }, { ...scope, bounded });
  expect(within("db.password.matches('(a+)+!')").unresolved[0]?.part).toBe(
    "${{db.password.matches('(a+)+!')}}: The expression is not evaluated: it takes longer than 5 s",
  );
  expect(within("db.password + '!'")).toMatchObject({ value: { x: "hunter22!" }, unresolved: [] });
});

test("what cannot be evaluated says why, without a value", () => {
  const result = run({ computed: "db.password + 1", refs: [{ resource: "db", path: "password" }] });
  expect(result.unresolved).toHaveLength(1);
  expect(result.unresolved[0]?.part).toMatch(/^\$\{\{db\.password \+ 1\}\}: The expression cannot be evaluated/);
  expect(JSON.stringify(result)).not.toContain("hunter22");
});
