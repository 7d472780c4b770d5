import { describe, expect, test } from "vitest";
import { findBelowFloor, measureCoverage, raiseFloors } from "./check-coverage.ts";

const lines = (covered: number, total: number) => ({ lines: { covered, total } });

describe("measureCoverage", () => {
  test("adds up the files of a package and rounds down", () => {
    const summary = {
      total: lines(1, 1000),
      "/r/packages/state/src/a.ts": lines(2, 2),
      "/r/packages/state/src/sqlite/b.ts": lines(0, 1),
      "/r/apps/cli/src/main.ts": lines(0, 0),
    };
    expect(measureCoverage("/r", summary)).toEqual({ "apps/cli": 100, "packages/state": 66.6 });
  });

  test("refuses a summary that lists no file", () => {
    expect(() => measureCoverage("/r", { total: lines(0, 0) })).toThrow("no file");
  });
});

describe("findBelowFloor", () => {
  test("accepts what is at its floor or above", () => {
    expect(findBelowFloor({ a: 60, b: 70 }, { a: 60, b: 70.1 })).toEqual([]);
  });

  test("names what is below, what has no floor and what is not measured any more", () => {
    expect(findBelowFloor({ a: 60, gone: 50 }, { a: 59.9, added: 90 })).toEqual([
      "a: 59.9 % of lines covered, expected at least 60 %",
      "added: 90 % of lines covered, expected a floor in tools/coverage-floor.json",
      "gone: is not measured, expected at least 50 %",
    ]);
  });
});

describe("raiseFloors", () => {
  test("raises to a point below what was measured, never lowers, and drops what is gone", () => {
    expect(raiseFloors({ a: 60, b: 90, gone: 50 }, { a: 75.9, b: 80, added: 100 })).toEqual({
      a: 74,
      b: 90,
      added: 99,
    });
  });
});
