import { expect, test } from "vitest";
import { median, rankTest } from "./statistics.ts";

test("median: middle value, and mean of the two middle ones", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test("rankTest: separated samples of five are significant, mixed ones are not", () => {
  expect(rankTest([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).toBeCloseTo(2 / 252);
  expect(rankTest([1, 3, 5, 7, 9], [2, 4, 6, 8, 10])).toBeGreaterThan(0.5);
});

test("rankTest: equal samples give 1", () => {
  expect(rankTest([1, 1, 1], [1, 1, 1])).toBe(1);
});
