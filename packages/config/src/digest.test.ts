/* oxlint-disable no-template-curly-in-string -- texts of stack files */
import { expect, test } from "vitest";
import { canonicalJson } from "@wfctl/model";
import { stackDigestInput } from "./digest.ts";
import { loadGood } from "./testing/load-text.ts";

const digest = async (text: string, env: Record<string, string> = {}): Promise<string> =>
  canonicalJson(stackDigestInput(await loadGood(text, { env })));

const p = "  - {name: p, type: iac.provider, config: {provider: local, token: $TOKEN}}\n";
const a = "  - {name: a, type: infra.vpc, config: {depends_on: [b, c]}}\n";
const b = "  - {name: b, type: infra.vpc}\n";
const c = "  - {name: c, type: infra.vpc}\n";
const base = `modules:\n${p}${a}${b}${c}`;

test("order, comments, anchors and places do not count", async () => {
  const moved = `# comment\nx-list: &list [b, c]\n\nmodules:\n${c}${b}${a.replace("[b, c]", "*list")}${p}`;
  expect(await digest(moved, { TOKEN: "x" })).toBe(await digest(base, { TOKEN: "x" }));
});

test("values of variables do not count and are not in it", async () => {
  const first = await digest(base, { TOKEN: "hunter2" });
  expect(first).toBe(await digest(base, { TOKEN: "other" }));
  expect(first).not.toContain("hunter2");
});

test.each<[string, string]>([
  ["a config", base.replace("{name: b, type: infra.vpc}", "{name: b, type: infra.vpc, config: {x: 1}}")],
  ["protection", base.replace("{name: b, type: infra.vpc}", "{name: b, type: infra.vpc, protected: true}")],
  ["a lifecycle", base.replace("{name: b, type: infra.vpc}", "{name: b, type: infra.vpc, lifecycle: {retain: true}}")],
  ["a dependency", base.replace("[b, c]", "[b]")],
  ["a type", base.replace("{name: b, type: infra.vpc}", "{name: b, type: infra.dns}")],
  ["a provider's configuration", base.replace("$TOKEN", "fixed")],
  ["a move", `${base}moved: [{from: old, to: a}]\n`],
])("%s counts", async (_, text) => {
  expect(await digest(text, { TOKEN: "x" })).not.toBe(await digest(base, { TOKEN: "x" }));
});
