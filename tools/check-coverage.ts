/**
 * Holds the line coverage of every package above its floor in tools/coverage-floor.json.
 *
 *   npm run test:coverage && npm run coverage               exit 1 lists what fell below
 *   npm run test:coverage && npm run coverage -- --update   raises the floors to what was measured, never lowers one
 *
 * Code that only runs in child processes does not count: a floor says what must not get worse, not what is tested.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** Percent of lines by folder of the package. */
export type Floors = Readonly<Record<string, number>>;

/** The part of an istanbul summary that counts here: lines by absolute path of the file, and their total. */
export type Summary = Readonly<
  Record<string, { readonly lines: { readonly total: number; readonly covered: number } }>
>;

/** Percent of lines covered, to one decimal, by folder of the package. Throws on a summary without files. */
export function measureCoverage(root: string, summary: Summary): Floors {
  const lines: Record<string, { total: number; covered: number }> = {};
  for (const [file, { lines: found }] of Object.entries(summary)) {
    if (file === "total") continue;
    const sum = (lines[relative(root, file).split(sep, 2).join("/")] ??= { total: 0, covered: 0 });
    sum.total += found.total;
    sum.covered += found.covered;
  }
  const measured = Object.entries(lines).map(([name, sum]) => [name, percent(sum)] as const);
  if (measured.length === 0) throw new Error("Cannot check the coverage: the summary lists no file");
  return Object.fromEntries(measured.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function percent({ total, covered }: { total: number; covered: number }): number {
  return total === 0 ? 100 : Math.floor((covered / total) * 1000) / 10;
}

/** One line for each package that is below its floor, has none, or is not measured any more. */
export function findBelowFloor(floors: Floors, measured: Floors): string[] {
  const problems = Object.entries(measured).flatMap(([name, found]) => {
    const floor = floors[name];
    if (floor === undefined)
      return [`${name}: ${found} % of lines covered, expected a floor in tools/coverage-floor.json`];
    return found < floor ? [`${name}: ${found} % of lines covered, expected at least ${floor} %`] : [];
  });
  const gone = Object.keys(floors).filter((name) => !(name in measured));
  return [...problems, ...gone.map((name) => `${name}: is not measured, expected at least ${floors[name]} %`)];
}

/** The floors after an update: a point below what was measured, so that a race in a test does not fail the next run. */
export function raiseFloors(floors: Floors, measured: Floors): Floors {
  return Object.fromEntries(
    Object.entries(measured).map(([name, found]) => [name, Math.max(floors[name] ?? 0, Math.floor(found) - 1)]),
  );
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const floorFile = join(root, "tools/coverage-floor.json");
  const floors = JSON.parse(await readFile(floorFile, "utf8")) as Floors;
  const summary = JSON.parse(await readFile(join(root, "coverage/coverage-summary.json"), "utf8")) as Summary;
  const measured = measureCoverage(root, summary);
  console.log(
    Object.entries(measured)
      .map(([name, found]) => `${name} ${found} %`)
      .join("\n"),
  );
  if (parseArgs({ options: { update: { type: "boolean" } } }).values.update === true) {
    await writeFile(floorFile, `${JSON.stringify(raiseFloors(floors, measured), null, 2)}\n`);
  } else {
    const problems = findBelowFloor(floors, measured);
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) process.exitCode = 1;
  }
}
