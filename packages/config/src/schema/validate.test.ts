/* oxlint-disable no-template-curly-in-string, unicorn/no-thenable -- texts of stack files, keywords of JSON Schema */
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "@wfctl/model";
import { lineOf, loadGood } from "../testing/load-text.ts";
import { validateAgainstSchema, type ValidateOptions } from "./validate.ts";

const reference: JsonObject = { $expr: [{ resource: "db", path: "id" }] };
const lines = (config: JsonObject, schema: JsonObject, options?: ValidateOptions): string[] =>
  validateAgainstSchema(config, schema, options).map(lineOf);

const database: JsonObject = {
  type: "object",
  additionalProperties: false,
  required: ["engine"],
  properties: {
    engine: { enum: ["postgres", "mysql"] },
    port: { type: "integer", minimum: 1, maximum: 65535 },
    storage: { type: "number", multipleOf: 10 },
    multi_az: { type: "boolean" },
    name: { type: "string", minLength: 3, maxLength: 5, pattern: "^[a-z]+$", description: "Small letters" },
    tags: { type: "object", additionalProperties: { type: "string" } },
    subnets: { type: "array", items: { type: "string" }, minItems: 1, uniqueItems: true },
    rule: { $ref: "#/$defs/rule" },
  },
  $defs: {
    rule: {
      type: "object",
      required: ["from"],
      properties: { from: { type: "string" }, next: { $ref: "#/$defs/rule" } },
      additionalProperties: false,
    },
  },
};

describe("a config that does not fit", () => {
  test.each<[string, JsonObject, string[]]>([
    [
      "an unknown key",
      { engine: "mysql", prot: 5 },
      ['CONFIG_INVALID #/config/prot: The key "prot" is not known in the config (Did you mean "port"?)'],
    ],
    ["a missing key", {}, ['CONFIG_INVALID #/config: The config has no "engine" (Add engine: with a value)']],
    [
      "a word that is none of those",
      { engine: "postgrs" },
      [
        'CONFIG_INVALID #/config/engine: "engine" is "postgrs", expected one of "postgres", "mysql" (Did you mean "postgres"?)',
      ],
    ],
    [
      "types",
      { engine: "mysql", port: "80", multi_az: "yes", tags: [], subnets: "a" },
      [
        'CONFIG_INVALID #/config/port: "port" is text, expected a whole number (Write it without quotes)',
        'CONFIG_INVALID #/config/multi_az: "multi_az" is text, expected true or false (Write it without quotes)',
        'CONFIG_INVALID #/config/tags: "tags" is a list, expected a mapping',
        'CONFIG_INVALID #/config/subnets: "subnets" is text, expected a list (Write it as a list: [a])',
      ],
    ],
    [
      "numbers",
      { engine: "mysql", port: 1.5, storage: 15 },
      [
        'CONFIG_INVALID #/config/port: "port" is the number 1.5, expected a whole number',
        'CONFIG_INVALID #/config/storage: "storage" is 15, expected a multiple of 10',
      ],
    ],
    [
      "bounds",
      { engine: "mysql", port: 70000 },
      ['CONFIG_INVALID #/config/port: "port" is 70000, expected at most 65535'],
    ],
    [
      "texts, without showing them",
      { engine: "mysql", name: "ABCDEFG" },
      [
        'CONFIG_INVALID #/config/name: "name" has 7 characters, expected at most 5',
        'CONFIG_INVALID #/config/name: "name" does not have the form that is expected: ^[a-z]+$ (Small letters)',
      ],
    ],
    [
      "members of maps and lists",
      { engine: "mysql", tags: { a: 1 }, subnets: ["x", 2, "x"] },
      [
        'CONFIG_INVALID #/config/tags/a: "a" is the number 1, expected text (Write it in quotes)',
        'CONFIG_INVALID #/config/subnets/1: An item of "subnets" is the number 2, expected text (Write it in quotes)',
        'CONFIG_INVALID #/config/subnets/2: An item of "subnets" is there twice, first as item 1',
      ],
    ],
    [
      "an empty list",
      { engine: "mysql", subnets: [] },
      ['CONFIG_INVALID #/config/subnets: "subnets" has 0 items, expected at least 1'],
    ],
    [
      "behind references of the schema",
      { engine: "mysql", rule: { from: "a", next: { form: "b" } } },
      [
        'CONFIG_INVALID #/config/rule/next/form: The key "form" is not known in the config (Did you mean "from"?)',
        'CONFIG_INVALID #/config/rule/next: "next" has no "from" (Add from: with a value)',
      ],
    ],
  ])("%s", (_, config, expected) => {
    expect(lines(config, database)).toEqual(expected);
  });

  test("is found at its place, its keys at theirs", async () => {
    const stack = await loadGood(
      "modules:\n  - {name: p, type: iac.provider, config: {provider: x}}\n  - name: db\n    type: infra.database\n    config:\n      engine: mysql\n      prot: 1\n    environments: {prod: {config: {port: 0}}}\n",
      { environment: "prod" },
    );
    const [db] = stack.resources;
    if (db === undefined) throw new Error("no resource");
    const locate: ValidateOptions["locate"] = (pointer, at) => stack.locate(db.name, pointer, at);
    expect(lines(db.config as JsonObject, database, { address: db.name, type: db.type, locate })).toEqual([
      'CONFIG_INVALID infra.yaml:7:7 db#/config/prot: The key "prot" is not known in the config of infra.database (Did you mean "port"?)',
      'CONFIG_INVALID infra.yaml:8:42 db#/config/port: "port" is 0, expected at least 1',
    ]);
  });

  test("never shows what is sensitive", () => {
    const schema: JsonObject = {
      properties: {
        password: { enum: ["x"] },
        pin: { minimum: 9, writeOnly: true },
        deep: { properties: { key: { const: 1 } } },
      },
    };
    const found = lines({ password: "hunter2", pin: 4711, deep: { key: "hunter3" } }, schema, {
      sensitive: ["password", "deep"],
    });
    expect(found).toHaveLength(2);
    expect(found.join()).not.toMatch(/hunter/);
    expect(lines({ pin: 4 }, schema).join()).not.toMatch(/\b4\b/);
  });
});

