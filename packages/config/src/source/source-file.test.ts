/* oxlint-disable no-template-curly-in-string -- the texts under test */
import { describe, expect, test } from "vitest";
import { readSource, show } from "./source-file.ts";

async function problems(text: string): Promise<string[]> {
  const { problems: found } = await readSource("/w/f.yaml", "/w", text);
  for (const { hint } of found) expect(hint).not.toBe("");
  return found.map(
    ({ location, path, summary }) => `${location.line}:${location.column} /${path.join("/")} ${summary}`,
  );
}
const value = async (text: string): Promise<unknown> => {
  const source = await readSource("/w/f.yaml", "/w", text);
  expect(source.problems).toEqual([]);
  return source.value;
};

describe("YAML that cannot be read", () => {
  test.each<[string, string, string]>([
    ["a tab", "a:\n\tb: 1\n", "2:1 / Cannot read the YAML: tabs are not allowed as indentation"],
    ["an open quote", "a: 'x\n", "2:1 / Cannot read the YAML: missing closing 'quote"],
    [
      "an open list",
      "a: [1\nb: 2",
      "2:1 / Cannot read the YAML: flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    [
      "a mapping on one line",
      "a: b: c\n",
      "1:4 / Cannot read the YAML: nested mappings are not allowed in compact mappings",
    ],
    ["a reserved character", "a: @x", "1:4 / Cannot read the YAML: plain value cannot start with reserved character @"],
    ["a null byte", "a: 1\nb\0: 1", "2:2 / Cannot read the YAML: null byte is not allowed in input"],
    [
      "nesting without end",
      "[".repeat(5000),
      "1:200 / Cannot read the YAML: collections are nested too deeply, at most 200 levels are read",
    ],
  ])("%s", async (_, text, expected) => {
    expect(await problems(text)).toEqual([expected]);
    expect((await readSource("/w/f.yaml", "/w", text)).value).toBeUndefined();
  });

  test("tells several errors at once", async () => {
    expect(await problems("a: @x\nb: 1\nc: `y\n")).toEqual([
      "1:4 / Cannot read the YAML: plain value cannot start with reserved character @",
      "3:4 / Cannot read the YAML: plain value cannot start with reserved character `",
    ]);
  });
});

describe("YAML that is refused", () => {
  test.each<[string, string, string[]]>([
    ["a key twice", "a: 1\nb:\n  c: 1\n  c: 2\n", ['4:3 /b/c The key "c" is there twice, first at f.yaml:3:3']],
    ["a number as key", "a: {80: x}", ["1:5 /a The key 80 is a number, expected text"]],
    ["true as key", "true: x", ["1:1 / The key true is true or false, expected text"]],
    ["an empty key", "a: 1\n: 2\n", ["1:4 / An empty key is nothing, expected text"]],
    ["a list as key", "? [a]\n: 1\n", ['1:3 / The key ["a"] is a list, expected text']],
    [
      "the reserved key",
      "a:\n  - $expr: []\n",
      ['2:5 /a/0 The key "$expr" cannot be used: the name is reserved for expressions'],
    ],
    [
      "the key of prototypes",
      "__proto__: {x: 1}",
      ['1:1 / The key "__proto__" cannot be used: the name has a meaning of its own in JavaScript'],
    ],
    ["several documents", "a: 1\n---\nb: 2\n", ["2:1 / The file holds several YAML documents, expected one"]],
    ["an empty second document", "a: 1\n---\n", ["2:1 / The file holds several YAML documents, expected one"]],
    ["an alias of nothing", "a:\n  - *x\n", ["2:5 /a/0 The alias *x has no anchor before it"]],
    ["an alias inside its anchor", "a: &x [1, *x]", ["1:11 /a/1 The alias *x stands inside what it stands for"]],
    ["a merge of text", "a: {<<: x}", ["1:9 /a The merge key << needs a mapping or a list of mappings, found text"]],
    [
      "a tag",
      "a: !secret x\nb: !!set {}",
      ["1:12 /a The tag !secret is not known", "2:10 /b The tag !!set is not known"],
    ],
    [
      "an octal number",
      "mode: 0644",
      ["1:7 /mode The number 0644 begins with 0, which some read as octal and some as decimal"],
    ],
  ])("%s", async (_, text, expected) => {
    expect(await problems(text)).toEqual(expected);
  });

  test("aliases that would grow without bound", async () => {
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0
        ? "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"
        : `a${level}: &a${level} [${Array(10)
            .fill(`*a${level - 1}`)
            .join(", ")}]`,
    );
    expect(await problems(levels.join("\n"))).toEqual(["6:45 /a5/7 Aliases repeat more than 1000000 values"]);
  });

  test("merge keys that would grow without bound", async () => {
    const levels = Array.from({ length: 40 }, (_, level) =>
      level === 0 ? "a0: &a0 {k: v}" : `a${level}: &a${level} {p: {<<: *a${level - 1}}, q: {<<: *a${level - 1}}}`,
    );
    expect((await problems(levels.join("\n"))).filter((text) => text.includes("Aliases repeat"))).toHaveLength(1);
  });

  test("aliases that would nest without bound", async () => {
    const levels = Array.from({ length: 300 }, (_, level) =>
      level === 0 ? "a0: &a0 [x]" : `a${level}: &a${level} [*a${level - 1}]`,
    );
    const [first] = await problems(levels.join("\n"));
    expect(first).toBe("200:14 /a199/0 The alias *a198 makes collections nest deeper than 200 levels");
  });
});

