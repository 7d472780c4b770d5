import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { errorCodes } from "@wfctl/model";
import { expect, test } from "vitest";
import { commandTable } from "../src/commands/table.ts";
import { advice } from "../src/views/advice.ts";
import { cliPage, errorsPage } from "./docs.ts";

const page = (name: string): string => fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));

test("docs/errors.md is what the code says", async () => {
  await expect(errorsPage()).toMatchFileSnapshot(page("errors.md"));
});

test("docs/errors.md lists every code, and no other", async () => {
  const text = await readFile(page("errors.md"), "utf8");
  const listed = [...text.matchAll(/^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$/gm)].map(([, code]) => code);
  expect(listed.toSorted()).toEqual(Object.keys(errorCodes).toSorted());
  expect(Object.keys(advice).toSorted()).toEqual(Object.keys(errorCodes).toSorted());
});

test("docs/cli.md is what the command table says", async () => {
  await expect(await cliPage()).toMatchFileSnapshot(page("cli.md"));
});

test("the table says of each command what the command itself says", async () => {
  for (const entry of commandTable) {
    const { spec } = await entry.load();
    expect(spec.path.join(" ")).toBe(entry.name);
    expect(spec.summary).toBe(entry.summary);
  }
});

test("no command has two flags of one name", async () => {
  for (const entry of commandTable) {
    const { flags, unserved } = (await entry.load()).spec;
    const names = [
      ...flags.flatMap((flag) => [flag.name, ...(flag.short === undefined ? [] : [flag.short])]),
      ...Object.keys(unserved ?? {}),
    ];
    expect(new Set(names).size, entry.name).toBe(names.length);
  }
});
