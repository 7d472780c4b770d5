/* oxlint-disable no-template-curly-in-string -- texts of stack files */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "@wfctl/model";
import { readSource } from "../source/source-file.ts";
import { loadText } from "../testing/load-text.ts";
import { stackSchema } from "./stack-schema.ts";

const testdata = fileURLToPath(new URL("../testdata", import.meta.url));

const database: JsonObject = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "https://example.org/database.json",
  type: "object",
  additionalProperties: false,
  required: ["engine"],
  properties: {
    engine: { enum: ["postgres"] },
    port: { type: "integer" },
    sources: { type: "array", items: { $ref: "#/$defs/source" } },
  },
  $defs: { source: { type: "object", properties: { port: { type: "integer" } }, additionalProperties: false } },
};

function check(
  value: Json | undefined,
  types?: ReadonlyMap<string, JsonObject>,
  unchecked?: readonly string[],
): string[] {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
  const validate = ajv.compile(stackSchema(types, unchecked));
  validate(value);
  return [
    ...new Set(
      (validate.errors ?? []).filter(({ keyword }) => keyword !== "if").map(({ instancePath }) => instancePath),
    ),
  ];
}
const read = async (text: string): Promise<Json | undefined> => (await readSource("/x/f.yaml", "/x", text)).value;

test("every stack file of the tests fits", async () => {
  const files = (await readdir(testdata, { recursive: true })).filter((file) => file.endsWith(".yaml"));
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    // oxlint-disable-next-line no-await-in-loop -- a handful of files
    expect(check(await read(await readFile(`${testdata}/${file}`, "utf8"))), file).toEqual([]);
  }
});

describe("what the schema refuses, the loader refuses", () => {
  const module = (rest: string): string =>
    `modules:\n  - {name: p, type: iac.provider, config: {provider: x}}\n  - {name: a, ${rest}}\n`;
  test.each<[string, string]>([
    ["modulse: []\nmodules: []\n", ""],
    ["modules: 5\n", "/modules"],
    ["modules: [5]\n", "/modules/0"],
    ["modules: [{name: a}]\n", "/modules/0"],
    ["name: a b\nmodules: []\n", "/name"],
    ["on_failure: explode\nmodules: []\n", "/on_failure"],
    ["infra: {boot: true}\nmodules: []\n", "/infra"],
    ["moved: [{from: a}]\nmodules: []\n", "/moved/0"],
    ["secrets: {entries: [{nam: a}]}\nmodules: []\n", "/secrets/entries/0"],
    ["secretStores: {a: {providers: x}}\nmodules: []\n", "/secretStores/a"],
    ["environments: {prod: {regoin: x}}\nmodules: []\n", "/environments/prod"],
    ["modules: [{name: p, type: iac.provider}]\n", "/modules/0"],
    [module("type: infra.vpc, proteced: true"), "/modules/1"],
    [module("type: infra.vpc, protected: 5"), "/modules/1/protected"],
    [module("type: infra.vpc, timeouts: {create: 30x}"), "/modules/1/timeouts/create"],
    [module("type: infra.vpc, lifecycle: {replace: now}"), "/modules/1/lifecycle/replace"],
    [module("type: infra.vpc, config: {size: 5}"), "/modules/1/config/size"],
    [module("type: infra.vpc, config: {depends_on: a}"), "/modules/1/config/depends_on"],
    [module("type: infra.vpc, environments: {prod: {size: s}}"), "/modules/1/environments/prod"],
    [module("type: infra.vpc, name: x/y").replace("name: a, ", ""), "/modules/1/name"],
  ])("%j", async (text, place) => {
    expect(check(await read(text))).toContain(place);
    expect((await loadText(text, { environment: text.includes("prod") ? "prod" : "" })).stack).toBeUndefined();
  });
});

describe("with schemas of resource types", () => {
  const types = new Map([["infra.database", database]]);
  const config = (text: string): Promise<Json | undefined> =>
    read(`modules: [{name: a, type: infra.database, config: ${text}}]`);

  test("configs are checked", async () => {
    expect(check(await config("{engine: postgres, port: 5}"), types)).toEqual([]);
    expect(check(await config("{engine: postgres, prot: 5}"), types)).toEqual(["/modules/0/config"]);
    expect(check(await config("{engine: postgres, port: many}"), types)).toEqual(["/modules/0/config/port"]);
    expect(check(await config("{engine: postgres, sources: [{prot: 1}]}"), types)).toContain(
      "/modules/0/config/sources/0",
    );
  });

  test("references may stand for every value", async () => {
    expect(
      check(await config("{engine: $ENGINE, port: '${x.port}', sources: ['${a.b}', {port: '${c.d}'}]}"), types),
    ).toEqual([]);
  });

  test("keys that the host reads are known", async () => {
    expect(check(await config("{engine: postgres, provider: p, size: s, region: r, depends_on: [x]}"), types)).toEqual(
      [],
    );
  });

  test("other types are left alone", async () => {
    expect(check(await read("modules: [{name: a, type: infra.cache, config: {any: thing}}]"), types)).toEqual([]);
  });
});

test("what a module holds whose provider's types are not known is not checked, and the others are", async () => {
  const types = new Map([["infra.database", database]]);
  const resource = (config: string): string =>
    `modules:\n  - {name: p, type: iac.provider, config: {provider: x}}\n  - {name: a, type: infra.database, config: ${config}}\n`;
  const at = async (config: string): Promise<string[]> => check(await read(resource(config)), types, ["q", "r"]);
  for (const key of ["iac_provider", "provider"]) {
    // oxlint-disable-next-line no-await-in-loop -- two
    expect(await at(`{${key}: r, engine: other, foo: 1}`)).toEqual([]);
    // oxlint-disable-next-line no-await-in-loop -- two
    expect(await at(`{${key}: p, engine: other}`)).toContain("/modules/1/config/engine");
  }
  expect(await at("{engine: other}")).toContain("/modules/1/config/engine");
  expect(await at("{engine: postgres}")).toEqual([]);
});
