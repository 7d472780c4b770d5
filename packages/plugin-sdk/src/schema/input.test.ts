import { expect, test } from "vitest";
import type { JsonObject } from "@wfctl/model";
import { z } from "zod";
import { parseInput } from "./input.ts";

const schema = z.strictObject({
  path: z.string(),
  count: z.number().int().max(9).default(1),
  region: z.string().optional(),
  files: z.record(z.string(), z.strictObject({ mode: z.string() })).optional(),
  target: z.union([z.number(), z.strictObject({ host: z.string(), port: z.number() })]).optional(),
});

const violations = (config: JsonObject, unresolved: "allow" | "refuse" = "refuse"): string[] => {
  const parsed = parseInput(schema, config, { kind: "resource", unresolved });
  return "violations" in parsed ? parsed.violations.map(({ path, message }) => `${path}: ${message}`) : [];
};

test("every violation is listed with its dotted path", () => {
  expect(violations({ count: 12, files: { "a.txt": { mode: 7 } }, pth: "x" })).toEqual([
    "path: expected string, received undefined",
    "count: too big: expected number to be <=9",
    "files.a.txt.mode: expected string, received number",
    'pth: unknown key, did you mean "path"',
  ]);
});

test("an unknown key that is like no other gets no suggestion", () => {
  expect(violations({ path: "x", completely_different: 1 })).toEqual(["completely_different: unknown key"]);
});

test("of a union the branch that fits best tells what is wrong", () => {
  expect(violations({ path: "x", target: { host: "h", port: "p" } })).toEqual([
    "target.port: expected number, received string",
  ]);
});

test("a key that a map refuses is named with the reason", () => {
  const map = z.strictObject({
    files: z.record(z.string().regex(/^[a-z]+$/, { error: "expected letters" }), z.string()),
  });
  const parsed = parseInput(map, { files: { "1": "x" } }, { kind: "resource", unresolved: "refuse" });
  expect(parsed).toEqual({ violations: [{ path: "files.1", message: "expected letters" }] });
});

test("reserved keys pass unless the schema has them as its own", () => {
  expect(violations({ path: "x", provider: 1, size: 2, name: 3 })).toEqual([]);
  expect(violations({ path: "x", region: 1 })).toEqual(["region: expected string, received number"]);
});

test("values that are known only later are not checked, where that is allowed", () => {
  const later = { path: "x", count: "${a.count}", target: { $expr: [{ resource: "a", path: "b" }] } };
  expect(violations(later)).toContain("count: expected number, received string");
  expect(violations(later, "allow")).toEqual([]);
  expect(violations({ ...later, files: { a: { mode: 1 } } }, "allow")).toEqual([
    "files.a.mode: expected string, received number",
  ]);
  expect(violations({ path: "x", count: "$${a.count}" }, "allow")).toHaveLength(1);
});

test("no violation quotes a value", () => {
  expect(violations({ path: "x", count: "hunter2", target: "hunter2", files: "hunter2" }).join()).not.toContain(
    "hunter2",
  );
});
