import { isExpression, renderExpression, type Expression, type JsonObject, type TemplatePart } from "@wfctl/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stackDigestInput } from "../digest.ts";
import { parseTemplate } from "../template.ts";
import { loadGood } from "../testing/load-text.ts";
import { convertToYaml } from "./to-yaml.ts";

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,6}$/);
/** Text with everything that YAML and references treat in a way of their own. */
const plainText = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    "",
    " ",
    "yes",
    "null",
    "~",
    "1",
    "0x1f",
    "1e3",
    "2020-01-01",
    "- a",
    "a: b",
    "#c",
    "'",
    '"',
    "|",
    ">",
    "\n",
    "a\n b\n",
    "\t",
    "<<",
    "{}",
    "é\u2028x",
  ),
);
const escaped = plainText.map((text) =>
  /^\$[A-Za-z_]\w*$/.test(text) ? `x${text}` : text.replaceAll("${", () => "$${").replace(/\$$/, ""),
);
const reference = fc.constantFrom(
  "${first.id}",
  "${first.a.b}",
  "x ${first.url} y",
  "${{ first.port + 1 }}",
  '${{ {"a": [first.id, "}}"]} }}',
);
/** Whole numbers that a double cannot hold exactly are refused by the loader. */
const fraction = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value))
  .map((value) => (Object.is(value, -0) ? 0 : value));
const leaf = fc.oneof(escaped, reference, fc.boolean(), fc.constant(null), fc.integer(), fraction);
const config = fc.dictionary(
  word.filter((key) => !["provider", "size", "depends_on", "protected", "name", "region"].includes(key)),
  fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(word, tie("value"), { maxKeys: 3 }),
    ),
  })).value,
  { maxKeys: 5 },
);

describe("a stack", () => {
  test("is the same from JSON and from the YAML that is written of it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(config, { maxLength: 4 }), async (configs) => {
        const document = {
          name: "shop",
          modules: [
            { name: "p", type: "iac.provider", config: { provider: "fake" } },
            { name: "first", type: "infra.vpc" },
            ...configs.map((each, index) => ({ name: `r${index}`, type: "infra.x", config: each })),
          ],
        } as unknown as JsonObject;
        const yaml = convertToYaml(document, [], { path: "", text: "" });
        const [fromJson, fromYaml] = [await loadGood(JSON.stringify(document)), await loadGood(yaml)];
        expect(stackDigestInput(fromYaml)).toEqual(stackDigestInput(fromJson));
      }),
      { numRuns: 150 },
    );
  });
});

describe("a text with references", () => {
  const part: fc.Arbitrary<TemplatePart> = fc.oneof(
    fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !text.includes("$")),
    fc.constantFrom("${", "$", "{", "}}", "$ {"),
    fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,5}$/).map((env) => ({ env })),
    fc.tuple(word, word).map(([resource, path]) => ({ resource: `r${resource}`, path })),
    fc.constant({ computed: " rx.port + 1 ", refs: [{ resource: "rx", path: "port" }] }),
  );

  test("is read as what it was written from", () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        // Neighbours of literal text are one text, and a "$" before a reference cannot be written.
        const joined: TemplatePart[] = [];
        for (const each of parts) {
          const last = joined.at(-1);
          if (typeof each === "string" && typeof last === "string") joined[joined.length - 1] = last + each;
          else joined.push(each);
        }
        const writable = joined.every(
          (each, index) => typeof each !== "string" || !each.endsWith("$") || index === joined.length - 1,
        );
        const text = renderExpression({ $expr: joined });
        fc.pre(
          writable &&
            !/^\$[A-Za-z_]\w*$/.test(text) &&
            !joined.some((each) => typeof each === "string" && each.includes("$${")),
        );
        const { value, problems } = parseTemplate(text);
        expect(problems).toEqual([]);
        const read: readonly TemplatePart[] = isExpression(value) ? (value as Expression).$expr : [value as string];
        expect(read).toEqual(joined);
      }),
      { numRuns: 500 },
    );
  });
});
