import { expect, test } from "vitest";
import { readPlainScalar } from "./scalar.ts";

test.each<[string, unknown]>([
  ["", null],
  ["~", null],
  ["null", null],
  ["Null", null],
  ["true", true],
  ["False", false],
  ["0", 0],
  ["-0", 0],
  ["12", 12],
  ["+5", 5],
  ["-3", -3],
  ["1.5", 1.5],
  [".5", 0.5],
  ["1e3", 1000],
  ["0o17", 15],
  ["0xff", 255],
  ["9007199254740991", 9007199254740991],
])("%s is read by the core schema", (text, value) => {
  expect(readPlainScalar(text)).toEqual({ value });
});

test.each([
  "yes",
  "no",
  "on",
  "off",
  "2024-01-01",
  "2024-01-01T00:00:00Z",
  "1:30",
  "1_000",
  "1.2.3",
  "nUll",
  "0b1",
  "1e",
  "-",
  ".",
  "10.0.0.0/16",
  "0x",
  "tru",
])("%s is text", (text) => {
  expect(readPlainScalar(text)).toEqual({ value: text });
});

test.each(["012", "-07", "00", "9007199254740993", "12345678901234567890", "1e999", ".inf", "-.INF", ".nan"])(
  "%s cannot be kept as it is",
  (text) => {
    expect(readPlainScalar(text)).toMatchObject({
      value: text,
      problem: expect.stringContaining(text),
      hint: expect.any(String),
    });
  },
);
