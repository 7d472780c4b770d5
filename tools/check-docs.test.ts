import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkDocs } from "./check-docs.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "wfctl-docs-"));
  await promisify(execFile)("git", ["init", "-q"], { cwd: root });
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function check(files: Readonly<Record<string, string>>): Promise<string[]> {
  const base = {
    "package.json": `{"scripts":{"lint":"x"}}`,
    "docs/decisions/README.md": "- [one](0001-one.md)",
    "docs/decisions/0001-one.md": "# One thing, decided",
  };
  for (const [path, text] of Object.entries({ ...base, ...files })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return (await checkDocs(root)).problems;
}

describe("checkDocs", () => {
  test("accepts links, headings and scripts that exist, and passes over code and the web", async () => {
    const readme = [
      "# A `b` heading",
      "[a](docs/decisions/0001-one.md) [b](docs/decisions/0001-one.md#one-thing-decided) [c](#a-b-heading)",
      "[d](https://example.org/x) `[e](nowhere.md)`",
      "```",
      "[f](nowhere.md)",
      "```",
      "npm run lint",
    ];
    expect(await check({ "README.md": readme.join("\n") })).toEqual([]);
  });

  test("knows the scripts of every package around a file, and of no other", async () => {
    const problems = await check({
      "templates/plugin/package.json": `{"scripts":{"manifest":"x"}}`,
      "templates/plugin/README.md": "npm run manifest, npm run lint",
      "README.md": "npm run manifest",
    });
    expect(problems).toEqual(["README.md: says npm run manifest, which is no script"]);
  });

  test.each([
    ["a missing file", "[a](docs/none.md)", "README.md: links to docs/none.md, which does not exist"],
    [
      "a missing heading",
      "[a](docs/decisions/0001-one.md#two)",
      "README.md: links to docs/decisions/0001-one.md#two, which has no such heading",
    ],
    ["a missing script", "npm run gone", "README.md: says npm run gone, which is no script"],
  ])("names %s", async (_, text, problem) => {
    expect(await check({ "README.md": text })).toEqual([problem]);
  });

  test("names decisions that are not listed, listed twice, or numbered alike", async () => {
    const problems = await check({
      "docs/decisions/README.md": "[a](0001-one.md) [b](0001-one.md)",
      "docs/decisions/0001-two.md": "# Two",
    });
    expect(problems).toEqual([
      "docs/decisions/README.md: lists 0001-one.md 2 times, expected once",
      "docs/decisions/README.md: lists 0001-two.md 0 times, expected once",
      "docs/decisions: two decisions are numbered 0001",
    ]);
  });

  test("fails where there is no document", async () => {
    await expect(checkDocs(root)).rejects.toThrow("found none");
  });
});
