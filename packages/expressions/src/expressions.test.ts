import { describe, expect, test } from "vitest";
import { compute, ExpressionError, findClosing, readReferences, type ComputeContext } from "./index.ts";

const context: ComputeContext = {
  variables: { tier: "prod", count: 3, zones: ["a", "b"] },
  env: { HOME: "/root" },
  outputs: {
    db: { host: "db.local", port: 5432, replicas: [{ host: "r0" }, { host: "r1" }], "tls.mode": "on", ratio: 0.5 },
    "orders-db": { uri: "pg://orders" },
  },
};

function problemOf(work: () => unknown): ExpressionError {
  try {
    work();
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("values", () => {
  test.each<[string, unknown]>([
    ["db.port + 1", 5433],
    ["db.ratio * 2.0", 1],
    ['resource["orders-db"].uri', "pg://orders"],
    ['db["tls.mode"]', "on"],
    ["db.replicas[1].host", "r1"],
    ["db.replicas.map(r, r.host)", ["r0", "r1"]],
    ['var.tier == "prod" ? "l" : "s"', "l"],
    ["var.zones.filter(z, z != 'a')", ["b"]],
    ['"var.tier is " + var.tier', "var.tier is prod"],
    ["env.HOME + '/x'", "/root/x"],
    ['{"port": db.port, "list": [1, "a", null]}', { port: 5432, list: [1, "a", null] }],
    ["db.?missing.orValue(7)", 7],
    ["has(db.missing)", false],
    ["uint(7)", 7],
    ["toJson({'b': 1, 'a': [true]})", '{"b":1,"a":[true]}'],
    ['fromJson(\'{"a": {"b": 2}}\').a.b', 2],
    ["base64Decode(base64Encode('grüße'))", "grüße"],
    ["merge({'a': 1, 'b': 1}, {'b': 2})", { a: 1, b: 2 }],
    ["keys({'b': 1, 'a': 2})", ["a", "b"]],
    ["flatten([[1], [2, 3]])", [1, 2, 3]],
    ["distinct(['a', 'b', 'a'])", ["a", "b"]],
    ["sort(['b', 'a'])", ["a", "b"]],
    ["range(var.count).map(i, cidrSubnet('10.0.0.0/16', 8, i))", ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]],
    ["cidrHost('10.0.2.0/24', -2)", "10.0.2.254"],
    ["'a-b'.replace('-', '$&')", "a$&b"],
    ["coalesce(null, 'x')", "x"],
    ["cel.bind(h, db.host, h + h)", "db.localdb.local"],
  ])("%s", (expression, expected) => {
    expect(compute(expression, context)).toEqual(expected);
  });

  test.each([
    ["db.port + 1.5", "Whole numbers and decimals do not mix"],
    ["'a' + db.port", "Numbers and text do not mix"],
    ["db.hots", "Check the name"],
    ["nowhere.x", ""],
    ["fromJson('secret-text')", ""],
    ["cidrSubnet('10.0.0.0/30', 8, 0)", ""],
    ["timestamp('2020-01-01T00:00:00Z')", "A value is"],
    ["db.constructor", "Check the name"],
    ["range(100000)", ""],
    ["9007199254740993", "A value is"],
  ])("%s is refused", (expression, hint) => {
    const problem = problemOf(() => compute(expression, context));
    expect(problem.hint).toContain(hint);
    expect(problem.message).not.toContain("v_r");
  });

  test("an error of fromJson does not repeat the text", () => {
    const problem = problemOf(() => compute("fromJson('hunter2-hunter2')", context));
    expect(problem.message).toContain("no JSON");
    expect(problem.message).not.toContain("hunter2");
  });
});

describe("references", () => {
  const names = (expression: string): string[] =>
    readReferences(expression).map((reference) =>
      "variable" in reference
        ? `var.${reference.variable}`
        : "env" in reference
          ? `env.${reference.env}`
          : `${reference.resource}/${reference.path}`,
    );

  test.each<[string, string[]]>([
    ["db.host + db.host", ["db/host"]],
    ["a.list.map(v, v.x + b.y)", ["a/list", "b/y"]],
    ["cel.bind(a, b.c, a.d)", ["b/c"]],
    ['resource["x-y"].z[0].w', ["x-y/z"]],
    ["var.on ? a.b : c.d", ["var.on", "a/b", "c/d"]],
    ["has(a.b) && a.?c.orValue(false)", ["a/b", "a/c"]],
    ["a.list[b.index]", ["a/list", "b/index"]],
    ["{'k': env.HOME, 'l': [a.b]}", ["env.HOME", "a/b"]],
    ["f.map(f, f.x)".replace("f.map", "f.l.map"), ["f/l"]],
    ["1 + 2", []],
  ])("%s", (expression, expected) => {
    expect(names(expression)).toEqual(expected);
  });

  test.each(["db", "db[var.key]", "resource['db']", "var", "size(env)"])(
    "%s does not say what it needs",
    (expression) => {
      expect(problemOf(() => readReferences(expression)).message).toContain("without saying what of it");
    },
  );

  test("a mistake is found where it stands", () => {
    expect(problemOf(() => readReferences("var.a + +")).offset).toBeGreaterThanOrEqual(8);
    expect(problemOf(() => readReferences("  ")).message).toBe("The expression is empty");
  });
});

describe("the end of an expression in a text", () => {
  test.each<[string, number]>([
    ["a }} b", 2],
    ["{'a': {'b': 1}} }}", 16],
    ["'}}' + \"}}\" }}", 12],
    ["r'\\' }}", 5],
    ["'a\\'}}' }}", 8],
    ["a } b", -1],
    ["a", -1],
  ])("%s", (text, expected) => {
    expect(findClosing(text, 0)).toBe(expected);
  });
});

describe("what an expression may give", () => {
  const many = "range(400).map(i, range(400))";

  test("is bounded in values and in length", () => {
    expect(problemOf(() => compute(many, context)).message).toContain("the result has more than 100000 values");
    const long = "[1].map(i, 'x'.replace('x', env.LONG))";
    const large = { ...context, env: { LONG: "y".repeat(10_000_001) } };
    expect(problemOf(() => compute(long, large)).message).toContain("the result is longer than 10000000 characters");
    expect(compute("range(1000).map(i, i)", context)).toHaveLength(1000);
  });

  test("what may take long is run by whoever bounds it, and nothing else is", () => {
    let runs = 0;
    const count = <T>(run: () => T): T => {
      runs += 1;
      return run();
    };
    for (const expression of ["db.port + 1", 'db.host + "map(x)"', "has(db.host)"]) compute(expression, context, count);
    expect(runs).toBe(0);
    const long = ["range(2).map(i, i)", 'db.host.matches("d")', '"a".replace("a", "b")', "[1] . filter(x, x > 1)"];
    for (const expression of long) compute(expression, context, count);
    expect(runs).toBe(long.length);
  });

  test("long texts go through base64 and back", () => {
    const text = "é".repeat(200_000);
    const whole = { ...context, env: { TEXT: text } };
    expect(compute("base64Decode(base64Encode(env.TEXT))", whole)).toBe(text);
    for (const bad of ['base64Decode("!!!")', 'base64Decode("/w==")']) {
      expect(problemOf(() => compute(bad, context)).message).toContain("no base64 of a text in UTF-8");
    }
  });
});
