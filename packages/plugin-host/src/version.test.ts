import { describe, expect, test } from "vitest";

import { compareVersions, isVersionConstraint, parseVersion, type Version } from "./version.ts";

describe("versions", () => {
  test.each([
    ["1.2.3", [1, 2, 3]],
    ["v0.86.0", [0, 86, 0]],
  ])("reads %s", (text, version) => {
    expect(parseVersion(text)).toEqual(version);
  });

  test.each(["1.2", "1.2.3-rc1", "1.2.3+build", "", "V1.2.3", "a.b.c", "1.2.3.4", " 1.2.3"])("refuses %j", (text) => {
    expect(parseVersion(text)).toBeUndefined();
  });

  test("compares by number, not by text", () => {
    const older = parseVersion("0.9.10") as Version;
    const newer = parseVersion("0.86.0") as Version;
    expect(compareVersions(older, newer)).toBeLessThan(0);
    expect(compareVersions(newer, older)).toBeGreaterThan(0);
    expect(compareVersions(newer, newer)).toBe(0);
  });

  test.each([">=1.2.3", "<= 1.0.0", "!=1.0.0", ">1.0.0", "<2.0.0", "^1.0.0", "~1.0.0", "=1.0.0", "1.0.0", "^v1.2.3"])(
    "knows the constraint %s",
    (text) => {
      expect(isVersionConstraint(text)).toBe(true);
    },
  );

  test.each(["", "latest", ">=", "=>1.0.0", "1.x"])("refuses the constraint %j", (text) => {
    expect(isVersionConstraint(text)).toBe(false);
  });
});
