import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ResourceHints } from "@wfctl/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as iac from "../gen/workflow/plugin/external/iac/iac_pb.ts";
import { jsonObject, text } from "../testing/arbitraries.ts";
import * as codec from "./resource.ts";

const nonEmpty = text.filter((value) => value !== "");
const hints: fc.Arbitrary<ResourceHints> = fc.record(
  { cpu: nonEmpty, memory: nonEmpty, storage: nonEmpty },
  { noNullPrototype: true, requiredKeys: [] },
);
const spec: fc.Arbitrary<codec.Spec> = fc.record(
  { name: text, type: text, config: jsonObject, size: nonEmpty, hints, dependsOn: fc.array(text, { maxLength: 3 }) },
  { noNullPrototype: true, requiredKeys: ["name", "type", "config", "dependsOn"] },
);

describe("specs", () => {
  test("survive the wire", () => {
    fc.assert(
      fc.property(spec, (value) => {
        const bytes = toBinary(iac.ResourceSpecSchema, codec.encodeSpec(value));
        expect(codec.decodeSpec(fromBinary(iac.ResourceSpecSchema, bytes))).toStrictEqual(value);
      }),
    );
  });

  test("an empty config travels as an object; none reads as an empty one", () => {
    const message = codec.encodeSpec({ name: "a", type: "t", config: {}, dependsOn: [] });
    expect(Buffer.from(message.configJson).toString()).toBe("{}");
    expect(codec.decodeSpec(create(iac.ResourceSpecSchema)).config).toEqual({});
  });

  test("a config that is no object is refused with the field's name", () => {
    const message = create(iac.ResourceSpecSchema, { configJson: Buffer.from("[]") });
    expect(() => codec.decodeSpec(message)).toThrow("ResourceSpec.config_json should hold a JSON object");
  });
});

test("refs survive the wire", () => {
  fc.assert(
    fc.property(fc.record({ name: text, type: text, providerId: text }, { noNullPrototype: true }), (ref) => {
      const bytes = toBinary(iac.ResourceRefSchema, codec.encodeRef(ref));
      expect(codec.decodeRef(fromBinary(iac.ResourceRefSchema, bytes))).toStrictEqual(ref);
    }),
  );
});

describe("outputs", () => {
  test("survive the wire", () => {
    const output = fc
      .record({ name: text, type: text, providerId: text, outputs: jsonObject, status: text })
      .chain((value) =>
        fc.subarray(Object.keys(value.outputs)).map((keys) => ({ ...value, sensitive: keys.toSorted() })),
      );
    fc.assert(
      fc.property(output, (value) => {
        const bytes = toBinary(iac.ResourceOutputSchema, codec.encodeOutput(value));
        expect(codec.decodeOutput(fromBinary(iac.ResourceOutputSchema, bytes))).toStrictEqual(value);
      }),
    );
  });

  test("marks that are false, or of keys that are not there, do not count", () => {
    const message = create(iac.ResourceOutputSchema, {
      outputsJson: Buffer.from('{"a":1,"b":2,"c":3}'),
      sensitive: { c: true, a: true, b: false, missing: true, toString: true },
    });
    expect(codec.decodeOutput(message).sensitive).toEqual(["a", "c"]);
  });

  test("nothing reported reads as empty, not as an error", () => {
    expect(codec.decodeOutput(create(iac.ResourceOutputSchema))).toEqual({
      name: "",
      type: "",
      providerId: "",
      outputs: {},
      sensitive: [],
      status: "",
    });
  });
});

test("sizings survive the wire; an absent one is nothing to merge", () => {
  const sizing = { instanceType: "t3.micro", specs: { cpu: 2, ram: "4Gi" } };
  const bytes = toBinary(iac.ProviderSizingSchema, codec.encodeSizing(sizing));
  expect(codec.decodeSizing(fromBinary(iac.ProviderSizingSchema, bytes))).toEqual(sizing);
  expect(codec.decodeSizing(undefined)).toBeUndefined();
});
