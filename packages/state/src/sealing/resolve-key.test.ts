import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { deriveKey, formatKey, generateKey } from "./key.ts";
import { keyFilePath, resolveKey, type ResolveKeyOptions } from "./resolve-key.ts";

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});

function home(): string {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-key-"));
  directories.push(directory);
  return directory;
}

const options = (env: Record<string, string>, parts: Partial<ResolveKeyOptions> = {}): ResolveKeyOptions => ({
  env,
  lineage: "l1",
  shared: false,
  ci: false,
  createIfMissing: false,
  ...parts,
});

test("a local stack gets a random key file once, for its owner only", async () => {
  const env = { XDG_CONFIG_HOME: home() };
  expect(await resolveKey(options(env))).toBeUndefined();
  expect(readdirSync(env.XDG_CONFIG_HOME)).toEqual([]);

  const made = await resolveKey(options(env, { createIfMissing: true }));
  const path = join(env.XDG_CONFIG_HOME, "wfctl", "keys", "l1.key");
  expect(made).toMatchObject({ source: "file", path, created: true, exposed: false });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(path, ".."))).toEqual(["l1.key"]);

  const again = await resolveKey(options(env, { createIfMissing: true, ci: true, shared: true }));
  expect(again).toMatchObject({ source: "file", created: false });
  expect(again?.key.id).toBe(made?.key.id);
  expect((await resolveKey(options(env, { lineage: "l2", createIfMissing: true })))?.key.id).not.toBe(made?.key.id);

  chmodSync(path, 0o644);
  expect(await resolveKey(options(env))).toMatchObject({ exposed: true });
});

test("the key file lies under HOME where XDG_CONFIG_HOME is not set", () => {
  expect(keyFilePath({ HOME: "/home/x" }, "l1")).toBe("/home/x/.config/wfctl/keys/l1.key");
  expect(keyFilePath({ HOME: "/home/x", XDG_CONFIG_HOME: "" }, "l1")).toBe("/home/x/.config/wfctl/keys/l1.key");
});

test("a shared stack, and any stack in CI, must be given its key", async () => {
  const env = { XDG_CONFIG_HOME: home() };
  for (const parts of [{ shared: true }, { ci: true }]) {
    const resolved = resolveKey(options(env, { createIfMissing: true, ...parts }));
    await expect(resolved).rejects.toMatchObject({ code: "KEY_REQUIRED" });
    expect(await resolveKey(options(env, parts))).toBeUndefined();
  }
  expect(existsSync(join(env.XDG_CONFIG_HOME, "wfctl"))).toBe(false);
});

test("a variable gives the key, and wins over the key file", async () => {
  const XDG_CONFIG_HOME = home();
  await resolveKey(options({ XDG_CONFIG_HOME }, { createIfMissing: true }));
  const key = generateKey();
  const direct = await resolveKey(options({ XDG_CONFIG_HOME, WFCTL_KEY: formatKey(key) }));
  expect(direct).toMatchObject({ source: "WFCTL_KEY", created: false });
  expect(direct?.key.id).toBe(key.id);

  const path = join(XDG_CONFIG_HOME, "given.key");
  writeFileSync(path, `${formatKey(key)}\n`, { mode: 0o600 });
  const file = await resolveKey(options({ XDG_CONFIG_HOME, WFCTL_KEY_FILE: path, WFCTL_KEY: "" }));
  expect(file).toMatchObject({ source: "WFCTL_KEY_FILE", path, exposed: false });
  expect(file?.key.id).toBe(key.id);

  const phrase = await resolveKey(options({ XDG_CONFIG_HOME, WFCTL_PASSPHRASE: "correct horse" }));
  expect(phrase?.key.id).toBe((await deriveKey("correct horse", "l1")).id);
});

test("what cannot be a key is an error that names its source and not its text", async () => {
  const XDG_CONFIG_HOME = home();
  const path = join(XDG_CONFIG_HOME, "bad.key");
  writeFileSync(path, "hunter2");
  const bad = resolveKey(options({ WFCTL_KEY_FILE: path }));
  await expect(bad).rejects.toMatchObject({ code: "KEY_WRONG", message: expect.stringContaining(path) });
  await expect(bad).rejects.toMatchObject({ message: expect.not.stringContaining("hunter2") });
  const missing = resolveKey(options({ WFCTL_KEY_FILE: `${path}.no` }));
  await expect(missing).rejects.toMatchObject({ code: "KEY_REQUIRED" });
  await expect(resolveKey(options({ WFCTL_KEY_FILE: XDG_CONFIG_HOME }))).rejects.toMatchObject({
    code: "KEY_REQUIRED",
  });
  const two = resolveKey(options({ WFCTL_KEY: "x", WFCTL_PASSPHRASE: "y" }));
  await expect(two).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("WFCTL_PASSPHRASE") });
});

test("where the key file cannot be made, that is said", async () => {
  const XDG_CONFIG_HOME = join(home(), "file");
  writeFileSync(XDG_CONFIG_HOME, "");
  const made = resolveKey(options({ XDG_CONFIG_HOME }, { createIfMissing: true }));
  await expect(made).rejects.toMatchObject({ code: "KEY_REQUIRED" });
});

test("of several who make the key file at once all get the same key", async () => {
  const env = { XDG_CONFIG_HOME: home() };
  const made = await Promise.all(Array.from({ length: 8 }, () => resolveKey(options(env, { createIfMissing: true }))));
  expect(new Set(made.map((resolved) => resolved?.key.id)).size).toBe(1);
});
