import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runConformance } from "@wfctl/conformance";
import { decodeApplyResult } from "@wfctl/contract";
import type { ProviderError } from "@wfctl/model";
import { createPluginProvider, type PluginProvider } from "@wfctl/plugin-host";
import { describe, expect, onTestFinished, test } from "vitest";
import { isRunning } from "../e2e/lib/processes.ts";
import { createSandbox, type Sandbox } from "../e2e/lib/sandbox.ts";
import { waitUntil } from "../e2e/lib/wait-until.ts";
import { buildGo } from "./build.ts";
import { placeGoPlugin, readGoCloud, setVariant } from "./go-plugin.ts";

const built = await buildGo();
const problem = "problem" in built ? built.problem : undefined;
const program = "plugin" in built ? built.plugin : "";
const title = problem === undefined ? "" : ` (skipped: ${problem})`;

const options = { run: "run-1", timeoutMs: 120_000 };
const spec = { name: "db", type: "infra.database", config: { text: "a < b & c" }, dependsOn: [] };

/** The Go plugin under our host, without the CLI. */
async function start(...variant: readonly string[]): Promise<{ provider: PluginProvider; lines: readonly string[] }> {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-go-"));
  placeGoPlugin(program, join(directory, "plugins"), ...variant);
  const lines: string[] = [];
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const provider = await createPluginProvider({
    pluginDir: join(directory, "plugins"),
    env: process.env,
    log: (line) => lines.push(line),
    module: "cloud",
    provider: "gocloud",
    config: { root: join(directory, "cloud") },
  });
  onTestFinished(() => provider.shutdown());
  return { provider, lines };
}

const failureOf = (call: Promise<unknown>): Promise<ProviderError> =>
  call.then(
    (value) => Promise.reject(new Error(`It succeeded with ${JSON.stringify(value)}`)),
    (error: unknown) => error as ProviderError,
  );

