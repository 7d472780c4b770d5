import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import type { WfctlError } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import {
  acceptPlugins,
  installLocked,
  installPlugin,
  listInstalled,
  removePlugin,
  upgradePlugin,
  type PluginPlaces,
} from "../../src/plugins/change-plugins.ts";
import { checkAccepted } from "../../src/plugins/check-lock.ts";
import { readLockFile, type LockedPlugin } from "../../src/plugins/lock-file.ts";
import { makeTarGz } from "./make-tar.ts";
import { manifestOf, pluginPackage, startRegistry, writePlugin } from "./plugin-source.ts";
import { tempFolder } from "./temp-folder.ts";

/** PATH as a user has it: npm runs on the Node of the system. */
const systemPath = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .join(delimiter);

function createPlace(env: Record<string, string> = {}) {
  const cwd = tempFolder();
  const places: PluginPlaces = {
    context: { cwd, env: { PATH: systemPath, HOME: cwd, npm_config_cache: join(cwd, "npm-cache"), ...env } },
  };
  const plugins = join(cwd, "data/plugins");
  return {
    cwd,
    places,
    plugins,
    acme: join(plugins, "acme"),
    versionOf: () =>
      (JSON.parse(readFileSync(join(plugins, "acme/plugin.json"), "utf8")) as { version: string }).version,
    locked: (): LockedPlugin | undefined => readLockFile(cwd).plugins["acme"],
    /** What is in the plugin directory beside plugins. */
    leftovers: () => readdirSync(plugins).filter((name) => name.startsWith(".") && name !== ".wfctl"),
    async check() {
      const [plugin] = listInstalled(places);
      if (plugin?.parsed.manifest === undefined) throw new Error("No plugin");
      await checkAccepted({ plugin, manifest: plugin.parsed.manifest, warnings: [] }, cwd);
    },
  };
}

async function refusalOf(promise: Promise<unknown>): Promise<WfctlError> {
  return promise.then(
    () => {
      throw new Error("Nothing was refused");
    },
    (error: unknown) => error as WfctlError,
  );
}

