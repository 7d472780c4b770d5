import { expect, test } from "vitest";
import { editDistance, listNames, suggest, suggestHint } from "./suggest.ts";

test.each<[string, string, number]>([
  ["", "", 0],
  ["abc", "abc", 0],
  ["abc", "ab", 1],
  ["abc", "acb", 1],
  ["kitten", "sitting", 3],
  ["modulse", "modules", 1],
  ["", "abc", 3],
])("the distance between %j and %j is %d", (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});

test("a distance is not counted beyond the limit", () => {
  expect(editDistance("abcdefgh", "stuvwxyz", 3)).toBe(3);
});

test("the nearest name is suggested, without regard to case", () => {
  expect(suggest("staging2", ["prod", "staging", "stage"])).toBe("staging");
  expect(suggest("PROD", ["prod"])).toBe("prod");
  expect(suggest("onfailure", ["moved", "on_failure"])).toBe("on_failure");
});

test("names that resemble nothing get no suggestion", () => {
  expect(suggest("zebra", ["prod", "staging"])).toBeUndefined();
  expect(suggest("ab", ["cd"])).toBeUndefined();
});

test("a hint lists few names and falls back for many", () => {
  expect(suggestHint("zebra", ["prod", "dev"], "fallback")).toBe('Known are "prod" and "dev"');
  expect(suggestHint("zebra", [], "fallback")).toBe("fallback");
  expect(suggestHint("prd", ["prod", "dev"], "fallback")).toBe('Did you mean "prod"?');
});

test("names are listed with commas and a last and", () => {
  expect(listNames(["a"])).toBe('"a"');
  expect(listNames(["a", "b", "c"])).toBe('"a", "b" and "c"');
});
