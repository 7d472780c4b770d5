/** What a run of vitest came to, from its JSON report and, where that does not say, from what it printed. */
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** Something that failed: a test, a file that does not load, an error outside of any test. */
export interface TestFailure {
  /** Relative to the root of the repository; empty when nobody knows. */
  readonly file: string;
  readonly name: string;
  readonly message: string;
}

export interface TestOutcome {
  readonly passed: number;
  /** At least one when the run did not succeed, whatever the reason. */
  readonly failures: readonly TestFailure[];
}

interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly testResults: readonly FileResult[];
}

interface FileResult {
  readonly name: string;
  readonly status: string;
  readonly message?: string;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages?: readonly string[];
  }[];
}

/** What is left of a run: its report, what it printed and its exit code; null when a signal ended it. */
export interface EndedTestRun {
  readonly report: string;
  readonly printed: string;
  readonly code: number | null;
}

/** The outcome of a run. Files are named relative to `root`. */
export function readTestOutcome({ report, printed, code }: EndedTestRun, root: string): TestOutcome {
  let parsed: Partial<Report>;
  try {
    parsed = JSON.parse(report) as Partial<Report>;
  } catch {
    return { passed: 0, failures: [{ file: "", name: "the run", message: "it ended without a report" }] };
  }
  const failures = (parsed.testResults ?? []).flatMap((file) => failuresOf(file, root));
  const passed = parsed.numPassedTests ?? 0;
  if ((parsed.success === true && code === 0) || failures.length > 0) return { passed, failures };
  return { passed, failures: [failureOutside(stripVTControlCharacters(printed))] };
}

function failuresOf(result: FileResult, root: string): TestFailure[] {
  const file = relative(root, result.name);
  const tests = result.assertionResults
    .filter(({ status }) => status === "failed")
    .map(({ fullName, failureMessages = [] }) => ({ file, name: fullName, message: failureMessages.join("\n") }));
  if (tests.length > 0 || result.status !== "failed") return tests;
  return [{ file, name: "the file itself", message: result.message ?? "" }];
}

/** An error that belongs to no test: the report calls such a run a success, its exit code does not. */
function failureOutside(printed: string): TestFailure {
  const start = printed.search(/Unhandled (?:Error|Rejection|Errors)/u);
  const message = start < 0 ? printed.slice(-2000) : printed.slice(start, start + 4000);
  const file = /originated in "([^"]+)" test file/u.exec(printed)?.[1] ?? "";
  return { file, name: "outside of a test", message };
}

/** A first run and the second one of the files that failed in it, taken together. A second run without a passed test says nothing. */
export function joinTestOutcomes(
  first: TestOutcome,
  second: TestOutcome,
): TestOutcome & { readonly unsteady: readonly TestFailure[] } {
  if (second.passed === 0) return { ...first, unsteady: [] };
  const failedAgain = new Set(second.failures.map(keyOf));
  const unsteady = first.failures.filter((failure) => !failedAgain.has(keyOf(failure)));
  const tests = unsteady.filter(({ name }) => name !== "outside of a test" && name !== "the file itself");
  return { passed: first.passed + tests.length, failures: second.failures, unsteady };
}

function keyOf({ file, name }: TestFailure): string {
  return `${file}\n${name}`;
}

/** One failure in a few lines: where, which test, and the beginning of what it said. */
export function describeFailure({ file, name, message }: TestFailure, lines = 12): string {
  const plain = stripVTControlCharacters(message)
    .split("\n")
    .filter((line) => line.trim() !== "");
  return [
    `${file || "(unknown file)"} > ${name}`,
    ...plain.slice(0, lines).map((line) => `    ${line.slice(0, 200)}`),
  ].join("\n");
}
