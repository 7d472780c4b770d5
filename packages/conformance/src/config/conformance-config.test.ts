import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WfctlError } from "@wfctl/model";
import { expect, onTestFinished, test } from "vitest";
import { readConformanceConfig } from "./conformance-config.ts";

function readText(text: string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "wfc-config-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "conformance.json");
  writeFileSync(file, text);
  return readConformanceConfig(file, { tmp: "/tmp/run", run: "c1", plugin: folder, env });
}

function problemOf(text: string): string {
  try {
    readText(text);
  } catch (error) {
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    return (error as WfctlError).message;
  }
  return "";
}

test("variants stand over the configuration, and null takes a key out", () => {
  const config = readText(
    JSON.stringify({
      provider: { root: "${tmp}/x", token: "${env.TOKEN}" },
      samples: [
        { type: "infra.container_service", config: { a: 1, b: "${run}" }, change: { a: 2 }, replace: { b: null } },
      ],
    }),
    { TOKEN: "hush" },
  );
  expect(config).toMatchObject({ provider: { root: "/tmp/run/x", token: "hush" }, secrets: ["hush"] });
  expect(config?.samples).toMatchObject([
    { name: "container-service", config: { a: 1, b: "c1" }, change: { a: 2, b: "c1" }, replace: { a: 1 } },
  ]);
  expect(config?.samples[0]?.slow).toBeUndefined();
});

test("no file is no configuration", () => {
  expect(readConformanceConfig("/nowhere", { tmp: "", run: "", plugin: "", env: {} })).toBeUndefined();
});

test.for([
  ["no JSON", "{", "is no JSON"],
  ["a list", "[]", "should be an object"],
  ["an unknown key", '{"sample": []}', 'unknown key "sample"; known are'],
  ["a sample without a type", '{"samples": [{}]}', "samples[0].type: should be a resource type"],
  [
    "an unknown key of a sample",
    '{"samples": [{"type": "a.b", "updated": {}}]}',
    'samples[0]: has an unknown key "updated"',
  ],
  ["a name that no cloud takes", '{"samples": [{"type": "a.b", "name": "A B"}]}', "samples[0].name"],
  [
    "a variable that is not set",
    '{"provider": {"token": "${env.NOT_SET}"}}',
    "provider.token: needs NOT_SET in the environment",
  ],
  ["an unknown variable", '{"provider": {"a": ["${home}"]}}', "provider.a[0]: holds ${home}"],
  ["a secret that is no key", '{"secrets": ["token"]}', 'names "token", which is no text of provider'],
  ["a waiver without a reason", '{"notApplicable": {"stop": ""}}', "notApplicable.stop: should say why"],
  ["no time at all", '{"samples": [{"type": "a.b", "timeoutSeconds": 0}]}', "samples[0].timeoutSeconds"],
] as [string, string, string][])("%s is refused", ([, text, message]) => {
  expect(problemOf(text)).toContain(message);
});
