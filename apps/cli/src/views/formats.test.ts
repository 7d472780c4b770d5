import { spawnSync } from "node:child_process";
import type { Json } from "@wfctl/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { shellWord, toShellVariables } from "./shell.ts";
import { toYaml } from "./yaml.ts";

test("YAML quotes whatever could be read as something else", () => {
  expect(
    toYaml({ a: "yes", b: "1", c: "x: y", d: "", e: " x", f: "null", g: "plain text", h: "2025-01-01", i: "#" }),
  ).toBe('a: "yes"\nb: "1"\nc: "x: y"\nd: ""\ne: " x"\nf: "null"\ng: plain text\nh: "2025-01-01"\ni: "#"\n');
  expect(toYaml({ list: [1, "a", { b: [] }, []], none: {}, nothing: null, "odd: key": true })).toBe(
    'list:\n  - 1\n  - a\n  -\n    b: []\n  - []\nnone: {}\nnothing: null\n"odd: key": true\n',
  );
  expect(toYaml({})).toBe("{}\n");
});

test("YAML of what is nested deeply is JSON from some level on", () => {
  const levels = 2_000;
  const text = toYaml(JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`) as Json);
  expect(text).toContain('a: {"a":{"a":');
  expect(text.length).toBeLessThan(20_000);
});

test("a shell reads exactly the values, whatever is in them", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
      (value) => {
        const script = `${toShellVariables({ db: { host: value } })}printf %s "$DB_HOST"`;
        expect(spawnSync("sh", ["-c", script], { encoding: "utf8" }).stdout).toBe(value);
      },
    ),
    { numRuns: 30, examples: [["it's $HOME `id` \\ \n x"]] },
  );
});

test("names of variables are names that a shell takes", () => {
  const text = toShellVariables({ "my-db": { "9lives": 1, list: ["a"] }, "0": true });
  expect(text).toBe("_0='true'\nMY_DB_9LIVES='1'\nMY_DB_LIST='[\"a\"]'\n");
});

test.each([
  ["dir/my-plan.json", "dir/my-plan.json"],
  ["my plan", "'my plan'"],
  ["it's", "'it'\\''s'"],
  ["", "''"],
])("the word %j is typed as %s", (word, typed) => {
  expect(shellWord(word)).toBe(typed);
});
