import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runInside } from "./run-inside.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wfctl-schema-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const two = `modules:
- {name: here, type: iac.provider, config: {provider: local}}
- {name: there, type: iac.provider, config: {provider: nowhere}}
- {name: also, type: iac.provider, config: {provider: nowhere}}
`;

test("of several plugins one may be missing: the schema of the others is written, and what installs it is told", async () => {
  await writeFile(join(folder, "infra.yaml"), two);
  const { code, stdout, stderr } = await runInside(folder, "schema", "-o", "written.json");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain('Error infra.yaml:3:3: No installed plugin serves provider "nowhere"');
  expect(stderr).toContain("wfctl plugin install nowhere");
  expect(stderr).toContain("The schema lacks the types of 1 plugin");
  const text = await readFile(join(folder, "written.json"), "utf8");
  expect(JSON.parse(text)).toMatchObject({ $defs: { types: { "infra.storage": {} } } });
  // Resources of the missing one are not checked against the types of the other.
  expect(text).toMatch(/"enum": \[\s+"there",\s+"also"\s+\]/);
});

test("without any plugin, and without a file to write to, the schema of the file itself is printed", async () => {
  await writeFile(join(folder, "infra.yaml"), two.replace(/.*local.*\n/, ""));
  const { code, stdout } = await runInside(folder, "schema");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ title: "Stack file", $defs: { types: {} } });
});

test("declarations are written without the types of a missing plugin, too", async () => {
  await writeFile(join(folder, "infra.yaml"), two);
  const { code, stdout, stderr } = await runInside(folder, "schema", "--types");
  expect(code).toBe(1);
  expect(stdout).toContain("infra.storage");
  // Resources of the missing one are not checked against the types of the other.
  expect(stdout).toContain('  interface UncheckedProviders {\n    "there": true;\n    "also": true;\n  }\n');
  expect(stderr).toContain("The declarations lack the types of 1 plugin");
});
