import { describe, expect, test } from "vitest";
import { makeShelf, makeUpstreamLike } from "../testdata/plugin-folder.ts";
import { listScenarios, renderReport, runConformance, type ConformanceReport } from "./index.ts";

/** Ids of what keeps the plugin from conforming. */
const failed = (report: ConformanceReport): string[] => report.failures.map(({ id }) => id);

describe("a good plugin", () => {
  test("conforms strictly, and nothing is skipped", async () => {
    const report = await runConformance(await makeShelf());
    expect(report.failures).toEqual([]);
    expect(report.results.filter(({ result }) => result !== "passed")).toEqual([]);
    const run = listScenarios().filter(({ strict }) => strict !== "off");
    expect(report.results.map(({ id }) => id)).toEqual(run.map(({ id }) => id));
    expect(renderReport(report)).toContain("Conforms: ");
  });

  test("of upstream's kind conforms to the contract, and not strictly", async () => {
    const folder = makeUpstreamLike();
    const contract = await runConformance(folder, { level: "contract" });
    expect(contract.failures).toEqual([]);
    const strict = await runConformance(folder, { level: "strict" });
    expect(failed(strict)).toEqual(expect.arrayContaining(["identity", "absence-code", "orphan", "recoverable"]));
  });
});
