import { expect, test } from "vitest";
import { countTests } from "./count-tests.ts";

test.each([
  ["a green run", `{"success":true,"numPassedTests":7,"numFailedTests":0}`, { passed: 7, failed: 0 }],
  ["failed tests", `{"success":false,"numPassedTests":7,"numFailedTests":2}`, { passed: 7, failed: 2 }],
  ["a file that does not load", `{"success":false,"numPassedTests":7,"numFailedTests":0}`, { passed: 7, failed: 1 }],
  ["no report", "", { passed: 0, failed: 1 }],
  ["half a report", `{"success":true,"numP`, { passed: 0, failed: 1 }],
  ["a report of something else", "{}", { passed: 0, failed: 1 }],
])("countTests: %s", (_, text, counted) => {
  expect(countTests(text)).toEqual(counted);
});
