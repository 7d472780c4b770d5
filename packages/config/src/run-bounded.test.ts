import { expect, test } from "vitest";
import { createBoundedRun, TooLongError } from "./run-bounded.ts";

test.each<[string, () => unknown]>([
  [
    "a loop",
    () => {
      for (;;);
    },
  ],
  ["a regular expression", () => /^(a+)+$/u.test(`${"a".repeat(60)}b`)],
])("%s without an end is ended", (_, run) => {
  expect(() => createBoundedRun(50)(run)).toThrow(TooLongError);
});

test("what a function returns is returned, what it throws is thrown, one after the other", () => {
  const bounded = createBoundedRun();
  const made = { a: 1 };
  expect(bounded(() => made)).toBe(made);
  const error = new TypeError("no");
  expect(() =>
    bounded(() => {
      throw error;
    }),
  ).toThrow(error);
  expect(bounded(() => bounded(() => undefined))).toBeUndefined();
});
