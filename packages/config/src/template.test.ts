/* oxlint-disable no-template-curly-in-string -- the texts under test */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderExpression, type TemplatePart } from "@wfctl/model";
import { parseTemplate } from "./template.ts";

const parts = (text: string): readonly TemplatePart[] | string => {
  const { value, problems } = parseTemplate(text);
  expect(problems).toEqual([]);
  return typeof value === "string" ? value : value.$expr;
};
const problem = (text: string): [number, string] => {
  const { problems } = parseTemplate(text);
  const [only] = problems;
  if (only === undefined || problems.length !== 1) throw new Error(`${problems.length} problems`);
  expect(only.hint).not.toBe("");
  return [only.offset, only.summary];
};

describe("references", () => {
  test.each<[string, string, readonly TemplatePart[] | string]>([
    ["a variable", "${NAME}", [{ env: "NAME" }]],
    ["a variable as the whole text", "$NAME", [{ env: "NAME" }]],
    ["an output", "${db.host}", [{ resource: "db", path: "host" }]],
    ["an output split at the first dot", "${db.a.b.c}", [{ resource: "db", path: "a.b.c" }]],
    ["a name with dashes", "${orders-db.id}", [{ resource: "orders-db", path: "id" }]],
    ["several with text around them", "a${X}b${r.y}c", ["a", { env: "X" }, "b", { resource: "r", path: "y" }, "c"]],
    ["two side by side", "${A}${B}", [{ env: "A" }, { env: "B" }]],
    ["text without any", "plain", "plain"],
    ["nothing", "", ""],
  ])("%s", (_, text, expected) => {
    expect(parts(text)).toEqual(expected);
  });
});

describe("dollars that are no reference", () => {
  test.each<[string, string, readonly TemplatePart[] | string]>([
    ["a price", "$5", "$5"],
    ["a name inside text", "say $NAME", "say $NAME"],
    ["a name with a path after it", "$HOME/bin", "$HOME/bin"],
    ["two dollars", "$$", "$$"],
    ["two dollars before a name", "$$NAME", "$$NAME"],
    ["one at the end", "a$", "a$"],
    ["a hash of a password", "$2a$10$abc", "$2a$10$abc"],
    ["an escaped reference", "$${NAME}", "${NAME}"],
    ["an escape that is never closed", "$${", "${"],
    ["a dollar before an escape", "$$${X}", "$${X}"],
    ["an escape beside a reference", "$${A}${B}", ["${A}", { env: "B" }]],
    ["a reference beside an escape", "${B}$${A}", [{ env: "B" }, "${A}"]],
    ["a brace", "a}b{c", "a}b{c"],
  ])("%s", (_, text, expected) => {
    expect(parts(text)).toEqual(expected);
  });
});

describe("texts that cannot be read", () => {
  test.each<[string, number, string]>([
    ["${}", 0, "The reference ${} is empty"],
    ["ab ${ }", 3, "The reference ${} is empty"],
    ["a ${.x}", 2, 'The reference "${.x}" has no resource before its dot'],
    ["a ${x.}", 2, 'The reference "${x.}" has no output after its dot'],
    ["${A} ${B", 5, "The reference is not closed, expected a }"],
    ["${ NAME }", 0, 'The reference "${ NAME }" holds spaces'],
    ["${db. host}", 0, 'The reference "${db. host}" holds spaces'],
    ["${orders-db}", 0, 'The reference "${orders-db}" names neither an environment variable nor a resource\'s output'],
    ["${NAME:-x}", 0, 'The reference "${NAME:-x}" is not the name of an environment variable'],
    ["${a.${b}}", 0, 'The reference "${a.${b}" holds another one'],
    ["$${A} ${}", 6, "The reference ${} is empty"],
  ])("%s", (text, offset, summary) => {
    expect(problem(text)).toEqual([offset, summary]);
  });

  test("are kept as they are, so that other references in them still count", () => {
    expect(parseTemplate("${} ${A}").value).toEqual({ $expr: ["${} ", { env: "A" }] });
  });

  test("tell each problem", () => {
    expect(parseTemplate("${} ${.x} ${y.}").problems.map((found) => found.offset)).toEqual([0, 4, 10]);
  });
});

const anyText = fc
  .array(fc.oneof(fc.string(), fc.constantFrom("$", "{", "}", "$${", "${A}", "${b-c.d.e}", "$NAME", ".", " ", "é")))
  .map((pieces) => pieces.join(""));

test("parsing what was rendered gives the same expression", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const { value, problems } = parseTemplate(text);
      if (typeof value === "string" || problems.length > 0) return;
      expect(parseTemplate(renderExpression(value))).toEqual({ value, problems: [] });
    }),
    { numRuns: 2000 },
  );
});

test("text and references put together are read back as they were", () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
  const literal = fc.string({ minLength: 1 }).filter((text) => !text.endsWith("$"));
  const reference: fc.Arbitrary<TemplatePart> = fc.oneof(
    name.map((env) => ({ env })),
    fc.tuple(name, name, name).map(([resource, a, b]) => ({ resource, path: `${a}.${b}` })),
  );
  const template = fc
    .array(fc.tuple(fc.option(literal, { nil: undefined }), reference), { minLength: 1 })
    .map((pairs) => pairs.flatMap(([text, part]): TemplatePart[] => (text === undefined ? [part] : [text, part])));
  fc.assert(
    fc.property(template, (expected) => {
      expect(parseTemplate(renderExpression({ $expr: expected })).value).toEqual({ $expr: expected });
    }),
  );
});

test("text without a dollar and brace is never changed", () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !text.includes("${") && !/^\$[A-Za-z_]/.test(text)),
      (text) => {
        expect(parseTemplate(text)).toEqual({ value: text, problems: [] });
      },
    ),
  );
});