describe("installing", () => {
  test("from a folder copies it, and records version, digest, services, engine and source", async () => {
    const place = createPlace();
    writePlugin(join(place.cwd, "src"), "1.0.0");
    const change = await installPlugin(place.places, "./src");
    expect(change).toMatchObject({ folder: "acme", did: "installed", version: "1.0.0", directory: place.acme });
    expect(place.locked()).toEqual({
      version: "1.0.0",
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      services: ["workflow.plugin.external.iac.IaCProviderRequired"],
      minEngineVersion: "0.85.0",
      source: "./src",
    });
    expect(statSync(join(place.acme, "acme")).mode & 0o777).toBe(0o755);
    expect(place.leftovers()).toEqual([]);
    await place.check();
    // Again: there is nothing to do.
    expect(await installPlugin(place.places, "./src")).toMatchObject({ did: "unchanged" });
  });

  test("from an archive of upstream's kind gives the executable the name of its folder", async () => {
    const place = createPlace();
    writeFileSync(
      join(place.cwd, "workflow-plugin-acme.tar.gz"),
      makeTarGz([
        { path: "plugin.json", content: manifestOf("2.0.0") },
        { path: "workflow-plugin-acme", content: "#!/bin/sh\n", mode: 0o755 },
      ]),
    );
    await installPlugin(place.places, "workflow-plugin-acme.tar.gz");
    expect(readdirSync(place.acme).toSorted()).toEqual(["acme", "plugin.json"]);
    expect(place.locked()).toMatchObject({ source: "./workflow-plugin-acme.tar.gz" });
  });

  test("from npm takes a version or the newest, and knows where it came from", async () => {
    const registry = await startRegistry();
    const place = createPlace({ npm_config_registry: registry.address });
    registry.publish("1.0.0");
    registry.publish("1.1.0");
    await installPlugin(place.places, "@acme/plugin@1.0.0");
    expect(place.locked()).toMatchObject({ version: "1.0.0", source: "npm:@acme/plugin@1.0.0" });
    expect(await upgradePlugin(place.places, "acme", undefined)).toMatchObject({
      did: "upgraded",
      before: "1.0.0",
      version: "1.1.0",
    });
    expect(place.locked()).toMatchObject({ source: "npm:@acme/plugin@1.1.0" });
    expect(await upgradePlugin(place.places, "acme", undefined)).toMatchObject({ did: "unchanged", version: "1.1.0" });
    const error = await refusalOf(installPlugin(place.places, "@acme/plugin@9.9.9"));
    expect(error).toMatchObject({ code: "PLUGIN_PACKAGE" });
    expect(error.message).toMatch(/npm cannot fetch @acme\/plugin@9\.9\.9: .+/);
  });

  test("from a package's folder takes what npm would publish of it", async () => {
    const place = createPlace();
    const source = writePlugin(join(place.cwd, "src"), "1.0.0");
    writeFileSync(
      join(source, "package.json"),
      JSON.stringify({ name: "x", version: "1.0.0", files: ["plugin.json", "acme"] }),
    );
    mkdirSync(join(source, "node_modules/big"), { recursive: true });
    writeFileSync(join(source, "secrets.txt"), "x");
    await installPlugin(place.places, "./src");
    expect(readdirSync(place.acme).toSorted()).toEqual(["acme", "package.json", "plugin.json"]);
  });

  test.for<[string, (cwd: string) => void, string, string]>([
    ["a path to nothing", () => {}, "./src", "PLUGIN_PACKAGE"],
    ["a folder without plugin.json", (cwd) => mkdirSync(join(cwd, "src")), "./src", "PLUGIN_PACKAGE"],
    ["a broken manifest", (cwd) => void writePlugin(join(cwd, "src"), "one"), "./src", "PLUGIN_MANIFEST"],
    [
      "an older lifecycle",
      (cwd) => void writePlugin(join(cwd, "src"), "1.0.0", { iacProvider: { computePlanVersion: "v1" } }),
      "./src",
      "PLUGIN_VERSION",
    ],
    [
      "a newer engine",
      (cwd) => void writePlugin(join(cwd, "src"), "1.0.0", { minEngineVersion: "99.0.0" }),
      "./src",
      "PLUGIN_ENGINE",
    ],
    ["no executable", (cwd) => rmSync(join(writePlugin(join(cwd, "src"), "1.0.0"), "acme")), "./src", "PLUGIN_PACKAGE"],
    [
      "an executable that is none",
      (cwd) => chmodSync(join(writePlugin(join(cwd, "src"), "1.0.0"), "acme"), 0o644),
      "./src",
      "PLUGIN_START",
    ],
    [
      "dependencies that it does not hold",
      (cwd) =>
        writeFileSync(join(writePlugin(join(cwd, "src"), "1.0.0"), "package.json"), '{"dependencies": {"zod": "4"}}'),
      "./src",
      "PLUGIN_PACKAGE",
    ],
    [
      "a name that leads away",
      (cwd) => void writePlugin(join(cwd, "src"), "1.0.0", { capabilities: { iacProvider: { name: "../../x" } } }),
      "./src",
      "PLUGIN_MANIFEST",
    ],
    ["the plugin directory's own parent", (cwd) => void writePlugin(cwd, "1.0.0"), ".", "PLUGIN_PACKAGE"],
    ["what is neither path nor package", () => {}, "a b", "USAGE"],
    ["a word that is a folder here", (cwd) => void writePlugin(join(cwd, "src"), "1.0.0"), "src", "USAGE"],
  ])("refuses %s and leaves nothing behind", async ([, prepare, source, code]) => {
    const place = createPlace();
    prepare(place.cwd);
    expect(await refusalOf(installPlugin(place.places, source))).toMatchObject({ code });
    expect(existsSync(join(place.plugins, "acme"))).toBe(false);
    expect(place.leftovers()).toEqual([]);
    expect(readLockFile(place.cwd).exists).toBe(false);
  });

  test("refuses to replace another one, naming the command that does", async () => {
    const place = createPlace();
    writePlugin(join(place.cwd, "one"), "1.0.0");
    writePlugin(join(place.cwd, "two"), "2.0.0");
    await installPlugin(place.places, "./one");
    const error = await refusalOf(installPlugin(place.places, "./two"));
    expect(error).toMatchObject({ code: "PLUGIN_PACKAGE", hint: "Run: wfctl plugin upgrade acme ./two" });
    expect(place.versionOf()).toBe("1.0.0");
    expect(await upgradePlugin(place.places, "acme", "./two")).toMatchObject({ did: "upgraded", before: "1.0.0" });
    expect(place.versionOf()).toBe("2.0.0");
    await place.check();
  });

  test("what lies beside wfctl is npm's to change, and what is nowhere is said to be", async () => {
    const { places } = createPlace();
    const changes: readonly ((name: string) => Promise<unknown>)[] = [
      (name) => upgradePlugin(places, name, undefined),
      (name) => removePlugin(places, name),
      (name) => acceptPlugins(places, [name]),
    ];
    for (const change of changes) {
      expect(await refusalOf(change("local"))).toMatchObject({
        code: "PLUGIN_NOT_FOUND",
        message: expect.stringMatching(/it lies beside wfctl, in .*provider-local$/) as string,
        hint: expect.stringContaining("npm install @wfctl/provider-local@latest") as string,
      });
      const nowhere = await refusalOf(change("nosuch"));
      expect(nowhere).toMatchObject({ code: "PLUGIN_NOT_FOUND", hint: "See: wfctl plugin list" });
    }
  });

  test("without npm on PATH says so", async () => {
    const place = createPlace({ PATH: "/nowhere" });
    const error = await refusalOf(installPlugin(place.places, "@acme/plugin"));
    expect(error.message).toBe("@acme/plugin cannot be fetched: there is no npm on PATH");
  });
});

