import { expect, test } from "vitest";
import { alignColumns, fieldsOf, listCounts, printable, showDuration, showValue } from "./text.ts";

test("what could steer a terminal is shown, not obeyed", () => {
  expect(printable("a\u001B[31mb\u0007\u009Bc\u202Ed")).toBe("a\\u001b[31mb\\u0007\\u009bc\\u202ed");
  expect(printable("two\nlines\tand a tab, ünïcode, 🚀")).toBe("two\nlines\tand a tab, ünïcode, 🚀");
});

test("values stand on one line, references as the user wrote them, long ones cut", () => {
  expect(showValue("a\nb")).toBe('"a\\nb"');
  expect(showValue({ $expr: [{ resource: "db", path: "host" }] })).toBe("${db.host}");
  expect(showValue({ $expr: ["http://", { env: "HOST" }] })).toBe('"http://${HOST}"');
  expect(showValue([{ a: { $expr: [{ resource: "db", path: "id" }] } }])).toBe('[{"a":"${db.id}"}]');
  expect(showValue("x".repeat(500))).toMatch(/^"x{119}… \(502 characters\)$/);
  expect(showValue("(sensitive)")).toBe("(sensitive)");
});

test("nested members become dotted paths, lists and empty mappings stay whole", () => {
  expect([...fieldsOf({ a: { b: 1, c: {} }, d: [1], e: { $expr: ["x"] } })]).toEqual([
    ["a.b", 1],
    ["a.c", {}],
    ["d", [1]],
    ["e", { $expr: ["x"] }],
  ]);
});

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [1000, "1 s"],
  [59_400, "59 s"],
  [60_000, "1 min"],
  [125_000, "2 min 5 s"],
  [3_600_000, "1 h"],
  [3_780_000, "1 h 3 min"],
])("%d ms is %s", (ms, text) => {
  expect(showDuration(ms)).toBe(text);
});

test("counts of zero are left out", () => {
  expect(
    listCounts([
      [1, "created"],
      [0, "deleted"],
      [2, "unchanged"],
    ]),
  ).toBe("1 created, 2 unchanged");
  expect(listCounts([[0, "created"]])).toBe("");
});

test("columns are as wide as their widest cell, the last one is not padded", () => {
  expect(
    alignColumns([
      ["a", "bb", "c"],
      ["aaa", "b", ""],
    ]),
  ).toEqual(["a    bb  c", "aaa  b"]);
});
