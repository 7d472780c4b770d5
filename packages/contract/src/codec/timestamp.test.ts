import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isoTime } from "../testing/arbitraries.ts";
import { fromTimestamp, toTimestamp } from "./timestamp.ts";

test("times survive both ways, nanoseconds included", () => {
  fc.assert(
    fc.property(isoTime, (time) => {
      expect(fromTimestamp(toTimestamp(time, "f"), "f")).toBe(time);
    }),
  );
  const fine = "2026-01-02T03:04:05.123456789Z";
  expect(fromTimestamp(toTimestamp(fine, "f"), "f")).toBe(fine);
  expect(toTimestamp("1969-12-31T23:59:59.5Z", "f")).toMatchObject({ seconds: -1n, nanos: 500_000_000 });
  expect(fromTimestamp(toTimestamp("2026-01-02T04:04:05+01:00", "f"), "f")).toBe("2026-01-02T03:04:05.000Z");
});

test("unknown stays unknown: an absent time, and Go's zero time", () => {
  expect(toTimestamp(undefined, "f")).toBeUndefined();
  expect(fromTimestamp(undefined, "f")).toBeUndefined();
  expect(fromTimestamp(create(TimestampSchema, { seconds: -62135596800n }), "f")).toBeUndefined();
});

test("the epoch is a time like any other", () => {
  expect(fromTimestamp(create(TimestampSchema), "f")).toBe("1970-01-01T00:00:00.000Z");
});

test("times that are none are refused with the field's name", () => {
  for (const text of ["", "yesterday", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z"]) {
    expect(() => toTimestamp(text, "ResourceState.created_at")).toThrow(
      "ResourceState.created_at should hold an RFC 3339",
    );
  }
  for (const fields of [
    { seconds: 253402300800n },
    { seconds: -62135596801n },
    { nanos: 1_000_000_000 },
    { nanos: -1 },
  ]) {
    expect(() => fromTimestamp(create(TimestampSchema, fields), "LiveState.revisit_at")).toThrow(
      "LiveState.revisit_at",
    );
  }
});