describe("an installation that was interrupted", () => {
  /** Of a process that is gone. */
  const gone = spawnSync("true").pid;

  test("between the two renames gives the plugin back", async () => {
    const place = createPlace();
    writePlugin(join(place.cwd, "one"), "1.0.0");
    writePlugin(join(place.cwd, "other"), "1.0.0", { capabilities: { iacProvider: { name: "other" } } });
    await installPlugin(place.places, "./one");
    const work = join(place.plugins, `.install-${gone}`);
    mkdirSync(join(work, "new"), { recursive: true });
    mkdirSync(join(work, "old"));
    renameSync(place.acme, join(work, "old/acme"));
    renameSync(join(place.cwd, "other/acme"), join(place.cwd, "other/other"));
    await installPlugin(place.places, "./other");
    expect(place.versionOf()).toBe("1.0.0");
    expect(place.leftovers()).toEqual([]);
    expect(readdirSync(place.plugins).toSorted()).toEqual([".wfctl", "acme", "other"]);
  });

  test("in a removal does not bring half a plugin back", async () => {
    const place = createPlace();
    writePlugin(join(place.cwd, "one"), "1.0.0");
    await installPlugin(place.places, "./one");
    const work = join(place.plugins, `.install-${gone}`);
    mkdirSync(work);
    renameSync(place.acme, join(work, "gone"));
    rmSync(join(work, "gone/plugin.json"));
    expect(await removePlugin(place.places, "acme")).toMatchObject({ did: "removed" });
    expect(readdirSync(place.plugins)).not.toContain("acme");
    expect(place.locked()).toBeUndefined();
    expect(place.leftovers()).toEqual([]);
  });

  test("and one that still runs is waited for by hand", async () => {
    const place = createPlace();
    writePlugin(join(place.cwd, "one"), "1.0.0");
    mkdirSync(join(place.plugins, `.install-${process.ppid}`), { recursive: true });
    const error = await refusalOf(installPlugin(place.places, "./one"));
    expect(error).toMatchObject({ code: "PLUGIN_PACKAGE" });
    expect(error.message).toContain("are being changed by another process");
    expect(place.leftovers()).toEqual([`.install-${process.ppid}`]);
  });
});

