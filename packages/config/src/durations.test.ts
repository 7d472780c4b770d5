import { expect, test } from "vitest";
import { parseDuration } from "./durations.ts";

test.each<[unknown, number]>([
  ["30m", 1_800_000],
  ["90s", 90_000],
  ["1h30m", 5_400_000],
  ["1.5h", 5_400_000],
  ["250ms", 250],
  ["2d", 172_800_000],
  [45, 45_000],
  [0.5, 500],
])("%j is %d milliseconds", (value, ms) => {
  expect(parseDuration(value)).toBe(ms);
});

test.each([
  ["30"],
  ["m"],
  ["30 m"],
  ["-5m"],
  [""],
  [0],
  [-1],
  ["0s"],
  ["30x"],
  [true],
  [null],
  ["25d"],
  [Number.NaN],
  [{}],
])("%j is no duration", (value) => {
  expect(parseDuration(value)).toBeUndefined();
});
