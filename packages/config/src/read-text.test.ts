import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadStack } from "./load-stack.ts";
import { NotUtf8Error, readText } from "./read-text.ts";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "wfctl-text-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function placeOf(bytes: Buffer): Promise<unknown> {
  const path = join(folder, "text");
  writeFileSync(path, bytes);
  try {
    return await readText(path);
  } catch (error) {
    if (error instanceof NotUtf8Error) return error.place;
    throw error;
  }
}

test("the place of the first byte that is no UTF-8 is found, whatever comes before it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "grapheme", maxLength: 40 }),
      fc.constantFrom([0xff], [0xc3, 0x28], [0xe2, 0x82], [0x80], [0xf0, 0x9f]),
      fc.string({ maxLength: 10 }),
      async (before, wrong, after) => {
        const bytes = Buffer.concat([Buffer.from(before), Buffer.from(wrong), Buffer.from(`.${after}`)]);
        const lines = Buffer.from(before).toString().split("\n");
        expect(await placeOf(bytes)).toEqual({ line: lines.length, column: (lines.at(-1) ?? "").length + 1 });
      },
    ),
    { numRuns: 50 },
  );
});

test("text in UTF-8 is read as it is", async () => {
  expect(await placeOf(Buffer.from("\uFEFFä: €😀\r\n"))).toBe("\uFEFFä: €😀\r\n");
  expect(await placeOf(Buffer.alloc(0))).toBe("");
});

test("a stack file that is no UTF-8 is refused with its place and what to do", async () => {
  writeFileSync(join(folder, "infra.yaml"), Buffer.from("name: x\nmodules: [\xe4]\n", "latin1"));
  const { diagnostics } = await loadStack({ cwd: folder });
  expect(diagnostics).toMatchObject([
    {
      code: "CONFIG_INVALID",
      hint: "Write the file anew as text in UTF-8",
      source: { file: "infra.yaml", line: 2, column: 11 },
    },
  ]);
  writeFileSync(join(folder, "infra.yaml"), Buffer.from("\uFEFFname: x\n", "utf16le"));
  expect((await loadStack({ cwd: folder })).diagnostics[0]?.summary).toContain("it is UTF-16, expected UTF-8");
});