describe("what is known only later", () => {
  test("fits everything for now", () => {
    const config = {
      engine: reference,
      port: reference,
      tags: reference,
      subnets: [reference, reference],
      rule: { from: reference },
    };
    expect(lines({ ...config, subnets: [reference] }, database)).toEqual([]);
    expect(lines(config, database)).toEqual([
      'CONFIG_INVALID #/config/subnets/1: An item of "subnets" is there twice, first as item 1',
    ]);
  });

  test("does not excuse what is wrong beside it", () => {
    expect(lines({ engine: reference, prot: reference, rule: { next: reference } }, database)).toEqual([
      'CONFIG_INVALID #/config/prot: The key "prot" is not known in the config (Did you mean "port"?)',
      'CONFIG_INVALID #/config/rule: "rule" has no "from" (Add from: with a value)',
    ]);
  });

  test.each<[string, JsonObject, JsonObject, number]>([
    [
      "one of several forms",
      { oneOf: [{ properties: { a: { const: 1 } } }, { properties: { a: { const: 2 } } }] },
      { a: reference },
      0,
    ],
    [
      "one of several forms, none of which can fit",
      { oneOf: [{ required: ["b"] }, { required: ["c"] }] },
      { a: reference },
      1,
    ],
    [
      "two forms that both fit for certain",
      { oneOf: [{ required: ["a"] }, { properties: { b: { const: 1 } } }] },
      { a: reference },
      1,
    ],
    [
      "any of several forms",
      { anyOf: [{ properties: { a: { const: 1 } } }, { required: ["z"] }] },
      { a: reference },
      0,
    ],
    ["a form that is not allowed", { not: { properties: { a: { const: 1 } }, required: ["a"] } }, { a: reference }, 0],
    ["a form that is not allowed for certain", { not: { required: ["a"] } }, { a: reference }, 1],
    [
      "a condition",
      { if: { properties: { a: { const: 1 } } }, then: { required: ["b"] }, else: { required: ["c"] } },
      { a: reference },
      0,
    ],
    ["an item that must be there", { properties: { a: { contains: { const: 1 } } } }, { a: [2, reference] }, 0],
    ["an item that cannot be there", { properties: { a: { contains: { const: 1 } } } }, { a: [2, 3] }, 1],
    [
      "a value that is one of several whole ones",
      { properties: { a: { enum: [{ x: 1 }] } } },
      { a: { x: reference } },
      0,
    ],
  ])("%s", (_, schema, config, count) => {
    expect(lines(config, schema)).toHaveLength(count);
  });
});

describe("keys that the host reads", () => {
  const host = {
    provider: "p",
    iac_provider: "p",
    size: "s",
    depends_on: ["a"],
    protected: true,
    adopt_existing: true,
    region: "r",
    name: "n",
  };

  test("need not be in the schema", () => {
    expect(lines({ engine: "mysql", ...host, name: "abc" }, database)).toEqual([]);
    expect(lines(host, { additionalProperties: { type: "number" }, propertyNames: { pattern: "^x" } })).toEqual([]);
  });

  test("are checked where the schema has them, and suggested", () => {
    expect(lines({ size: 5 }, { properties: { size: { type: "string" } } })).toHaveLength(1);
    expect(lines({ engine: "mysql", regoin: "x" }, database)[0]).toContain('Did you mean "region"?');
  });

  test("mean nothing further inside", () => {
    expect(lines({ engine: "mysql", rule: { from: "a", region: "x" } }, database)).toHaveLength(1);
  });
});

