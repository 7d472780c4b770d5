import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compareListings, digestFolder, digestListing } from "../../src/plugins/folder-digest.ts";
import { tempFolder } from "./temp-folder.ts";

function makeFolder(files: readonly string[] = ["b", "a", "d/é", "d/Z", 'odd "name"']): string {
  const folder = tempFolder();
  for (const file of files) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), `content of ${file}`);
  }
  chmodSync(join(folder, "a"), 0o755);
  symlinkSync("d/Z", join(folder, "link"));
  return folder;
}

describe("the digest of a folder", () => {
  test("is the same wherever, whenever and in whatever order it was written", () => {
    const one = digestFolder(makeFolder());
    const folder = makeFolder(['odd "name"', "d/Z", "d/é", "a", "b"]);
    utimesSync(join(folder, "a"), 0, 0);
    chmodSync(join(folder, "b"), 0o600);
    mkdirSync(join(folder, "empty"));
    expect(digestFolder(folder)).toEqual(one);
    expect(digestListing(one.listing)).toBe(one.digest);
    // Of this very algorithm: a lock file that is in use must not lose its meaning.
    expect(one.digest).toBe("sha256:834011894d8d71e6c695dea751477859febbbd51facea9c4a0c6e870e318d854");
  });

  test.for<[string, (folder: string) => void, string]>([
    ["content", (folder) => writeFileSync(join(folder, "b"), "other"), "b has changed"],
    ["one more file", (folder) => writeFileSync(join(folder, "d/new"), ""), "d/new is new"],
    ["one file less", (folder) => rmSync(join(folder, "d/Z")) ?? rmSync(join(folder, "link")), "d/Z is gone"],
    ["a name", (folder) => renameSync(join(folder, "b"), join(folder, "c")), "b is gone"],
    ["who may execute it", (folder) => chmodSync(join(folder, "b"), 0o700), "b has changed"],
    [
      "where a link leads",
      (folder) => {
        rmSync(join(folder, "link"));
        symlinkSync("a", join(folder, "link"));
      },
      "link has changed",
    ],
  ])("changes with %s, and tells what", ([, change, told]) => {
    const folder = makeFolder();
    const before = digestFolder(folder);
    change(folder);
    const after = digestFolder(folder);
    expect(after.digest).not.toBe(before.digest);
    expect(compareListings(before.listing, after.listing)).toContain(told);
  });

  test("is refused to what could change behind its back", async () => {
    const leading = makeFolder();
    symlinkSync(tempFolder(), join(leading, "out"));
    expect(() => digestFolder(leading)).toThrow(/out is a link to the absolute path/);
    const listening = makeFolder();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(listening, "socket"), resolve));
    expect(() => digestFolder(listening)).toThrow(/socket is neither a file, a folder nor a link/);
    server.close();
    expect(() => digestFolder("/nowhere")).toThrow(/cannot be read whole/);
  });
});
