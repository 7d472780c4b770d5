import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { compareFolders, findStaleGenerated } from "./check-gen.ts";

test("the committed generated code is what the proto files give", async () => {
  expect(await findStaleGenerated()).toEqual([]);
});

test("a changed, a missing and a left-over file are each named", async () => {
  const root = await mkdtemp(join(tmpdir(), "wfctl-compare-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const write = async (folder: string, path: string, text: string): Promise<void> => {
    await mkdir(join(root, folder, "sub"), { recursive: true });
    await writeFile(join(root, folder, path), text);
  };
  await write("wanted", "sub/same.ts", "1");
  await write("found", "sub/same.ts", "1");
  await write("wanted", "changed.ts", "1");
  await write("found", "changed.ts", "2");
  await write("wanted", "sub/new.ts", "1");
  await write("found", "old.ts", "1");
  expect(await compareFolders(join(root, "wanted"), join(root, "found"))).toEqual([
    "different changed.ts",
    "left over old.ts",
    "missing sub/new.ts",
  ]);
});
