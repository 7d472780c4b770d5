import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { listScenarios } from "./index.ts";

const page = (name: string): string => fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));

function scenarioPage(): string {
  const rows = listScenarios().map(({ id, title, contract, strict, perSample, waivable }) => {
    const marks = [...(perSample ? ["each sample"] : []), ...(waivable ? ["may be declared not applicable"] : [])];
    return `| \`${id}\` | ${title} | ${contract} | ${strict} | ${marks.join(", ")} |`;
  });
  return [
    "# Scenarios of the conformance suite",
    "",
    "What each asserts, and what each level makes of it: `required` decides, `advised` warns, `off` is not run. How to use the",
    "suite is in [conformance](conformance.md). This page is made from the code;",
    "`npx vitest run packages/conformance/src/scenario-page.test.ts -u` writes it anew.",
    "",
    "| scenario | a plugin that passes | contract | strict | |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

test("docs/conformance-scenarios.md lists the scenarios as they are", async () => {
  await expect(scenarioPage()).toMatchFileSnapshot(page("conformance-scenarios.md"));
});

test("no two scenarios have one id", () => {
  const ids = listScenarios().map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("docs/conformance.md names only scenarios that there are", async () => {
  const text = await readFile(page("conformance.md"), "utf8");
  const named = [...text.matchAll(/^\|[^|]+\| ((?:`[a-z-]+`(?:, )?)+) \|/gm)].flatMap(([, list = ""]) =>
    [...list.matchAll(/`([a-z-]+)`/g)].map(([, id]) => id),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((id) => !listScenarios().some((scenario) => scenario.id === id))).toEqual([]);
});
