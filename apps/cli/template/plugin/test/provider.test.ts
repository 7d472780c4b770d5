import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import { ApiError, createApi } from "../src/api.ts";
import { refused } from "../src/errors.ts";
import { provider } from "../src/provider.ts";
import { manifestText } from "../src/write-manifest.ts";

test("plugin.json says what the provider says", async () => {
  const file = readFileSync(join(import.meta.dirname, "..", "plugin.json"), "utf8");
  assert.deepEqual(JSON.parse(file), JSON.parse(await manifestText()), "run: npm run manifest");
});

test("package.json and the provider have one version", () => {
  const file = readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8");
  assert.equal((JSON.parse(file) as { version: string }).version, provider.version);
});

test("an error whose meaning is not known promises nothing", () => {
  const classOf = (status: number): string => {
    try {
      return refused(new ApiError(status, "No"));
    } catch (error) {
      assert.ok(error instanceof ProviderFailure);
      return error.class;
    }
  };
  assert.equal(classOf(404), "not_found");
  assert.equal(classOf(500), "unknown");
});

test("two creates with one token make one note", async (context) => {
  const root = mkdtempSync(join(tmpdir(), "notes-"));
  context.after(() => rmSync(root, { recursive: true }));
  const api = createApi(root);
  const wish = { name: "a", token: "t", owner: undefined, text: "x", shelf: "main", dry_seconds: 0 };
  const [first, second] = await Promise.all([api.create(wish), api.create(wish)]);
  assert.equal(first.id, second.id);
  assert.equal((await api.list()).length, 1);
});
