import { expect, test } from "vitest";
import { describeFailure, joinTestOutcomes, readTestOutcome } from "./test-outcome.ts";

const file = (status: string, ...tests: { fullName: string; status: string; failureMessages?: string[] }[]) => ({
  name: "/repo/packages/a/src/a.test.ts",
  status,
  assertionResults: tests,
});
const report = (success: boolean, ...testResults: unknown[]): string =>
  JSON.stringify({ success, numPassedTests: 7, testResults });
const read = (text: string, printed = "") =>
  readTestOutcome({ report: text, printed, code: text.includes(`"success":true`) && printed === "" ? 0 : 1 }, "/repo");
const good = { fullName: "it works", status: "passed" };
const bad = { fullName: "it holds", status: "failed", failureMessages: ["expected 1 to be 2"] };

test("a green run has passed tests and no failure", () => {
  expect(read(report(true, file("passed", good)))).toEqual({ passed: 7, failures: [] });
});

test("a failed test is named with its file and what it said", () => {
  const { passed, failures } = read(report(false, file("failed", good, bad)));
  expect(passed).toBe(7);
  expect(failures).toEqual([{ file: "packages/a/src/a.test.ts", name: "it holds", message: "expected 1 to be 2" }]);
});

test("a file that does not load is a failure", () => {
  const { failures } = read(report(false, { ...file("failed"), message: "Cannot find module" }));
  expect(failures).toEqual([
    { file: "packages/a/src/a.test.ts", name: "the file itself", message: "Cannot find module" },
  ]);
});

test("an error outside of every test is a failure, with the file it came from", () => {
  const printed = `ok\n Unhandled Rejection \nError: late\noriginated in "\u001B[1mpackages/b/src/b.test.ts\u001B[22m" test file.`;
  const [failure, ...others] = read(report(true, file("passed", good)), printed).failures;
  expect(others).toEqual([]);
  expect(failure).toMatchObject({ file: "packages/b/src/b.test.ts", name: "outside of a test" });
  expect(failure?.message).toContain("Error: late");
});

test.each([
  ["no report", ""],
  ["half a report", `{"success":true,"numP`],
  ["a report of something else", "{}"],
])("%s is one failure and no passed test", (_, text) => {
  const { passed, failures } = read(text);
  expect(passed).toBe(0);
  expect(failures).toHaveLength(1);
});

test("what passes in the second run is unsteady, what fails again has failed", () => {
  const first = read(report(false, file("failed", bad, { ...bad, fullName: "it lasts" })));
  const second = read(report(false, file("failed", { ...bad, fullName: "it lasts" })));
  const joined = joinTestOutcomes(first, second);
  expect(joined.unsteady.map(({ name }) => name)).toEqual(["it holds"]);
  expect(joined.failures.map(({ name }) => name)).toEqual(["it lasts"]);
  expect(joined.passed).toBe(8);
});

test("a second run without a report changes nothing", () => {
  const first = read(report(false, file("failed", bad)));
  expect(joinTestOutcomes(first, read(""))).toEqual({ ...first, unsteady: [] });
});

test("a failure is described in a few plain lines", () => {
  const text = describeFailure(
    { file: "a.test.ts", name: "it holds", message: "\u001B[31mred\u001B[39m\n\none\ntwo" },
    2,
  );
  expect(text).toBe("a.test.ts > it holds\n    red\n    one");
});
