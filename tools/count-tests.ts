/**
 * Prints "PASSED FAILED" from the JSON report of vitest, for .ci/run. A report that is missing or unreadable, and a run
 * that failed without a failed test (a file that does not load, an error outside of a test), count as one failure.
 */
import { readFile } from "node:fs/promises";

interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

/** How many tests passed and failed, according to the text of a report. */
export function countTests(text: string): { passed: number; failed: number } {
  let report: Partial<Report>;
  try {
    report = JSON.parse(text) as Partial<Report>;
  } catch {
    return { passed: 0, failed: 1 };
  }
  const { success = false, numPassedTests: passed = 0, numFailedTests: failed = 0 } = report;
  return { passed, failed: success || failed > 0 ? failed : 1 };
}

if (import.meta.main) {
  const { passed, failed } = countTests(await readFile(process.argv[2] ?? "", "utf8").catch(() => ""));
  console.log(`${passed} ${failed}`);
}