test("schemas that cannot be followed fit everything", () => {
  expect(lines({ a: 1 }, { $ref: "#" })).toEqual([]);
  expect(
    lines({ a: 1 }, { properties: { a: { $ref: "https://example.org/x.json" }, b: { $ref: "#/nowhere" } } }),
  ).toEqual([]);
  expect(lines({ a: "x" }, { properties: { a: { pattern: "[" } } })).toEqual([]);
});

test("keys of prototypes are keys like any other", () => {
  expect(lines({ constructor: 1 }, { properties: {}, additionalProperties: false })).toHaveLength(1);
  expect(lines({}, { required: ["toString"] })).toHaveLength(1);
});

const runs = 500;
const scalar = fc.constantFrom<Json>(null, true, false, 0, 1, 2.5, -3, "", "a", "b", "abc", "é😀");
const anyValue: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3 }),
  ),
})).value;
const key = fc.constantFrom("a", "b", "c");
// The other validator (8.17.1) forgets "contains" beside "prefixItems" for an empty list.
const withoutMixedItems = (schema: object): object =>
  "prefixItems" in schema ? Object.fromEntries(Object.entries(schema).filter(([name]) => name !== "contains")) : schema;
const count = fc.integer({ min: 0, max: 3 });
const anySchema: fc.Arbitrary<Json> = fc.letrec<{ schema: Json }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.boolean(),
    fc.record(
      {
        type: fc.oneof(
          fc.constantFrom<Json>("string", "number", "integer", "boolean", "object", "array", "null"),
          fc.uniqueArray(fc.constantFrom<Json>("string", "integer", "object", "array", "null"), {
            minLength: 1,
            maxLength: 3,
          }),
        ),
        enum: fc.uniqueArray(scalar, { minLength: 1, maxLength: 4, selector: (item) => JSON.stringify(item) }),
        const: scalar,
        minimum: count,
        exclusiveMaximum: count,
        multipleOf: fc.constantFrom(1, 0.5, 2),
        minLength: count,
        maxLength: count,
        pattern: fc.constantFrom("^a", "b$", "."),
        minItems: count,
        maxItems: count,
        uniqueItems: fc.boolean(),
        minProperties: count,
        maxProperties: count,
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Json>,
    fc
      .record(
        {
          properties: fc.dictionary(key, tie("schema"), { maxKeys: 3 }),
          patternProperties: fc.dictionary(fc.constantFrom("^a", "[bc]"), tie("schema"), { maxKeys: 2 }),
          additionalProperties: tie("schema"),
          propertyNames: tie("schema"),
          required: fc.uniqueArray(key, { maxLength: 2 }),
          dependentRequired: fc.dictionary(key, fc.uniqueArray(key, { maxLength: 2 }), { maxKeys: 2 }),
          dependentSchemas: fc.dictionary(key, tie("schema"), { maxKeys: 2 }),
          prefixItems: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }),
          items: tie("schema"),
          contains: tie("schema"),
          allOf: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }),
          anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }),
          oneOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }),
          not: tie("schema"),
          if: tie("schema"),
          then: tie("schema"),
          else: tie("schema"),
        },
        { requiredKeys: [] },
      )
      .map(withoutMixedItems) as fc.Arbitrary<Json>,
  ),
})).schema;

test("without references the verdict is that of an independent validator", () => {
  const ajv = new Ajv2020({ strict: false, logger: false });
  const ask = (schema: JsonObject, value: Json): boolean | undefined => {
    try {
      return ajv.compile(schema)({ value }) as boolean;
    } catch {
      // Some schemas make it generate code that does not run.
      return undefined;
    } finally {
      ajv.removeSchema();
    }
  };
  let compared = 0;
  fc.assert(
    fc.property(anySchema, anyValue, (schema, value) => {
      const wrapped = { properties: { value: schema } } as JsonObject;
      const expected = ask(wrapped, value);
      if (expected === undefined) return;
      compared += 1;
      expect(validateAgainstSchema({ value }, wrapped).length === 0).toBe(expected);
    }),
    { numRuns: runs },
  );
  expect(compared).toBeGreaterThan(runs / 2);
});

test("what is refused with a reference is refused with every value in its place", () => {
  fc.assert(
    fc.property(anySchema, anyValue, anyValue, (schema, value, substitute) => {
      const wrapped = { properties: { value: schema } } as JsonObject;
      const replaceFirst = (tree: Json, by: Json): Json => {
        if (Array.isArray(tree)) return tree.map((item: Json, index) => (index === 0 ? by : item));
        if (tree !== null && typeof tree === "object" && "a" in tree) return { ...(tree as JsonObject), a: by };
        return by;
      };
      const early = validateAgainstSchema({ value: replaceFirst(value, reference) }, wrapped);
      if (early.length === 0) return;
      // Two references that are equal are equal in the end; a substitute may differ from its neighbours, but never mends.
      expect(validateAgainstSchema({ value: replaceFirst(value, substitute) }, wrapped)).not.toEqual([]);
    }),
    { numRuns: runs },
  );
});
