import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { measureStart, median, printMeasured, startRows } from "./measure.ts";

test("a start ends with the first line that the program prints", async () => {
  const folder = mkdtempSync(join(tmpdir(), "measure-"));
  try {
    const launcher = join(folder, "plugin");
    writeFileSync(launcher, '#!/bin/sh\necho "$SAID"\nexec sleep 60\n');
    chmodSync(launcher, 0o755);
    const times = await measureStart(launcher, 1, { SAID: "ready" });
    expect(times.node).toBeGreaterThan(0);
    expect(times.plugin).toBeGreaterThan(0);
    expect(startRows(times, 200).map(([what]) => what)).toContain("more than bare Node");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the median is the middle value, the higher of two", () => {
  expect([median([9, 1, 5]), median([4, 2]), median([])]).toEqual([5, 4, Number.NaN]);
});

test("a value above its bound fails, one at it or without a bound does not", () => {
  expect(
    printMeasured([
      ["memory", 120, "MB", 120],
      ["start", 999, "ms"],
    ]),
  ).toBe(true);
  expect(printMeasured([["memory", 121, "MB", 120]])).toBe(false);
});
