import type { DesiredResource, JsonObject, Value } from "@wfctl/model";
import { expect, test } from "vitest";
import { checkReferences } from "./check-references.ts";

const listed: JsonObject = { type: "object", properties: { host: { type: "string" }, port: { type: "number" } } };

function resource(name: string, config: Readonly<Record<string, Value>>): DesiredResource {
  return { name, type: "infra.database", provider: "cloud", config, dependsOn: [] } as unknown as DesiredResource;
}

function found(value: Value, outputs: JsonObject | undefined, recorded?: JsonObject): readonly string[] {
  return checkReferences({
    stack: {
      resources: [resource("db", {}), resource("user", { value })],
      outputs: { shown: { value, sensitive: false } },
      locate: () => ({ file: "infra.yaml", line: 3, column: 7 }),
    },
    providers: new Map([["cloud", { traits: () => (outputs === undefined ? {} : { outputs }) }]]),
    ...(recorded === undefined ? {} : { records: new Map([["db", { outputs: recorded }]]) }),
  }).map(({ summary, hint, source }) => `${source?.line ?? "-"} ${summary}: ${hint}`);
}

const reference = (path: string): Value => ({ $expr: [{ resource: "db", path }] });

test("an output that the type does not list is an error with its place and the likely name", () => {
  expect(found(reference("hosst"), listed)).toEqual([
    `3 "\${db.hosst}" refers to an output that infra.database does not have: Did you mean "host"?`,
    `- Output "shown": "\${db.hosst}" refers to an output that infra.database does not have: Did you mean "host"?`,
  ]);
});

test("listed outputs, parts of them and the id are fine", () => {
  for (const path of ["id", "host", "port", "host.name"]) expect(found(reference(path), listed)).toEqual([]);
});

test("nothing is said where the type lists nothing, may have more, or an object has the output already", () => {
  expect(found(reference("nope"), undefined)).toEqual([]);
  expect(found(reference("nope"), { ...listed, additionalProperties: {} })).toEqual([]);
  expect(found(reference("nope"), { ...listed, anyOf: [{}] })).toEqual([]);
  expect(found(reference("nope"), listed, { nope: 1 })).toEqual([]);
  expect(found(reference("nope"), { ...listed, additionalProperties: false })).toHaveLength(2);
});

test("an expression is checked too, but for what it asks for as optional", () => {
  const computed = (text: string): Value => ({ $expr: [{ computed: text, refs: [{ resource: "db", path: "tls" }] }] });
  expect(found(computed("db.tls + 1"), listed)).toHaveLength(2);
  expect(found(computed('db.?tls.orValue("off")'), listed)).toEqual([]);
});
