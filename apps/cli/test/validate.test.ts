import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runInside } from "./run-inside.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wfctl-validate-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `wfctl validate` on a machine that has no credentials and no plugins but the bundled ones. */
function validate(content: string | Buffer, ...args: readonly string[]) {
  writeFileSync(join(folder, "infra.yaml"), content);
  return runInside(folder, "validate", ...args);
}

const head = "name: shop\nmodules:\n  - {name: here, type: iac.provider, config: {provider: local}}\n";

describe("validate needs neither credentials nor plugins to say what is wrong, and where", () => {
  const storage = (config: string): string => `${head}  - {name: s, type: infra.storage, config: ${config}}\n`;
  const bomb = [...Array(12).keys()].map((level) => {
    const values = level === 0 ? "x, x, x" : `*a${level - 1}, *a${level - 1}, *a${level - 1}, *a${level - 1}`;
    return `x-${level}: &a${level} [${values}]\n`;
  });
  const nested = "[".repeat(5000) + "]".repeat(5000);

  test.each<[string, string | Buffer, string, string]>([
    ["an unknown key", storage("{filez: {}}"), "infra.yaml:4:45", 'Did you mean "files"?'],
    [
      "an unknown key after CRLF",
      storage("{filez: {}}").replaceAll("\n", "\r\n"),
      "infra.yaml:4:45",
      'Did you mean "files"?',
    ],
    ["an unknown key after a BOM", `\uFEFF${storage("{filez: {}}")}`, "infra.yaml:4:45", 'Did you mean "files"?'],
    ["a cut file", `${head}  - {name: s, type: infra`, "infra.yaml:4", "Check the indentation and the quotes"],
    ["an empty file", "", "infra.yaml:1:1", "Write modules: with a list"],
    ["a file of comments", "# nothing\n", "infra.yaml:1:1", "Write modules: with a list"],
    ["keys that are there twice", storage("{mode: '0755', mode: '0700'}"), "infra.yaml:4:59", "Keep one of the two"],
    ["tabs", "name: x\nmodules:\n\t- {name: a}\n", "infra.yaml:3:1", "Indent with spaces"],
    [
      "aliases that explode",
      `${bomb.join("")}${storage("{files: *a11}")}`,
      "infra.yaml:1",
      "Write out what is repeated",
    ],
    ["deep nesting", storage(`{files: ${nested}}`), "infra.yaml:4", "nested too deeply"],
    ["several documents", `${storage("{}")}---\na: 1\n`, "infra.yaml:5:1", "Put each stack into a file of its own"],
    ["a null byte", "name: x\0\n", "infra.yaml:1:8", "Write the file anew as text in UTF-8"],
    [
      "bytes that are no text",
      Buffer.from([0x6e, 0xff, 0xfe]),
      "infra.yaml:1:2",
      "Write the file anew as text in UTF-8",
    ],
    ["UTF-16", Buffer.from("\uFEFFname: x\n", "utf16le"), "infra.yaml:1:1", "it is UTF-16, expected UTF-8"],
    ["a plugin that is not installed", head.replace("local", "acme"), "infra.yaml:3:", "wfctl plugin install acme"],
    [
      "a provider without credentials",
      `${head.replace("local", "aws")}  - {name: s, type: infra.storage, config: {bukket: b}}\n`,
      "infra.yaml:4:45",
      'Did you mean "bucket"?',
    ],
  ])("%s", async (_, content, place, hint) => {
    const { code, stderr } = await validate(content);
    expect(code).toBe(1);
    expect(stderr).toContain(place);
    expect(stderr).toContain(hint);
    expect(stderr).not.toMatch(/INTERNAL|\n\s+at /);
  });

  test("what is wrong beside a missing plugin is told all the same", async () => {
    const both = `${head.replace("here", "gone").replace("local", "acme")}${storage("{provider: here, filez: {}}").slice("name: shop\nmodules:\n".length)}`;
    const { stderr } = await validate(both);
    expect(stderr).toContain("PLUGIN_NOT_FOUND");
    expect(stderr).toContain('The key "filez" is not known');
  });

  test("generated secrets need no plugin", async () => {
    const secrets =
      "secrets: {defaultStore: kept, generate: [{key: K, type: random_hex, length: 24}]}\nsecretStores: {kept: {provider: file, config: {path: ./s}}}\n";
    const content = `${secrets}${storage('{files: {a: {content: "${K}"}}}')}`;
    expect(await validate(content)).toMatchObject({ code: 0, stderr: "" });
  });

  test("a folder is looked into, and named where it holds no stack file", async () => {
    mkdirSync(join(folder, "inner"), { recursive: true });
    const refused = await validate(storage("{}"), "-c", "inner");
    expect(refused.stderr).toContain(`looked for "${join(folder, "inner/infra.yaml")}"`);
    writeFileSync(join(folder, "inner/infra.yaml"), storage("{}"));
    expect(await validate("", "-c", "inner")).toMatchObject({ code: 0 });
  });

  test("of 5 MB the first hundred errors are shown, and how many there are", async () => {
    const lines = [...Array(50_000).keys()].map(
      (n) => `  - {name: s${n}, type: infra.storage, config: {filez: {}, mode: '0755'}}`,
    );
    const text = `${head}${lines.join("\n")}\n`;
    expect(text.length).toBeGreaterThan(3_500_000);
    const { code, stderr } = await validate(text);
    expect(code).toBe(1);
    expect(stderr).toContain("infra.yaml:4:46");
    expect(stderr).toContain("… and 49900 more; all of them: --json");
    expect(stderr.length).toBeLessThan(20_000);
  });
});
