import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { FieldChange } from "@wfctl/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as ext from "../gen/wfctl/ext/v1/ext_pb.ts";
import * as iac from "../gen/workflow/plugin/external/iac/iac_pb.ts";
import { jsonValue, text } from "../testing/arbitraries.ts";
import { decodeChange, decodeDiff, decodeDriverDiff, encodeChange, encodeDiff, encodeDriverDiff } from "./diff.ts";

const change: fc.Arbitrary<FieldChange> = fc.record(
  { path: text, old: jsonValue, new: jsonValue, forceNew: fc.boolean() },
  { noNullPrototype: true, requiredKeys: ["path", "forceNew"] },
);
const diff = fc
  .record({ needsUpdate: fc.boolean(), needsReplace: fc.boolean(), changes: fc.array(change, { maxLength: 4 }) })
  .map((value) => {
    const forced = value.needsUpdate && value.changes.some(({ forceNew }) => forceNew);
    return { ...value, needsReplace: value.needsReplace || forced };
  });

test("diffs survive the wire, on the unary call and on the session", () => {
  fc.assert(
    fc.property(diff, (value) => {
      const unary = toBinary(iac.DiffResultSchema, encodeDiff(value));
      expect(decodeDiff(fromBinary(iac.DiffResultSchema, unary))).toStrictEqual(value);
      const session = toBinary(ext.DriverDiffSchema, encodeDriverDiff(value));
      expect(decodeDriverDiff(fromBinary(ext.DriverDiffSchema, session))).toStrictEqual(value);
    }),
  );
});

test("a value that is null is not a value that is absent", () => {
  const decoded = decodeChange(encodeChange({ path: "a", old: null, forceNew: false }));
  expect(decoded).toStrictEqual({ path: "a", old: null, forceNew: false });
});

test("no result is no change", () => {
  expect(decodeDiff(undefined)).toEqual({ needsUpdate: false, needsReplace: false, changes: [] });
});

test("a change that forces a new object makes an update a replacement, but makes no change out of none", () => {
  const forced = { changes: [{ path: "cidr", forceNew: true }] };
  expect(decodeDiff(create(iac.DiffResultSchema, { ...forced, needsUpdate: true })).needsReplace).toBe(true);
  expect(decodeDiff(create(iac.DiffResultSchema, forced)).needsReplace).toBe(false);
});

test("a value that does not parse is refused with the field's name", () => {
  const message = create(iac.DiffResultSchema, { changes: [{ path: "a", newJson: Buffer.from("{") }] });
  expect(() => decodeDiff(message)).toThrow("FieldChange.new_json is not valid JSON");
});
