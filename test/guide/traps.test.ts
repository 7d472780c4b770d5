import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const repository = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(join(repository, "docs/traps.md"), "utf8");
const rows = [...page.matchAll(/^\| (\d+) \| (.+) \| (.+) \|$/gm)].map(([, number, trap = "", held = ""]) => ({
  number: Number(number),
  trap,
  held,
}));

test("every trap of the contract is in the table, once and in order", () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 57 }, (_, index) => index + 1));
  expect(new Set(rows.map(({ trap }) => trap)).size).toBe(57);
});

test.for(rows.map(({ number, held }) => [number, held] as const))("trap %i is held by what is there", ([, held]) => {
  const tests = [...held.matchAll(/`([^`]+\.ts)` "((?:[^"\\]|\\.)+)"/g)].map(
    ([, file = "", title = ""]) => [file, title] as const,
  );
  const decisions = [...held.matchAll(/\]\((decisions\/[^)]+)\)/g)].map(([, path = ""]) => path);
  expect(tests.length + decisions.length).toBeGreaterThan(0);
  for (const path of decisions) expect(existsSync(join(repository, "docs", path)), path).toBe(true);
  for (const [file, title] of tests) {
    const text = readFileSync(join(repository, file), "utf8");
    expect(text.includes(title.replaceAll('\\"', '"')), `${file}: ${title}`).toBe(true);
  }
});
