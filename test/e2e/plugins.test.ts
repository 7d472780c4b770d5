import { appendFileSync, chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testPluginDir } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";
import { createSandbox, type Finished, type Sandbox } from "./lib/sandbox.ts";

/** The test cloud's plugin as a folder that can be installed. */
function writeSource(sandbox: Sandbox): void {
  const folder = sandbox.path("source");
  mkdirSync(folder);
  copyFileSync(join(testPluginDir, "cloud/plugin.json"), join(folder, "plugin.json"));
  writeFileSync(join(folder, "cloud"), `#!/bin/sh\nexec "${testPluginDir}/cloud/cloud" "$@"\n`);
  chmodSync(join(folder, "cloud"), 0o755);
}

/** With the plugin directory of upstream: ./data/plugins. */
function createPluginSandbox() {
  const sandbox = createSandbox();
  writeSource(sandbox);
  sandbox.write(`
  - {name: vpc, type: infra.test, config: {value: "1"}}
`);
  return {
    ...sandbox,
    executable: sandbox.path("data/plugins/cloud/cloud"),
    wfctl: (...args: string[]): Promise<Finished> => sandbox.runWith({ WFCTL_PLUGIN_DIR: undefined }, ...args),
  };
}

const json = (finished: Finished): Record<string, unknown> =>
  JSON.parse(finished.stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;

describe("a plugin", () => {
  test("is installed, used, and refused once it has changed, until it is accepted", async () => {
    const { wfctl, executable, path, cloud } = createPluginSandbox();
    expect(await wfctl("plugin", "install", "./source")).toMatchObject({ code: 0 });
    expect(await wfctl("apply", "-y")).toMatchObject({ code: 0 });
    expect(cloud.objects()).toHaveLength(1);

    appendFileSync(executable, "# changed\n");
    const refused = await wfctl("plan");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('Plugin "cloud" was not started');
    expect(refused.stderr).toContain("cloud has changed");
    expect(refused.stderr).toContain("wfctl plugin verify --accept cloud");
    expect(json(await wfctl("plan", "--json"))).toMatchObject({ code: "PLUGIN_LOCK" });
    const verified = await wfctl("plugin", "verify", "--json");
    expect(verified.code).toBe(1);
    expect(json(verified)).toMatchObject({ ok: false, plugins: [{ plugin: "cloud", changes: ["cloud has changed"] }] });
    expect(json(await wfctl("plugin", "list", "--json"))).toMatchObject({
      plugins: expect.arrayContaining([expect.objectContaining({ name: "cloud", state: "changed" })]) as object,
    });

    expect(await wfctl("plugin", "verify", "--accept", "cloud")).toMatchObject({ code: 0 });
    expect(await wfctl("plugin", "verify")).toMatchObject({ code: 0 });
    expect(await wfctl("plan")).toMatchObject({ code: 0 });
    expect(readFileSync(path("wfctl.lock"), "utf8")).toContain('"version": "1.0.0"');
  });

  test("that the lock file does not list is not started", async () => {
    const { wfctl, path } = createPluginSandbox();
    await wfctl("plugin", "install", "./source");
    const lock = JSON.parse(readFileSync(path("wfctl.lock"), "utf8")) as object;
    writeFileSync(path("wfctl.lock"), JSON.stringify({ ...lock, plugins: {} }));
    const refused = await wfctl("plan");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/wfctl\.lock does not list it/);
  });

  test("of an older lifecycle is refused with the command that upgrades it, also when it was accepted", async () => {
    const { wfctl, path } = createPluginSandbox();
    const old = path("data/plugins/cloud");
    await wfctl("plugin", "install", "./source");
    const manifest = readFileSync(join(old, "plugin.json"), "utf8").replace('"v2"', '"v1"');
    writeFileSync(join(old, "plugin.json"), manifest);
    await wfctl("plugin", "verify", "--accept", "cloud");
    const refused = await wfctl("plan");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("iacProvider.computePlanVersion");
    expect(refused.stderr).toContain("Run: wfctl plugin upgrade cloud");
    expect(await wfctl("plugin", "upgrade", "cloud")).toMatchObject({ code: 0 });
    expect(await wfctl("plan")).toMatchObject({ code: 0 });
  });

  test("is named by path or by name; info, permissions and validate start nothing", async () => {
    const { wfctl, path, cloud } = createPluginSandbox();
    await wfctl("plugin", "install", "./source");
    const manifest = JSON.parse(readFileSync(path("source/plugin.json"), "utf8")) as object;
    const permissions = { "infra.test": ["items:Write", "items:Read"] };
    writeFileSync(path("source/plugin.json"), JSON.stringify({ ...manifest, permissions }));
    expect(json(await wfctl("plugin", "info", "cloud", "--json"))).toMatchObject({
      name: "workflow-plugin-cloud",
      provider: "cloud",
      locked: { source: "./source" },
    });
    expect((await wfctl("plugin", "permissions", "./source")).stdout).toBe("infra.test\n  items:Write\n  items:Read\n");
    expect(json(await wfctl("plugin", "permissions", "cloud", "--json"))).toMatchObject({ permissions: {} });
    expect(await wfctl("plugin", "permissions", "./source", "--type", "test.none")).toMatchObject({ code: 1 });
    expect(await wfctl("plugin", "validate")).toMatchObject({ code: 0 });
    writeFileSync(path("source/plugin.json"), JSON.stringify({ ...manifest, version: "one" }));
    const invalid = await wfctl("plugin", "validate", "./source", "--json");
    expect(invalid.code).toBe(1);
    expect(json(invalid)).toMatchObject({
      ok: false,
      plugins: [{ findings: [{ severity: "error", path: "/version" }] }],
    });
    expect(await wfctl("plugin", "info", "nobody")).toMatchObject({ code: 1 });
    expect(cloud.calls()).toEqual([]);
  });

  test("is tried by the conformance suite, for people and for programs", async () => {
    const { wfctl, path } = createPluginSandbox();
    const sample = { type: "infra.test", config: { value: "1" } };
    writeFileSync(path("tried.json"), JSON.stringify({ provider: { root: "${tmp}/cloud" }, samples: [sample] }));
    const args = ["plugin", "conformance", "./source", "--config", "tried.json", "--only", "create,diff-change"];
    const strict = await wfctl(...args);
    expect(strict.code).toBe(1);
    expect(strict.stdout).toMatch(/SKIPPED {2}diff-change \[infra\.test\][\s\S]*Does not conform: 1 passed, 1 failed/);
    const contract = await wfctl(...args, "--level", "contract", "--json");
    expect(contract.code).toBe(0);
    expect(json(contract)).toMatchObject({
      schema: "wfctl/conformance/1",
      conforms: true,
      level: "contract",
      passed: 1,
    });
    expect((await wfctl("plugin", "conformance", "./source", "--only", "nothing")).stderr).toContain(
      "There is no scenario",
    );
  });
});