interface GoSandbox extends Sandbox {
  readonly plugin: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A stack whose provider is the Go plugin. */
function createGoSandbox(resources: string, ...variant: readonly string[]): GoSandbox {
  const box = createSandbox();
  const plugin = placeGoPlugin(program, box.path("plugins"), ...variant);
  box.write(resources, { provider: "gocloud" });
  return { ...box, plugin, env: { WFCTL_PLUGIN_DIR: box.path("plugins") } };
}

const twoResources = `
  - {name: pages, type: infra.gizmo, config: {text: "a < b & c", region: eu, n: 3000000, list: [], none: null}}
  - {name: db, type: infra.database, config: {see: "\${pages.html}", ports: "\${pages.ports}"}}
`;

describe.skipIf(problem !== undefined)(`a Go plugin on go-plugin${title}`, () => {
  test("is planned, applied, found unchanged, changed, replaced and destroyed", async () => {
    const box = createGoSandbox(twoResources);
    const wfctl = (...args: string[]) => box.runWith(box.env, ...args);
    expect(await wfctl("apply", "-y")).toMatchObject({ code: 0 });
    const [pages, db] = Object.values(readGoCloud(box.root).objects);
    expect(pages).toMatchObject({ config: { text: "a < b & c", region: "eu", n: 3_000_000, list: [], none: null } });
    expect(db).toMatchObject({ config: { see: '<a href="x">&\u2028</a>', ports: [] } });
    expect(await wfctl("plan", "--refresh", "--detailed-exitcode")).toMatchObject({ code: 0 });
    const shown = JSON.parse((await wfctl("state", "show", "db", "--json")).stdout) as object;
    expect(JSON.stringify(shown)).toContain('"tags":null');
    expect(JSON.stringify(shown)).toContain('"big":1e+21');
    expect(box.everything()).not.toContain("go-secret-go-2");

    box.write(twoResources.replace("a < b & c", "other").replace("region: eu", "region: us"), { provider: "gocloud" });
    expect((await wfctl("plan")).stdout).toContain("1 to replace");
    expect(await wfctl("apply", "-y")).toMatchObject({ code: 0 });
    expect(Object.values(readGoCloud(box.root).objects).map(({ id }) => id)).not.toContain(pages?.id);
    expect(await wfctl("plan", "--detailed-exitcode")).toMatchObject({ code: 0 });
    expect(await wfctl("destroy", "-y")).toMatchObject({ code: 0 });
    expect(readGoCloud(box.root).objects).toEqual({});
    expect(readGoCloud(box.root).pids.filter(isRunning)).toEqual([]);
  });

  test.each([
    ["does not find an object at first", "misses-once", "go-1"],
    ["moves an object with its update", "moves-on-update", "go-3"],
    ["answers an update with an id that nobody has", "wrong-id-on-update", "go-1"],
  ])("that %s loses and doubles nothing", async (_what, variant, id) => {
    const box = createGoSandbox(twoResources);
    const wfctl = (...args: string[]) => box.runWith(box.env, ...args);
    expect(await wfctl("apply", "-y")).toMatchObject({ code: 0 });
    setVariant(box.plugin, variant);
    box.write(twoResources.replace("a < b & c", "other"), { provider: "gocloud" });
    const changed = await wfctl("apply", "-y");
    expect(changed, changed.stdout + changed.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse((await wfctl("state", "show", "pages", "--json")).stdout)).toMatchObject({
      record: { providerId: id },
    });
    expect(readGoCloud(box.root).objects[id]).toMatchObject({ name: "pages", config: { text: "other" } });
    expect(await wfctl("plan", "--refresh", "--detailed-exitcode")).toMatchObject({ code: 0 });
    expect(await wfctl("destroy", "-y")).toMatchObject({ code: 0 });
    expect(readGoCloud(box.root).objects).toEqual({});
  });

  test.each(["the plugin", "wfctl"])("that had made an object when %s was killed has made it once", async (killed) => {
    const box = createGoSandbox(twoResources, "hangs-after-create");
    const { process: cli, finished } = box.startWith({ env: box.env }, "apply", "-y");
    await waitUntil("the object is there", () => Object.keys(readGoCloud(box.root).objects).length === 1);
    const [pid = 0] = readGoCloud(box.root).pids.slice(-1);
    // Started again, it works as usual.
    setVariant(box.plugin);
    process.kill(killed === "wfctl" ? (cli.pid ?? 0) : pid, "SIGKILL");
    await finished;
    await waitUntil("the plugin is gone", () => !isRunning(pid));

    const again = await box.runWith(box.env, "apply", "-y");
    expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 });
    const { objects, calls } = readGoCloud(box.root);
    expect(
      Object.values(objects)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(["db", "pages"]);
    expect(calls.filter((call) => call === "Create pages")).toHaveLength(1);
    expect(await box.runWith(box.env, "plan", "--detailed-exitcode")).toMatchObject({ code: 0 });
  });

  const conformance = async (variant: readonly string[], only?: readonly string[]) => {
    const directory = mkdtempSync(join(tmpdir(), "wfctl-go-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const folder = placeGoPlugin(program, directory, ...variant);
    const report = await runConformance(folder, { level: "contract", ...(only === undefined ? {} : { only }) });
    const failed = report.results.filter(({ result, demand }) => result === "failed" && demand === "required");
    return { conforms: report.conforms, failed: [...new Set(failed.map(({ id }) => id))] };
  };

  test("conforms at level contract", async () => {
    expect(await conformance([])).toEqual({ conforms: true, failed: [] });
  });

  test("conforms however much it prints", async () => {
    expect(await conformance(["stdio-flood"], ["create", "stderr-lines"])).toEqual({ conforms: true, failed: [] });
  });

  test.each([
    ["v1", "capabilities"],
    ["garbage-first", "handshake"],
    ["no-required", "registry"],
    ["panics-in-create", "create"],
    ["no-output", "create"],
    ["opaque-errors", "absence"],
    ["nil-maps", "diff-quiet"],
  ])("%s does not conform: %s", async (variant, id) => {
    expect(await conformance([variant], [id])).toEqual({ conforms: false, failed: [id] });
  });

  test.each([
    ["usual", []],
    ["slow to start", ["slow-start"]],
    ["that prints megabytes to stderr before its handshake", ["stderr-flood"]],
    ["that prints megabytes over the channel during a call", ["stdio-flood"]],
    ["without IaCProviderLogCapture", ["no-log-capture"]],
    ["that lists every service of its server", ["lists-everything"]],
    ["without GetManifest", ["no-manifest"]],
    ["of a build without a version", ["devel"]],
    ["with enum values of tomorrow", ["unknown-enums"]],
    ["whose errors are its cloud's words", ["opaque-errors"]],
  ])("%s works", async (_, variant) => {
    const { provider } = await start(...variant);
    expect(provider).toMatchObject({
      version: "1.4.0",
      resourceTypes: ["infra.storage", "infra.database", "infra.gizmo"],
    });
    const made = await provider.create(spec, options);
    expect(made).toMatchObject({
      providerId: "go-1",
      sensitive: ["password"],
      outputs: { config: { text: "a < b & c" }, html: '<a href="x">&\u2028</a>', tags: null, ports: [], big: 1e21 },
    });
    const ref = { name: "db", type: "infra.database", providerId: made.providerId };
    expect(await provider.read(ref, options)).toMatchObject({ providerId: "go-1" });
    expect(await provider.diff(spec, made, options)).toMatchObject({ needsUpdate: false, changes: [] });
    const changed = { ...spec, config: { text: "d", region: "us" } };
    expect(await provider.diff(changed, made, options)).toMatchObject({
      needsReplace: true,
      changes: [
        { path: "region", new: "us", forceNew: true },
        { path: "text", old: "a < b & c", new: "d" },
      ],
    });
    expect(await provider.finalize("plan-1", options)).toEqual([]);
    await provider.delete(ref, options);
    expect(await provider.read(ref, options)).toBeUndefined();
    expect(await provider.read({ ...ref, providerId: "" }, options)).toBeUndefined();
  });

  test("without outputs gives none", async () => {
    const { provider } = await start("nil-maps");
    expect(await provider.create(spec, options)).toMatchObject({ providerId: "go-1", outputs: {}, sensitive: [] });
  });

  test("may answer with more than its own server takes, which is then told as what it is", async () => {
    const { provider } = await start("large");
    const made = await provider.create(spec, options);
    expect(made.outputs["blob"]).toHaveLength(6 * 1024 * 1024);
    const error = await failureOf(provider.diff(spec, made, options));
    expect(error).toMatchObject({ class: "validation", answered: true });
    expect(error.message).toMatch(/takes requests of at most 4194304 bytes and this one has 629\d+/);
  });

  test.each([
    ["v1", "PLUGIN_VERSION", 'declare "v1"'],
    ["no-version", "PLUGIN_VERSION", "declare nothing"],
    ["garbage-first", "PLUGIN_HANDSHAKE", '"gocloud starting up, please wait"'],
    ["empty-line-first", "PLUGIN_HANDSHAKE", "empty first line"],
    ["crash-start", "PLUGIN_START", "panic: credentials helper not found"],
    ["no-required", "PLUGIN_SERVICE", "IaCProviderRequired"],
  ])("%s is refused with %s", async (variant, code, text) => {
    const error = await failureOf(start(variant));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(text);
  });

  test.each([
    [
      "panics-in-create",
      "plugin_exit",
      false,
      "panic: assignment to entry in nil map (main.(*driver).Create, wfctl.test/go/plugin/driver.go:",
    ],
    ["refuses-create", "already_exists", true, "name <db> & quota"],
    ["code-already-exists", "already_exists", true, "bucket db exists"],
    ["no-output", "bad_reply", true, "without its result"],
  ])("%s fails a create as %s", async (variant, errorClass, answered, text) => {
    const { provider } = await start(variant);
    const error = await failureOf(provider.create(spec, options));
    expect(error).toMatchObject({ class: errorClass, answered });
    expect(error.message).toContain(text);
    // A plugin that has died is started again for the next call.
    expect(await provider.read({ name: "db", type: "infra.database", providerId: "" }, options)).toBeUndefined();
  });

  test("tells what it could not finish", async () => {
    const { provider } = await start("finalize-fails");
    expect(await provider.finalize("plan-1", options)).toEqual([
      { resource: "infra.storage", action: "deferred_update", error: "gocloud: <dns> & mail still pending" },
    ]);
  });

  test("gives its log lines, one at a time", async () => {
    const { lines } = await start();
    await expect.poll(() => lines.join("\n")).toContain('"@message":"initialized"');
  });
});

describe.skipIf(problem !== undefined)(`an apply result that Go has encoded${title}`, () => {
  const decode = (kind: string) => {
    const text = execFileSync(program, ["apply-result", kind], { encoding: "utf8" });
    return decodeApplyResult(Buffer.from(text, "base64"), { plannedActions: 2, source: 'plugin "gocloud"' });
  };

  test("is read where each action has one end", () => {
    expect(decode("good")).toMatchObject({
      planId: "plan-1764000000000000000",
      actions: [
        { actionIndex: 0, status: "SUCCESS", error: "" },
        { actionIndex: 1, status: "ERROR", error: "iac: rate limited: 429" },
      ],
    });
  });

  test.each([
    ["unspecified", /action 1: .*holds 0/],
    ["unknown", /action 1: .*42/],
    ["missing", /1 action results for 2 planned actions/],
    ["none", /0 action results for 2 planned actions/],
    ["duplicated", /action 0: has more than one result/],
    ["beyond", /action 2: the plan has 2 actions/],
  ])("is refused where it is %s", (kind, text) => {
    expect(() => decode(kind)).toThrow(
      expect.objectContaining({ code: "BAD_RESULT", message: expect.stringMatching(text) as string }),
    );
  });
});
