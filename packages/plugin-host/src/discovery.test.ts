import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { WfctlError, type ErrorCode } from "@wfctl/model";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { listPlugins, pluginDirectory } from "./discovery.ts";
import { checkManifestGate } from "./gate.ts";
import { findPlugin } from "./lookup.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "plugin-host-discovery-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const base = { version: "1.0.0", author: "a", description: "d" };

function install(path: string, manifest: object | string, executable: "file" | "none" = "file"): string {
  const directory = join(root, path);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "plugin.json"), typeof manifest === "string" ? manifest : JSON.stringify(manifest));
  if (executable === "file")
    writeFileSync(join(directory, path.split("/").at(-1) as string), "#!/bin/sh\n", { mode: 0o755 });
  return directory;
}

function serving(provider: string, more: object = {}) {
  return { name: provider, ...base, ...more, capabilities: { iacProvider: { name: provider } } };
}

function find(provider: string, extraDirs: string[] = []) {
  return findPlugin(provider, listPlugins({ pluginDir: join(root, "plugins"), extraDirs, env: {} }));
}

function refusal(action: () => unknown): WfctlError {
  try {
    action();
  } catch (error) {
    if (error instanceof WfctlError) return error;
    throw error;
  }
  throw new Error("Nothing was refused");
}

describe("the plugin directory", () => {
  test("is the option, else WFCTL_PLUGIN_DIR, else ./data/plugins", () => {
    expect(pluginDirectory({ pluginDir: "/a", env: { WFCTL_PLUGIN_DIR: "/b" }, cwd: "/c" })).toBe("/a");
    expect(pluginDirectory({ env: { WFCTL_PLUGIN_DIR: "b" }, cwd: "/c" })).toBe("/c/b");
    expect(pluginDirectory({ env: { WFCTL_PLUGIN_DIR: "" }, cwd: "/c" })).toBe("/c/data/plugins");
  });
});

describe("finding a plugin", () => {
  test("goes by capabilities.iacProvider.name, not by the folder", () => {
    install("plugins/cloudy", serving("aws"));
    install("plugins/aws", serving("gcp"));
    const { plugin, warnings } = find("aws");
    expect(plugin.folder).toBe("cloudy");
    expect(plugin.executable).toBe(join(root, "plugins/cloudy/cloudy"));
    expect(warnings).toEqual([]);
  });

  test("falls back to the plugin's name, with a warning", () => {
    install("plugins/some", { name: "workflow-plugin-aws", ...base });
    const { plugin, warnings } = find("aws");
    expect(plugin.folder).toBe("some");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("capabilities.iacProvider.name");
  });

  test("does the same for capabilities written as a list", () => {
    install("plugins/aws", { name: "aws", ...base, capabilities: [{ name: "aws", role: "provider" }] });
    expect(find("aws").warnings).toHaveLength(1);
  });

  test("does not fall back to the name of a plugin that declares another provider", () => {
    install("plugins/aws", { ...serving("gcp"), name: "workflow-plugin-aws" });
    expect(refusal(() => find("aws")).code).toBe("PLUGIN_NOT_FOUND");
  });

  test("prefers what declares the provider to what is called like it", () => {
    install("plugins/a", { name: "workflow-plugin-aws", ...base });
    install("plugins/b", serving("aws"));
    expect(find("aws").plugin.folder).toBe("b");
  });

  test("follows links, and takes two links to one folder for one plugin", () => {
    const real = install("elsewhere/aws", serving("aws"));
    mkdirSync(join(root, "plugins"));
    symlinkSync(real, join(root, "plugins/aws"));
    symlinkSync(real, join(root, "plugins/aws-too"));
    expect(find("aws").plugin.directory).toBe(join(root, "plugins/aws"));
  });

  test("refuses two plugins that claim one provider, naming both", () => {
    install("plugins/one", { ...serving("aws"), name: "one" });
    install("plugins/two", { ...serving("aws"), name: "two" });
    const error = refusal(() => find("aws"));
    expect(error.code).toBe("PLUGIN_MANIFEST");
    expect(error.message).toContain('"one"');
    expect(error.message).toContain('"two"');
  });

  test("tells who upgrades a plugin: wfctl its own directory, npm what is beside wfctl", () => {
    const old = serving("aws", { iacProvider: { computePlanVersion: "v1" } });
    const bundled = install("node_modules/@wfctl/provider-aws", old, "none");
    const gateOf = () => refusal(() => checkManifestGate(find("aws", [bundled])));
    expect(gateOf()).toMatchObject({
      code: "PLUGIN_VERSION",
      hint: "Run: npm install @wfctl/provider-aws@latest",
    });
    install("plugins/aws", old);
    expect(gateOf()).toMatchObject({ hint: "Run: wfctl plugin upgrade aws" });
  });

  test("takes an installed plugin before a bundled one, and a bundled one where nothing is installed", () => {
    const bundled = install("node_modules/provider-aws", serving("aws"), "none");
    writeFileSync(join(bundled, "aws"), "#!/bin/sh\n", { mode: 0o755 });
    expect(find("aws", [bundled]).plugin.executable).toBe(join(bundled, "aws"));
    install("plugins/aws", serving("aws"));
    expect(find("aws", [bundled]).plugin.bundled).toBe(false);
  });

  test("says where it looked, what is there and what to install", () => {
    install("plugins/gcp", serving("gcp"));
    const error = refusal(() => find("aws", [join(root, "no-such-package")]));
    expect(error.code).toBe("PLUGIN_NOT_FOUND");
    expect(error.message).toContain(join(root, "plugins"));
    expect(error.message).toContain("no-such-package (missing)");
    expect(error.message).toContain('"gcp"');
    expect(error.hint).toContain("wfctl plugin install aws");
  });

  test("says that a missing directory is missing", () => {
    expect(refusal(() => find("aws")).message).toContain("(missing)");
  });

  test("reports every violation of the match", () => {
    install("plugins/aws", { ...serving("aws"), version: "1", author: "" });
    const error = refusal(() => find("aws"));
    expect(error.code).toBe("PLUGIN_MANIFEST");
    expect(error.message).toContain("/version");
    expect(error.diagnostics.map((diagnostic) => diagnostic.path)).toEqual(["/version", "/author"]);
    expect(error.diagnostics[0]?.source?.file).toBe(join(root, "plugins/aws/plugin.json"));
    expect(error.diagnostics[1]?.summary).toMatch(/^\/author: found /);
    expect(error.hint).toContain("wfctl plugin upgrade aws");
  });

  test("reports a manifest that cannot be read when nothing else matches", () => {
    install("plugins/x", "{ not json");
    install("plugins/gcp", serving("gcp"));
    expect(find("gcp").plugin.folder).toBe("gcp");
    const error = refusal(() => find("aws"));
    expect(error.code).toBe("PLUGIN_MANIFEST");
    expect(error.message).toContain(join(root, "plugins/x/plugin.json"));
  });

  test("does not blame a broken manifest of another provider", () => {
    install("plugins/gcp", { ...serving("gcp"), version: "1" });
    const error = refusal(() => find("aws"));
    expect(error.code).toBe("PLUGIN_NOT_FOUND");
    expect(error.message).toContain(join(root, "plugins/gcp/plugin.json"));
  });

  test("passes over folders without plugin.json and over files", () => {
    mkdirSync(join(root, "plugins/empty"), { recursive: true });
    writeFileSync(join(root, "plugins/file"), "");
    expect(listPlugins({ pluginDir: join(root, "plugins"), env: {} }).plugins).toEqual([]);
  });
});

