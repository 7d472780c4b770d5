import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startLanguageServer, type LanguageServer } from "../testing/language-server.ts";
import { stackSchema } from "./stack-schema.ts";

const database = {
  type: "object",
  properties: {
    engine: { type: "string", enum: ["postgres", "mysql"], description: "Kind of database" },
    storage_gb: { type: "integer", minimum: 10 },
  },
  required: ["engine"],
  additionalProperties: false,
};

let folder: string;
let editor: LanguageServer;
const open: LanguageServer["open"] = (name, text) => editor.open(name, text);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "wfctl-lsp-"));
  editor = await startLanguageServer(folder, JSON.stringify(stackSchema(new Map([["infra.database", database]]))));
});

afterAll(async () => {
  await editor.end();
  rmSync(folder, { recursive: true, force: true });
});

const head = "modules:\n  - name: db\n    type: infra.database\n";

test("an editor offers the keys of a resource's type, and those that wfctl reads", async () => {
  const { labels } = await open("keys.yaml", `${head}    config:\n      engine: postgres\n      |\n`);
  expect(labels).toEqual(expect.arrayContaining(["storage_gb", "size", "depends_on"]));
});

test("an editor offers words, types and the keys at the top", async () => {
  expect((await open("words.yaml", `${head}    config:\n      engine: |\n`)).labels).toEqual(
    expect.arrayContaining(["postgres", "mysql"]),
  );
  expect((await open("types.yaml", "modules:\n  - name: db\n    type: |\n")).labels).toContain("infra.database");
  expect((await open("top.yaml", "name: x\n|\n")).labels).toEqual(
    expect.arrayContaining(["modules", "variables", "environments", "on_failure"]),
  );
});

test("an editor marks unknown keys and wrong values, and takes references for every value", async () => {
  const wrong = await open("wrong.yaml", `${head}    config: {engine: oracle, storge_gb: 10}\n`);
  expect(wrong.problems.join("\n")).toMatch(/storge_gb/);
  expect(wrong.problems.join("\n")).toMatch(/postgres/);
  const good = await open(
    "good.yaml",
    `variables: {gb: 20}\n${head}    config: {engine: postgres, storage_gb: "\${var.gb}", size: "\${{ 'l' }}"}\n`,
  );
  expect(good.problems).toEqual([]);
});
