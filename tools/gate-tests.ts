/**
 * Runs the test command of the README for .ci/run, with a report to count by and the coverage that the floor is held
 * against.
 *
 *   node tools/gate-tests.ts SUMMARY
 *
 * Files in which something failed run once more, alone. What passes then is named as unsteady: a defect to look into,
 * which does not hold the gate. What fails again fails the gate. More than five such files are not run again.
 * SUMMARY gets "PASSED FAILED" on its first line, and then each failed or unsteady test with what it said.
 */
import { spawn } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describeFailure, joinTestOutcomes, readTestOutcome, type TestOutcome } from "./test-outcome.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const runAgainAtMost = 5;
/** Characters of the output that are kept to find an error outside of a test in. */
const keptOutput = 400_000;

async function runTests(report: string, args: readonly string[]): Promise<TestOutcome> {
  await rm(report, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const child = spawn("npm", ["test", "--", ...args, ...reporters], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    from.setEncoding("utf8").on("data", (text: string) => {
      to.write(text);
      printed = (printed + text).slice(-keptOutput);
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return readTestOutcome({ report: await readFile(report, "utf8").catch(() => ""), printed, code }, root);
}

const summary = process.argv[2];
if (summary === undefined) throw new Error("Cannot run the tests of the gate: name the file for the summary");
await writeFile(summary, "0 1\nthe tests did not come to an end\n");
const first = await runTests("coverage/tests.json", ["--coverage"]);
const files = [...new Set(first.failures.map(({ file }) => file))];
const again = files.length > 0 && files.length <= runAgainAtMost && !files.includes("");
if (again) console.log(`--- test: ${files.length} files failed and run once more, alone`);
const { passed, failures, unsteady } = again
  ? joinTestOutcomes(first, await runTests("coverage/again.json", [...files, "--maxWorkers=1"]))
  : { ...first, unsteady: [] };
await writeFile(
  summary,
  [
    `${passed} ${failures.length}`,
    ...unsteady.map((failure) => `unsteady (passed when it ran alone): ${describeFailure(failure)}`),
    ...failures.map((failure) => `failed: ${describeFailure(failure)}`),
    "",
  ].join("\n"),
);
