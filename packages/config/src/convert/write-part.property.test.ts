import type { JsonObject } from "@wfctl/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadGood } from "../testing/load-text.ts";
import { mapTree } from "../values.ts";
import { escapeText } from "./escape-text.ts";
import { writeStackPart } from "./write-part.ts";

const awkward = fc.constantFrom(
  "$",
  "${",
  "}",
  "{",
  "$$",
  "${a.b}",
  "$NAME",
  "$${x}",
  "${{ 1 }}",
  "\\",
  '"',
  "a",
  "\n",
  " ",
);
const anyText = fc.oneof(
  fc.string(),
  fc.array(awkward, { maxLength: 6 }).map((parts) => parts.join("")),
);
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    anyText,
    fc.boolean(),
    fc.integer(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie("value"), { maxKeys: 3 }),
  ),
})).value;

const escaped = (config: JsonObject): JsonObject =>
  mapTree(config, [], (leaf) => (typeof leaf === "string" ? escapeText(leaf) : leaf)) as JsonObject;

test("what is written is read as exactly that, whatever its texts hold", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.stringMatching(/^v_[a-z]{1,6}$/), value, { maxKeys: 4 }),
      fc.string({ minLength: 1, unit: "grapheme-ascii" }).filter((text) => !text.includes("$")),
      async (config, id) => {
        const part = writeStackPart({
          head: ["Found."],
          resources: [{ name: "a", type: "infra.x", config: escaped(config as JsonObject) }],
          imports: [{ to: "a", id }],
        });
        const stack = await loadGood({
          "infra.yaml": "imports: [part.yaml]\nmodules: [{name: p, type: iac.provider, config: {provider: fake}}]\n",
          "part.yaml": part,
        });
        expect(stack.resources[0]?.config).toEqual(config);
        expect(stack.imports).toMatchObject([{ to: "a", id }]);
      },
    ),
    { numRuns: 300 },
  );
});

test("it is short, and says what is small on one line", () => {
  const text = writeStackPart({
    head: ["Found by wfctl.", "Second line."],
    resources: [
      { name: "web", type: "infra.x", config: { size: "s", tags: ["a"] } },
      { name: "net", type: "infra.y", config: {} },
    ],
    imports: [{ to: "web", id: "12" }],
  });
  expect(text).toBe(`# Found by wfctl.
# Second line.

modules:
  - name: web
    type: infra.x
    config:
      size: s
      tags:
        - a

  - name: net
    type: infra.y

import:
  - {to: web, id: "12"}
`);
});
