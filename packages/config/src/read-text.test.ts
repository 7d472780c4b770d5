import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadStack } from "./load-stack.ts";
import { readPipe } from "./read-pipe.ts";
import { NotUtf8Error, readText } from "./read-text.ts";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "wfctl-text-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function makePipe(path: string): void {
  execFileSync("sh", ["-c", 'mkfifo "$1"', "sh", path]);
}

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

test("UTF-16 without a mark is told as such", async () => {
  const path = join(folder, "wide.yaml");
  for (const bytes of [Buffer.from("name: x\n", "utf16le"), Buffer.from("name: x\n", "utf16le").swap16()]) {
    writeFileSync(path, bytes);
    // oxlint-disable-next-line no-await-in-loop -- two
    await expect(readText(path)).rejects.toThrow("it is UTF-16, expected UTF-8");
  }
});

test("what is no file is told as what it is", async () => {
  mkdirSync(join(folder, "dir/infra.yaml"), { recursive: true });
  symlinkSync("loop.yaml", join(folder, "loop.yaml"));
  const lines: string[] = [];
  for (const path of ["dir", "loop.yaml", "/dev/zero", "dir/infra.yaml/x/y"]) {
    // oxlint-disable-next-line no-await-in-loop -- four
    const { diagnostics } = await loadStack({ cwd: folder, path });
    lines.push(...diagnostics.map(({ code, summary }) => `${code} ${summary.replaceAll(folder, "")}`));
  }
  expect(lines).toEqual([
    'CONFIG_INVALID Cannot read the stack file "/dir/infra.yaml": it is a folder, expected a file',
    'CONFIG_INVALID Cannot read the stack file "/loop.yaml": its symbolic links form a loop',
    'CONFIG_INVALID Cannot read the stack file "/dev/zero": it is a device, expected a file',
    'CONFIG_NOT_FOUND There is no stack file at "/dir/infra.yaml/x/y"',
  ]);
});

test("a pipe is read to its end, as of a program that writes the stack file", async () => {
  const path = join(folder, "pipe");
  makePipe(path);
  const text = `name: x\n# ${"y".repeat(200_000)}\n`;
  const reading = readText(path);
  const writer = spawn("sh", ["-c", 'cat > "$1"', "sh", path], { stdio: ["pipe", "ignore", "inherit"] });
  writer.stdin.end(text);
  expect(await reading).toBe(text);
});

test("a pipe that nobody writes to, and one that does not end, are given up", async () => {
  const path = join(folder, "silent");
  makePipe(path);
  await expect(readPipe(path, 10, 50)).rejects.toThrow("nobody wrote to this pipe for 0.05 s");
  const reading = readPipe(path, 100_000);
  const writer = spawn("sh", ["-c", 'cat /dev/zero > "$1"', "sh", path], { stdio: "ignore" });
  await expect(reading).rejects.toThrow("it is larger than");
  writer.kill();
});
