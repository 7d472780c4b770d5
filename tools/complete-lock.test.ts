import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const tool = fileURLToPath(new URL("complete-lock.mjs", import.meta.url));

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wfctl-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function complete(packages: Record<string, unknown>): Promise<Record<string, unknown>> {
  const file = join(folder, "package-lock.json");
  await writeFile(file, JSON.stringify({ lockfileVersion: 3, packages: { "": {}, ...packages } }));
  await promisify(execFile)(process.execPath, [tool, file]);
  const { "": _, ...completed } = (JSON.parse(await readFile(file, "utf8")) as { packages: Record<string, unknown> })
    .packages;
  return completed;
}

test("adds a platform package that is missing, with the platform of its name", async () => {
  const tool = {
    version: "1.0.0",
    optionalDependencies: {
      "@tool/darwin-arm64": "1.0.0",
      "@tool/linux-armv7": "1.0.0",
      "@tool/x-wasm32-wasi": "1.0.0",
    },
  };
  expect(await complete({ "node_modules/tool": tool })).toEqual({
    "node_modules/@tool/darwin-arm64": { version: "1.0.0", os: ["darwin"], cpu: ["arm64"], optional: true },
    "node_modules/@tool/linux-armv7": { version: "1.0.0", os: ["linux"], cpu: ["arm"], optional: true },
    "node_modules/@tool/x-wasm32-wasi": { version: "1.0.0", cpu: ["wasm32"], optional: true },
    "node_modules/tool": tool,
  });
});

test("leaves a complete lock as it is", async () => {
  const packages = {
    "node_modules/binary-linux-x64": { version: "1.0.0", integrity: "sha512-x", os: ["linux"] },
    "node_modules/fsevents": { version: "2.4.0" },
    "node_modules/tool": {
      version: "1.0.0",
      optionalDependencies: { "binary-linux-x64": "1.0.0", fsevents: "~2.3.3" },
    },
  };
  expect(await complete(packages)).toEqual(packages);
});

test("puts a second version below the package that asks for it", async () => {
  const packages = {
    "node_modules/binary-linux-x64": { version: "1.0.0" },
    "node_modules/a/node_modules/tool": { version: "2.0.0", optionalDependencies: { "binary-linux-x64": "2.0.0" } },
  };
  expect(await complete(packages)).toHaveProperty(
    ["node_modules/a/node_modules/tool/node_modules/binary-linux-x64", "version"],
    "2.0.0",
  );
});

test.each([
  ["no platform in the name", { helper: "1.0.0" }],
  ["no version", { "tool-linux-x64": "latest" }],
])("refuses %s", async (_, optionalDependencies) => {
  await expect(complete({ "node_modules/tool": { version: "1.0.0", optionalDependencies } })).rejects.toThrow(
    "Cannot complete the lock",
  );
});
