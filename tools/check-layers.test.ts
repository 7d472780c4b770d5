import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkLayers } from "./check-layers.ts";

let root = "";
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), "wfctl-layers-")), "test");
  await mkdir(root);
});
afterEach(() => rm(dirname(root), { recursive: true, force: true }));

/** Writes files into the temporary repository and returns the violations found in it. */
async function check(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return (await checkLayers(root)).violations;
}

const engine = JSON.stringify({ dependencies: { "@wfctl/model": "0.1.0" } });
const state = JSON.stringify({ dependencies: { "@wfctl/model": "0.1.0", "@wfctl/engine": "0.1.0" } });

describe("checkLayers", () => {
  test("fails where it finds no source", async () => {
    await expect(check({ "packages/engine/package.json": engine })).rejects.toThrow("0 files");
  });

  test("fails where the sources import nothing", async () => {
    await expect(
      check({ "packages/engine/package.json": engine, "packages/engine/src/a.ts": "export {};" }),
    ).rejects.toThrow("0 imports");
  });

  test.each([
    ["a static import", `import { x } from "@wfctl/state";\nx;`],
    ["an export", `export * from "@wfctl/state";`],
    ["a type import", `export type { X } from "@wfctl/state";`],
    ["a dynamic import", `export const x = import("@wfctl/state");`],
    ["a subpath", `export * from "@wfctl/state/testing";`],
    ["an npm package", `export * from "yaml";`],
    ["a node: module", `export * from "node:fs";`],
    ["a file of another package", `export * from "../../state/src/index.ts";`],
    ["what is for tests", `export * from "./testing/fake.ts";`],
    ["the clock", `export * from "@wfctl/model";\nexport const now = new Date();`],
  ])("refuses %s in the engine", async (_, source) => {
    expect(await check({ "packages/engine/package.json": engine, "packages/engine/src/a.ts": source })).toHaveLength(1);
  });

  test("accepts what the table allows, and words in comments and strings", async () => {
    const source = `import type { X } from "@wfctl/model";\nexport const x: X = 'import "@wfctl/state"'; // new Date()\nexport * from "./b.ts";`;
    expect(await check({ "packages/engine/package.json": engine, "packages/engine/src/a.ts": source })).toEqual([]);
  });

  test("refuses a value import where only types are allowed", async () => {
    const files = {
      "packages/state/package.json": state,
      "packages/state/src/a.ts": `import { type Store } from "@wfctl/engine";`,
    };
    expect(await check(files)).toEqual([
      "packages/state/src/a.ts: imports @wfctl/engine, where only `import type` is allowed",
    ]);
    expect(await check({ "packages/state/src/a.ts": `import type { Store } from "@wfctl/engine";` })).toEqual([]);
  });

  test("refuses an allowed import that package.json does not list", async () => {
    const files = { "packages/config/package.json": engine, "packages/config/src/a.ts": `import "yaml";` };
    expect(await check(files)).toEqual([
      "packages/config/src/a.ts: imports yaml, which its package.json does not list",
    ]);
  });

  test("refuses a forbidden or inexact dependency and an unknown package", async () => {
    const violations = await check({
      "packages/engine/package.json": JSON.stringify({
        dependencies: { "@wfctl/state": "0.1.0", "@wfctl/model": "^0.1.0" },
      }),
      "packages/engine/src/a.ts": `import type {} from "@wfctl/model";`,
      "packages/extra/package.json": "{}",
    });
    expect(violations).toEqual([
      "packages/engine/package.json: depends on @wfctl/state, which its layer may not import",
      `packages/engine/package.json: @wfctl/model is "^0.1.0", expected an exact version`,
      "packages/extra: has no row in tools/check-layers.ts, expected one",
    ]);
  });

  test.each([
    "src/a.test.ts",
    "src/test-server.ts",
    "src/b/arbitraries.ts",
    "src/testing/fake.ts",
    "src/testdata/start.ts",
    "test/start.ts",
  ])("lets %s import what tests need", async (name) => {
    const files = {
      "packages/engine/package.json": engine,
      [`packages/engine/${name}`]: `import "vitest"; import "node:fs";`,
    };
    expect(await check(files)).toEqual([]);
  });

  test("lets a package that is for tests import what it lists, from any of its files", async () => {
    const manifest = JSON.stringify({ dependencies: { "@wfctl/state": "0.1.0" } });
    const source = `import "@wfctl/state/testing"; import "./test-stack.ts"; import "@wfctl/config";`;
    const violations = await check({ "packages/testkit/package.json": manifest, "packages/testkit/src/a.ts": source });
    expect(violations).toEqual([
      "packages/testkit/src/a.ts: imports @wfctl/config, which its package.json does not list",
    ]);
  });

  test("lets a test import what the package lists, and nothing of the workspace beyond", async () => {
    const listed = JSON.stringify({
      dependencies: { "@wfctl/model": "0.1.0" },
      devDependencies: { "@wfctl/state": "0.1.0" },
    });
    const source = `import "vitest"; import "node:fs"; import "@wfctl/state"; import "@wfctl/testkit"; export const at = new Date();`;
    const files = { "packages/engine/package.json": listed, "packages/engine/src/a.test.ts": source };
    expect(await check(files)).toEqual([
      "packages/engine/src/a.test.ts: imports @wfctl/testkit, which its package.json does not list",
    ]);
  });
});
