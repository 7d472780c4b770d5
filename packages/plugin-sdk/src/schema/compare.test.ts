import { describe, expect, test } from "vitest";
import type { JsonObject } from "@wfctl/model";
import { defineResource, notFound, z } from "../index.ts";
import { compareInputs } from "./compare.ts";
import { requireInput } from "./input.ts";
import { sealValue } from "./sealed.ts";

const resource = defineResource({
  type: "test.box",
  description: "",
  input: z.strictObject({
    mode: z.string().default("0755"),
    port: z.union([z.number(), z.string()]).optional(),
    note: z.string().optional(),
    enabled: z.boolean().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    health: z.strictObject({ path: z.string(), seconds: z.number().optional() }).optional(),
    rules: z.array(z.strictObject({ port: z.number(), from: z.string().optional() })).optional(),
    zones: z.array(z.string()).optional(),
    password: z.string().optional(),
  }),
  outputs: z.object({}),
  forceNew: ["mode", "health.path"],
  writeOnly: ["password"],
  sensitiveInputs: ["password"],
  unordered: ["zones"],
  resetWhenUnset: ["health"],
  create: async () => ({ id: "1", outputs: {} }),
  read: async () => notFound(),
  update: async () => notFound(),
  delete: async () => undefined,
});

function paths(config: JsonObject, known: { inputs?: JsonObject; outputs?: JsonObject }): string[] {
  return compare(config, known).changes.map(({ path }) => path);
}

function compare(config: JsonObject, known: { inputs?: JsonObject; outputs?: JsonObject }) {
  const input = requireInput<JsonObject>(resource.input, config, "box", { kind: "resource", unresolved: "allow" });
  const desired = { name: "b", input, size: undefined, hints: undefined, dependsOn: [] };
  return compareInputs(resource, desired, { id: "1", outputs: known.outputs ?? {}, inputs: known.inputs });
}

describe("the default diff", () => {
  test.each<[string, JsonObject, JsonObject]>([
    ["equal values", { note: "a", labels: { x: "1" } }, { note: "a", labels: { x: "1" } }],
    ["a default that the record does not hold", {}, {}],
    ["a default that the record spells out", { mode: "0755" }, {}],
    ["a number and its text", { port: 8080 }, { port: "8080" }],
    ["a text and its number", { port: "08080.0" }, { port: 8080 }],
    ["an optional key that the configuration leaves to the cloud", {}, { note: "set by the cloud", enabled: true }],
    ["an optional key inside an object", { health: { path: "/" } }, { health: { path: "/", seconds: 5 } }],
    ["empty and absent", { labels: {}, rules: [] }, {}],
    ["absent and empty", {}, { labels: {}, zones: [] }],
    ["a list in another order where order means nothing", { zones: ["a", "b"] }, { zones: ["b", "a"] }],
    ["optional keys inside a list", { rules: [{ port: 1 }] }, { rules: [{ port: 1, from: "any" }] }],
    ["a placeholder of a routed secret", { note: "s3cret" }, { note: "secret_ref://box__note" }],
    ["the seal of the same secret", { password: "s3cret" }, { password: sealValue("s3cret") }],
    ["write-only in what was read", { password: "s3cret" }, { note: "n" }],
    ["a mark for what cannot be read", { password: "s3cret" }, { password: "(write-only)" }],
  ])("is quiet for %s", (_name, config, inputs) => {
    expect(compare(config, { inputs })).toEqual({ changes: [], needsUpdate: false, needsReplace: false });
  });

  test.each<[string, JsonObject, JsonObject, string[]]>([
    ["a changed value", { note: "b" }, { note: "a" }, ["note"]],
    ["a new key", { note: "b" }, {}, ["note"]],
    ["false against nothing", { enabled: false }, {}, ["enabled"]],
    ["an entry added to a map", { labels: { a: "1", b: "2" } }, { labels: { a: "1" } }, ["labels.b"]],
    ["an entry dropped from a map", { labels: { a: "1" } }, { labels: { a: "1", b: "2" } }, ["labels.b"]],
    ["all entries dropped from a map", { labels: {} }, { labels: { a: "1" } }, ["labels.a"]],
    ["a change inside an object", { health: { path: "/x" } }, { health: { path: "/" } }, ["health.path"]],
    ["an object dropped that is reset then", {}, { health: { path: "/" } }, ["health"]],
    [
      "a list in another order",
      { rules: [{ port: 1 }, { port: 2 }] },
      { rules: [{ port: 2 }, { port: 1 }] },
      ["rules"],
    ],
    ["an unordered list with other members", { zones: ["a", "a"] }, { zones: ["a", "b"] }, ["zones"]],
    ["another secret than the sealed one", { password: "new" }, { password: sealValue("old") }, ["password"]],
    [
      "a secret added where the host says beside what was read that it never sent one",
      { password: "new" },
      { iac_provider: "p", note: "n" },
      ["password"],
    ],
    [
      "another secret than the one that the host sent last",
      { password: "new" },
      { iac_provider: "p", note: "n", password: "old" },
      ["password"],
    ],
    ["a secret added to recorded inputs", { password: "new" }, { provider: "p" }, ["password"]],
    ["a number and a text that is none", { port: "http" }, { port: 80 }, ["port"]],
    ["a number and an empty text", { port: "" }, { port: 0 }, ["port"]],
  ])("tells of %s", (_name, config, inputs, expected) => {
    expect(paths(config, { inputs })).toEqual(expected);
  });

  test("a path that forces a new object does, and so does one below it", () => {
    expect(compare({ mode: "0700" }, { inputs: {} })).toMatchObject({ needsReplace: true });
    expect(compare({ health: { path: "/x" } }, { inputs: { health: { path: "/" } } })).toMatchObject({
      needsReplace: true,
      changes: [{ path: "health.path", old: "/", new: "/x", forceNew: true }],
    });
  });

  test("a value that is not known yet is a change, but never a replacement", () => {
    expect(compare({ mode: "${net.mode}" }, { inputs: {} })).toMatchObject({
      needsUpdate: true,
      needsReplace: false,
      changes: [{ path: "mode", forceNew: false }],
    });
    const unknown = { health: { $expr: [{ resource: "a", path: "b" }] } };
    expect(paths(unknown, { inputs: { health: { path: "/" } } })).toEqual(["health"]);
  });

  test("secret paths are marked", () => {
    const { changes } = compare({ password: "new" }, { inputs: { password: "old" } });
    expect(changes).toMatchObject([{ path: "password", sensitive: true }]);
  });

  test("with outputs alone, only keys that both have are compared", () => {
    expect(paths({ note: "b", enabled: true }, { outputs: { note: "a", id: "1" } })).toEqual(["note"]);
    expect(paths({ note: "a", enabled: true }, { outputs: { note: "a" } })).toEqual([]);
  });

  test("inputs that an output carries are as good as inputs, live ones are better", () => {
    const outputs = { applied_config: { note: "a" } };
    expect(paths({ note: "b", enabled: true }, { outputs })).toEqual(["note", "enabled"]);
    expect(paths({ note: "b" }, { outputs, inputs: { note: "b" } })).toEqual([]);
  });
});
