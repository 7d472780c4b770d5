import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { renderReport, runConformance } from "@wfctl/conformance";

/** The built plugin as a host sees it: `npm run build` comes first. What it is tried with stands in conformance.json. */
test("the plugin conforms", async () => {
  const report = await runConformance(join(import.meta.dirname, ".."), { level: "strict" });
  assert.ok(report.conforms, renderReport(report));
});
