import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** file: [source, the rules that must fire there]. No rule: the file must pass. */
const planted: Readonly<Record<string, readonly [source: string, ...rules: string[]]>> = {
  "packages/engine/src/grpc.ts": [`export { Client } from "@grpc/grpc-js";`, "no-restricted-imports"],
  "packages/engine/src/store.ts": [`export type { Store } from "@wfctl/state";`, "no-restricted-imports"],
  "packages/engine/src/files.ts": [`export { readFile } from "node:fs/promises";`, "no-restricted-imports"],
  "packages/engine/src/timers.ts": [`export const timers = import("node:timers/promises");`, "no-restricted-imports"],
  "packages/engine/src/clock.ts": [`export const now = (): number => Date.now();`, "no-restricted-properties"],
  "packages/engine/src/random.ts": [`export const roll = (): number => Math.random();`, "no-restricted-properties"],
  "packages/engine/src/timeout.ts": [
    `export const later = (f: () => void): unknown => setTimeout(f, 1);`,
    "no-restricted-globals",
  ],
  "packages/engine/src/environment.ts": [`export const home = process.env["HOME"];`, "no-restricted-globals"],
  "packages/engine/src/fine.ts": [
    `export type { JsonValue } from "@wfctl/model";\nexport { now } from "./clock.ts";\nexport const at = new Date(0);`,
  ],
  "packages/engine/src/clock.test.ts": [
    `import { readFile } from "node:fs/promises";\nexport const now = Date.now() + Math.random();\nsetTimeout(() => readFile, 1);`,
  ],
  "packages/model/src/clock.ts": [`export const now = (): number => Date.now();`, "no-restricted-properties"],
  "packages/model/src/os.ts": [`export { cpus } from "node:os";`, "no-restricted-imports"],
  "packages/model/src/contract.ts": [`export * from "@wfctl/contract";`, "no-restricted-imports"],
  "packages/contract/src/engine.ts": [`export type * from "@wfctl/engine";`, "no-restricted-imports"],
  "packages/config/src/state.ts": [`export * from "@wfctl/state";`, "no-restricted-imports"],
  "packages/state/src/host.ts": [`export * from "@wfctl/plugin-host";`, "no-restricted-imports"],
  "packages/plugin-host/src/state.ts": [`export * from "@wfctl/state";`, "no-restricted-imports"],
  "packages/plugin-host/src/fine.ts": [`export type * from "@wfctl/engine";\nexport { cwd } from "node:process";`],
  "packages/plugin-sdk/src/engine.ts": [`export type * from "@wfctl/engine";`, "no-restricted-imports"],
  "packages/testkit/src/deep.ts": [`export * from "@wfctl/model/src/status.ts";`, "no-restricted-imports"],
  "providers/local/src/model.ts": [`export * from "@wfctl/model";`, "no-restricted-imports"],
  "providers/local/src/wire.ts": [`export * from "@grpc/grpc-js";`, "no-restricted-imports"],
  "providers/local/src/fine.ts": [`export * from "@wfctl/plugin-sdk";\nexport const now = Date.now();`],
  "packages/state/src/floating.ts": [
    `export async function write(): Promise<void> {}\nwrite();`,
    "no-floating-promises",
  ],
  "packages/state/src/throw.ts": [`export function refuse(): never {\n  throw "no";\n}`, "only-throw-error"],
  "packages/state/src/switch.ts": [
    `export function name(kind: "a" | "b"): string {\n  switch (kind) {\n    case "a":\n      return "A";\n  }\n  return "";\n}`,
    "switch-exhaustiveness-check",
  ],
  "packages/state/src/circle-a.ts": [
    `import { b } from "./circle-b.ts";\nexport const a = (): unknown => b;`,
    "no-cycle",
  ],
  "packages/state/src/circle-b.ts": [
    `import { a } from "./circle-a.ts";\nexport const b = (): unknown => a;`,
    "no-cycle",
  ],
  "packages/state/src/default.ts": [`const answer = 42;\nexport default answer;`, "no-default-export"],
};

describe("oxlint", () => {
  let copy = "";
  const fired = new Map<string, string[]>();

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), "wfctl-lint-"));
    for (const name of [".oxlintrc.json", "tsconfig.json"]) await cp(join(root, name), join(copy, name));
    await symlink(join(root, "node_modules"), join(copy, "node_modules"));
    for (const [file, [source]] of Object.entries(planted)) {
      await mkdir(dirname(join(copy, file)), { recursive: true });
      await writeFile(join(copy, file), `${source}\n`);
    }
    for (const { filename, code } of await runOxlint(copy))
      fired.set(filename, [...(fired.get(filename) ?? []), ruleOf(code)]);
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  for (const [file, [, ...rules]] of Object.entries(planted)) {
    const title = rules.length > 0 ? `refuses ${file} by ${rules.join(", ")}` : `accepts ${file}`;
    test(`${title}`, () => {
      expect(fired.get(file) ?? []).toEqual(rules);
    });
  }
});

function runOxlint(cwd: string): Promise<{ filename: string; code: string }[]> {
  const oxlint = join(root, "node_modules/.bin/oxlint");
  return new Promise((resolve, reject) => {
    execFile(
      oxlint,
      ["--type-aware", "-f", "json", "packages", "providers"],
      { cwd, timeout: 150_000, maxBuffer: 1 << 26 },
      (_, stdout, stderr) => {
        try {
          resolve((JSON.parse(stdout) as { diagnostics: { filename: string; code: string }[] }).diagnostics);
        } catch (cause) {
          reject(new Error(`Cannot read the report of oxlint: ${stdout}${stderr}`, { cause }));
        }
      },
    );
  });
}

/** "typescript-eslint(no-floating-promises)" is the rule no-floating-promises. */
function ruleOf(code: string): string {
  return /\(([^)]+)\)$/.exec(code)?.[1] ?? code;
}