describe("YAML that is read", () => {
  test("anchors, aliases and merge keys", async () => {
    expect(
      await value(
        "d: &d {a: 1, b: {c: 2}}\ne: {<<: *d, a: 3}\nf: {b: 4, <<: [{x: 5}, *d]}\ng: *d\nh: {? *k : 1}"
          .replace(", ? *k : 1", "")
          .replace("{? *k : 1}", "[*d]"),
      ),
    ).toEqual({
      d: { a: 1, b: { c: 2 } },
      e: { a: 3, b: { c: 2 } },
      f: { b: 4, x: 5, a: 1 },
      g: { a: 1, b: { c: 2 } },
      h: [{ a: 1, b: { c: 2 } }],
    });
  });

  test("a quoted << is a key like any other", async () => {
    expect(await value('a: {"<<": 1}')).toEqual({ a: { "<<": 1 } });
  });

  test("keys that objects inherit", async () => {
    expect(await value("constructor: 1\ntoString: {hasOwnProperty: 2}")).toEqual({
      constructor: 1,
      toString: { hasOwnProperty: 2 },
    });
  });

  test("tags of the core schema", async () => {
    expect(await value("a: !!str 012\nb: !!int '5'\nc: ! 12\nd: !!map {}\ne: !!seq []")).toEqual({
      a: "012",
      b: 5,
      c: "12",
      d: {},
      e: [],
    });
  });

  test("JSON, a byte order mark, Windows line ends and an end marker", async () => {
    expect(await value('\uFEFF{"a": [1, "x"]}')).toEqual({ a: [1, "x"] });
    expect(await value("a: 1\r\nb:\r\n  - c\r\n...\r\n")).toEqual({ a: 1, b: ["c"] });
  });

  test("nothing at all", async () => {
    for (const text of ["", "# only words\n", "---\n", "~"]) {
      // oxlint-disable-next-line no-await-in-loop -- four tiny texts
      expect(await value(text)).toBeUndefined();
    }
  });
});

describe("places", () => {
  const text = [
    "base: &base", // 1
    "  size: s", // 2
    "modules:", // 3
    "  - name: a", // 4
    "    config:", // 5
    "      <<: *base", // 6
    "      list: [1, {deep: x}]", // 7
    "      empty:", // 8
    '      quoted: "a ${B} $${c} ${D}"', // 9
    "      block: |", // 10
    "        line", // 11
    "        ${E} and ${F}", // 12
    "      folded: >-", // 13
    "        one", // 14
    "        ${G}", // 15
    "      copy: *base", // 16
  ].join("\n");
  const at = async (path: (string | number)[], key = false): Promise<string> =>
    show((await readSource("/w/f.yaml", "/w", text)).locate(path, { key }));

  test.each<[string, (string | number)[], string]>([
    ["an item", ["modules", 0], "4:5"],
    ["a text", ["modules", 0, "name"], "4:11"],
    ["inside a list", ["modules", 0, "config", "list", 1, "deep"], "7:24"],
    ["an empty value: its key", ["modules", 0, "config", "empty"], "8:7"],
    ["a block of text: its first line", ["modules", 0, "config", "block"], "11:9"],
    ["a merged value: where it is merged from", ["modules", 0, "config", "size"], "2:9"],
    ["an alias", ["modules", 0, "config", "copy"], "16:13"],
    ["inside an alias", ["modules", 0, "config", "copy", "size"], "2:9"],
    ["what is not there: the nearest that is", ["modules", 0, "config", "list", 7, "x"], "7:13"],
    ["nothing: the top", [], "1:1"],
  ])("%s", async (_, path, place) => {
    expect(await at(path)).toBe(`f.yaml:${place}`);
  });

  test("a key", async () => {
    expect(await at(["modules", 0, "config", "list"], true)).toBe("f.yaml:7:7");
  });

  test("references inside texts of every style", async () => {
    const source = await readSource("/w/f.yaml", "/w", text);
    const find = (key: string, reference: string): string => {
      const config = (source.value as { modules: [{ config: Record<string, string> }] }).modules[0].config;
      const content = config[key] ?? "";
      const offset = content.indexOf(reference);
      return show(source.locate(["modules", 0, "config", key], { text: { value: content, offset } }));
    };
    expect(find("quoted", "${D}")).toBe("f.yaml:9:29");
    expect(find("block", "${F}")).toBe("f.yaml:12:18");
    expect(find("folded", "${G}")).toBe("f.yaml:15:9");
  });

  test("files outside the working folder are named in full", async () => {
    const source = await readSource("/other/f.yaml", "/w", "a: 1");
    expect(source.locate(["a"])).toEqual({ file: "/other/f.yaml", line: 1, column: 4 });
  });
});
