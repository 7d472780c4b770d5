import * as fs from "node:fs";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeFolders } from "./folders.ts";

function makeRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "wfctl-folders-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

test("what is missing is made, each with the mode; what is there stays", () => {
  const root = makeRoot();
  mkdirSync(join(root, "a"), { mode: 0o755 });
  makeFolders(join(root, "a/b//c/"), fs, 0o700);
  makeFolders(join(root, "a/b/c"), fs, 0o755);
  const modes = ["a", "a/b", "a/b/c"].map((path) => statSync(join(root, path)).mode & 0o777);
  expect(modes).toEqual([0o755, 0o700, 0o700]);
  expect(() => makeFolders("/", fs)).not.toThrow();
  expect(() => makeFolders(".", fs)).not.toThrow();
});

test("a file, and a link that leads nowhere, in the place are told", () => {
  const root = makeRoot();
  writeFileSync(join(root, "file"), "");
  symlinkSync("nowhere", join(root, "link"));
  expect(() => makeFolders(join(root, "file"), fs)).toThrow(/EEXIST/);
  expect(() => makeFolders(join(root, "file/below"), fs)).toThrow(/ENOTDIR/);
  expect(() => makeFolders(join(root, "link"), fs)).toThrow(/EEXIST/);
});

test("another process that makes the folder at the same time is none's trouble", () => {
  const root = makeRoot();
  const path = join(root, "a/b");
  const raced = {
    statSync,
    mkdirSync(each: string, options: { readonly mode: number }): void {
      const missing = !existsSync(join(each, ".."));
      if (!missing) mkdirSync(each);
      mkdirSync(each, options);
    },
  };
  expect(() => makeFolders(path, raced)).not.toThrow();
  expect(existsSync(path)).toBe(true);
});

test("where no folder can be made it ends", () => {
  const refusals: string[] = [];
  const proc = {
    statSync: (path: string) => ({ isDirectory: () => path === "/proc" || path === "/" }),
    mkdirSync(path: string): void {
      if (refusals.push(path) > 20) throw new Error("It does not end");
      throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
    },
  };
  expect(() => makeFolders("/proc/x/y", proc)).toThrow("ENOENT: /proc/x");
  expect(refusals.length).toBeLessThan(20);
});

test.runIf(process.platform === "linux")("below /proc it ends as well", () => {
  expect(() => makeFolders("/proc/self/fd/wfctl/x", fs)).toThrow(/ENOENT/);
});
