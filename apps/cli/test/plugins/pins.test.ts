import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkPin } from "../../src/plugins/pins.ts";
import { writePlugin } from "./plugin-source.ts";
import { tempFolder } from "./temp-folder.ts";

function createPinned(yaml: (sha256: string) => string | undefined, below = "") {
  const cwd = tempFolder();
  const directory = writePlugin(join(cwd, "data/plugins/acme"), "1.0.0");
  const executable = join(directory, "acme");
  const text = yaml(createHash("sha256").update(readFileSync(executable)).digest("hex"));
  if (text !== undefined) writeFileSync(join(cwd, ".wfctl.yaml"), text);
  mkdirSync(join(cwd, below), { recursive: true });
  return () => checkPin({ folder: "acme", executable }, join(cwd, below));
}

describe("upstream's pin of a plugin", () => {
  test.for<[string, (sha256: string) => string | undefined, string?]>([
    ["is equal", (sha256) => `plugins:\n  acme:\n    sha256: ${sha256}\n`],
    ["is equal in capitals", (sha256) => `plugins: {acme: {sha256: "${sha256.toUpperCase()}"}}`],
    ["is empty", () => 'plugins: {acme: {sha256: ""}}'],
    ["is another plugin's", () => "plugins: {other: {sha256: abc}}"],
    ["is not there", () => undefined],
    ["has nothing to say", () => "# nothing\n"],
    ["is out of reach", () => "plugins: {acme: {sha256: abc}}", "a/b/c/d"],
  ])("lets the plugin start when it %s", async ([, yaml, below]) => {
    await expect(createPinned(yaml, below)()).resolves.toBeUndefined();
  });

  test.for<[string, string, RegExp, string?]>([
    ["is another digest", `plugins: {acme: {sha256: ${"0f".repeat(32)}}}`, /pins its executable to sha256 (0f){32}/],
    ["is a number", `plugins: {acme: {sha256: ${"0".repeat(64)}}}`, /is no text/],
    ["is found three folders up", "plugins: {acme: {sha256: abc}}", /pins its executable/, "a/b/c"],
    ["cannot be read", "plugins: [", /\.wfctl\.yaml cannot be read/],
  ])("keeps it from starting when it %s", async ([, yaml, message, below]) => {
    await expect(createPinned(() => yaml, below)()).rejects.toThrow(message);
  });
});