describe("the lock file", () => {
  test("refuses a changed plugin, says what changed, and is satisfied once it is accepted", async () => {
    const place = createPlace();
    writePlugin(join(place.cwd, "one"), "1.0.0");
    await installPlugin(place.places, "./one");
    appendFileSync(join(place.acme, "acme"), "# more\n");
    await expect(place.check()).rejects.toThrow(
      'Plugin "acme" was not started: it is not as it was when it was accepted: acme has changed',
    );
    expect(await acceptPlugins(place.places, ["acme"])).toMatchObject([{ folder: "acme" }]);
    await place.check();
    expect(place.locked()).toMatchObject({ source: "./one" });
    writeFileSync(join(place.acme, "plugin.json"), manifestOf("1.0.1"));
    await expect(place.check()).rejects.toThrow(/it is version 1\.0\.1, .* records 1\.0\.0/);
    // A listing that does not fit the digest is not believed.
    writeFileSync(join(place.plugins, ".wfctl/acme.files"), 'file 0 "acme"\n');
    writeFileSync(join(place.acme, "plugin.json"), manifestOf("1.0.0", { author: "b" }));
    await expect(place.check()).rejects.toThrow(/when it was accepted$/);
  });

  test("refuses a plugin that it does not list, and none where there is no lock file", async () => {
    const place = createPlace();
    writePlugin(place.acme, "1.0.0");
    await place.check();
    writeFileSync(join(place.cwd, "wfctl.lock"), '{"lockVersion": 1, "plugins": {}}');
    try {
      await place.check();
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: "PLUGIN_LOCK",
        hint: expect.stringContaining("wfctl plugin verify --accept acme") as string,
      });
    }
  });

  test.for([
    ["no JSON", "{"],
    ["another version", '{"lockVersion": 2, "plugins": {}}'],
    ["no plugins", '{"lockVersion": 1}'],
    ["a digest that is none", '{"lockVersion": 1, "plugins": {"acme": {"version": "1.0.0", "digest": "sha256:x"}}}'],
  ])("with %s lets nothing start", async ([, text = ""]) => {
    const place = createPlace();
    writePlugin(place.acme, "1.0.0");
    writeFileSync(join(place.cwd, "wfctl.lock"), text);
    await expect(place.check()).rejects.toThrow(/wfctl\.lock/);
  });

  test("is found from up to three folders below it", async () => {
    const place = createPlace();
    writePlugin(join(place.cwd, "one"), "1.0.0");
    await installPlugin(place.places, "./one");
    appendFileSync(join(place.acme, "acme"), "# more\n");
    const below = join(place.cwd, "a/b/c");
    mkdirSync(join(below, "d"), { recursive: true });
    const [plugin] = listInstalled(place.places);
    const found = { plugin: plugin!, manifest: plugin!.parsed.manifest!, warnings: [] };
    await expect(checkAccepted(found, below)).rejects.toThrow(/was not started/);
    await expect(checkAccepted(found, join(below, "d"))).resolves.toBeUndefined();
  });

  test("brings everything back that is not there, exactly as it was, or not at all", async () => {
    const registry = await startRegistry();
    const place = createPlace({ npm_config_registry: registry.address });
    registry.publish("1.0.0");
    await installPlugin(place.places, "@acme/plugin");
    const lock = readFileSync(join(place.cwd, "wfctl.lock"), "utf8");
    rmSync(place.plugins, { recursive: true });
    registry.publish("2.0.0");
    expect(await installLocked(place.places)).toMatchObject([{ did: "installed", version: "1.0.0" }]);
    await place.check();
    expect(await installLocked(place.places)).toMatchObject([{ did: "unchanged" }]);
    // The registry now gives something else under the same version.
    rmSync(place.plugins, { recursive: true });
    rmSync(join(place.cwd, "npm-cache"), { recursive: true });
    registry.publish("1.0.0", pluginPackage("1.0.0", [{ path: "package/extra", content: "x" }]));
    expect(await refusalOf(installLocked(place.places))).toMatchObject({ code: "PLUGIN_LOCK" });
    expect(existsSync(place.acme)).toBe(false);
    expect(readFileSync(join(place.cwd, "wfctl.lock"), "utf8")).toBe(lock);
  });

  test("loses its entry with the plugin", async () => {
    const place = createPlace();
    writePlugin(join(place.cwd, "one"), "1.0.0");
    await installPlugin(place.places, "./one");
    expect(await removePlugin(place.places, "acme")).toMatchObject({ did: "removed", version: "1.0.0" });
    expect(readdirSync(place.plugins)).toEqual([".wfctl"]);
    expect(readLockFile(place.cwd)).toMatchObject({ exists: true, plugins: {} });
    expect(await refusalOf(removePlugin(place.places, "acme"))).toMatchObject({ code: "PLUGIN_NOT_FOUND" });
  });
});