describe("the manifest gate", () => {
  function gate(provider = "aws"): WfctlError {
    return refusal(() => checkManifestGate(find(provider)));
  }

  test.each(["v2", "", undefined])("lets computePlanVersion %j pass", (computePlanVersion) => {
    install("plugins/aws", serving("aws", { iacProvider: { computePlanVersion } }));
    expect(() => checkManifestGate(find("aws"))).not.toThrow();
  });

  test.each(["v1", "v3", "V2", "2"])("refuses computePlanVersion %j", (computePlanVersion) => {
    install("plugins/aws", serving("aws", { iacProvider: { computePlanVersion } }));
    const error = gate();
    expect(error.code).toBe("PLUGIN_VERSION");
    expect(error.message).toContain('Plugin "aws" 1.0.0');
    expect(error.message).toContain(`"${computePlanVersion}"`);
    expect(error.message).toContain('must be "v2"');
    expect(error.hint).toBe("Run: wfctl plugin upgrade aws");
  });

  test.each(["0.86.0", "v0.86.0", "0.9.100"])("lets minEngineVersion %s pass", (minEngineVersion) => {
    install("plugins/aws", serving("aws", { minEngineVersion }));
    expect(() => checkManifestGate(find("aws"))).not.toThrow();
  });

  test.each(["0.86.1", "0.100.0", "1.0.0"])("refuses minEngineVersion %s", (minEngineVersion) => {
    install("plugins/aws", serving("aws", { minEngineVersion }));
    const error = gate();
    expect(error.code).toBe("PLUGIN_ENGINE");
    expect(error.message).toContain(minEngineVersion);
    expect(error.message).toContain("0.86.0");
    // An upgrade of the plugin would not help.
    expect(error.hint).toMatch(/^Run: npm install wfctl@latest\. Or install .* wfctl plugin upgrade aws SOURCE$/);
  });

  test.each<[string, (executable: string) => void, string]>([
    ["missing", () => {}, "is missing"],
    ["a directory", (path) => mkdirSync(path), "is a directory"],
    ["not executable", (path) => writeFileSync(path, "x", { mode: 0o644 }), "is not executable"],
  ])("refuses an executable that is %s", (_, make, text) => {
    install("plugins/aws", serving("aws"), "none");
    const executable = join(root, "plugins/aws/aws");
    make(executable);
    if (text === "is not executable") chmodSync(executable, 0o644);
    const error = gate();
    expect(error.code satisfies ErrorCode).toBe("PLUGIN_START");
    expect(error.message).toContain(executable);
    expect(error.message).toContain(text);
    expect(error.hint).toContain("wfctl plugin upgrade aws");
  });
});
