import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { startDigitalOcean, type DigitalOceanEmulator } from "@wfctl/emulator-digitalocean";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isRunning } from "../e2e/lib/processes.ts";
import { waitUntil } from "../e2e/lib/wait-until.ts";
import { buildGo } from "./build.ts";

const built = await buildGo();
const problem = "problem" in built ? built.problem : undefined;
const program = "host" in built ? built.host : "";
const title = problem === undefined ? "" : ` (skipped: ${problem})`;

/** What the host saw, by what it tried: the message's JSON, or code and message of the status. */
type Report = Readonly<
  Record<string, Record<string, unknown> & { readonly code?: string; readonly message?: string }>
> & {
  readonly error?: string;
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly log: string;
};

let home = "";
let cloud: DigitalOceanEmulator | undefined;

beforeAll(async () => {
  if (problem !== undefined) return;
  home = mkdtempSync(join(tmpdir(), "wfctl-go-host-"));
  const { packAll } = (await import("../../tools/pack.mjs" as string)) as {
    packAll(out: string, options: { only: readonly string[] }): Promise<string[]>;
  };
  for (const tarball of await packAll(join(home, "packages"), { only: ["digitalocean", "local"] })) {
    const [, name = ""] = /^wfctl-provider-([a-z]+)-/.exec(basename(tarball)) ?? [];
    const folder = join(home, "plugins", name);
    mkdirSync(folder, { recursive: true });
    execFileSync("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
  }
  cloud = await startDigitalOcean({ rate: 2000 });
}, 300_000);

afterAll(async () => {
  await cloud?.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** Runs the Go host on one of the packed plugins. */
function startHost(plugin: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  // The packed launcher takes the Node that it is given where none is installed beside it.
  const child = spawn(program, ["-dir", join(home, "plugins", plugin), ...args], {
    env: { ...process.env, WFCTL_NODE: process.execPath, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { child, ended, text: () => text };
}

async function drive(plugin: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Report> {
  const { ended, text } = startHost(plugin, args, env);
  await ended;
  return JSON.parse(text()) as Report;
}

const json = (value: unknown): string => JSON.stringify(value);
const decode = (bytes: unknown): unknown => JSON.parse(Buffer.from(String(bytes), "base64").toString());
const outputOf = (report: Report, call: string) =>
  report[call]?.["output"] as { provider_id: string; outputs_json: string };

/** The load sequence of upstream's hosts was gone through, and the process ended as asked. */
function expectGoodPlugin(report: Report, name: string): void {
  expect(report.error, report.log).toBeUndefined();
  expect(report).toMatchObject({ protocol: "grpc", version: 1, ping: "ok", stdout: "" });
  expect(report["manifest"]).toMatchObject({
    name: `workflow-plugin-${name}`,
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    author: expect.stringMatching(/./) as string,
    description: expect.stringMatching(/./) as string,
  });
  for (const optional of ["triggerTypes", "configFragment"]) expect(report[optional]?.code).toBe("Unimplemented");
  const contracts = report["registry"]?.["contracts"] as { kind: string; mode: string; service_name: string }[];
  expect(contracts.map(({ service_name }) => service_name)).toEqual(
    expect.arrayContaining(
      ["IaCProviderRequired", "ResourceDriver"].map((each) => `workflow.plugin.external.iac.${each}`),
    ),
  );
  expect(new Set(contracts.map(({ kind, mode }) => `${kind} ${mode}`))).toEqual(
    new Set(["CONTRACT_KIND_SERVICE CONTRACT_MODE_STRICT_PROTO"]),
  );
  expect(report["registry"]?.["file_descriptor_set"]).toBeUndefined();
  expect(report["initialize"]).toEqual({});
  expect(report["capabilities"]).toMatchObject({ compute_plan_version: "v2" });
  expect(report["name"]).toEqual({ name });
  // Ended by Shutdown within the two seconds after which go-plugin kills by force; nothing is left.
  expect(report, report.log).toMatchObject({ exited: true, forced: false, gone: true });
  expect(isRunning(report.pid)).toBe(false);
}

describe.skipIf(problem !== undefined)(`a Go host on go-plugin${title}`, () => {
  test("drives the packed local provider: create, read, diff, update, delete, Kill", async () => {
    const files = (content: string) => json({ files: { "a.txt": { content } } });
    const config = json({ provider: "local", root: join(home, "machine") });
    const spec = ["-type", "infra.storage", "-name", "pages", "-spec", files("<b>&\u2028"), "-updated", files("two")];
    const report = await drive("local", ["-config", config, ...spec, "-blob", "6000000"]);
    expectGoodPlugin(report, "local");
    expect(report["readBefore"]).toMatchObject({
      code: "NotFound",
      message: expect.stringMatching(/^iac: resource not found: /) as string,
    });
    const made = outputOf(report, "create");
    expect(made).toMatchObject({
      name: "pages",
      type: "infra.storage",
      provider_id: expect.stringContaining("/pages-") as string,
    });
    expect(decode(made.outputs_json)).toMatchObject({
      applied_config: { files: { "a.txt": { content: "<b>&\u2028" } } },
    });
    expect(outputOf(report, "read").provider_id).toBe(made.provider_id);
    expect(outputOf(report, "readByName").provider_id).toBe(made.provider_id);
    expect(report["diffSame"]).toEqual({ result: {} });
    const { result } = report["diffUpdated"] as { result: { changes: { path: string; new_json: string }[] } };
    expect(result.changes.map(({ path, new_json }) => [path, decode(new_json)])).toEqual([
      ["files.a.txt.content", "two"],
    ]);
    // It arrived, whatever the provider thinks of it.
    expect(report["diffBlob"]).toMatchObject({
      code: "InvalidArgument",
      message: expect.stringMatching(/^iac: validation error: /) as string,
    });
    expect(decode(outputOf(report, "readUpdated").outputs_json)).toMatchObject({
      applied_config: { files: { "a.txt": { content: "two" } } },
    });
    expect(report["health"]).toMatchObject({ result: { healthy: true } });
    expect(report["troubleshoot"]?.code).toBe("Unimplemented");
    expect(report["status"]).toMatchObject({ statuses: [{ name: "pages", status: "running" }] });
    expect(report["drift"]).toMatchObject({ drifts: [{ name: "pages", class: "DRIFT_CLASS_IN_SYNC" }] });
    expect(report["import"]).toMatchObject({
      state: { name: "pages", provider_id: made.provider_id, applied_config_source: "adoption" },
    });
    expect(report["import"]?.["state"]).not.toHaveProperty("created_at");
    expect(report["finalize"]?.code).toBe("Unimplemented");
    expect(report["unknownType"]?.code).toBe("NotFound");
    expect(report["unknownType"]?.message).not.toContain("iac: resource not found");
    expect(report["noType"]?.code).toBe("InvalidArgument");
    expect(report["delete"]).toEqual({});
    expect(report["deleteAgain"]).toEqual({});
    expect(report["readDeleted"]).toMatchObject({ code: "NotFound" });
  });

  test("drives the packed digitalocean provider, and keeps state in its backend", async () => {
    const token = "go-host";
    const { url = "", spacesUrl = "" } = cloud ?? {};
    const created = await fetch(`${url}/v2/spaces/keys`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: json({ name: "own", grants: [{ bucket: "", permission: "fullaccess" }] }),
    });
    const { key } = (await created.json()) as { key: { access_key: string; secret_key: string } };
    const config = json({ provider: "digitalocean", token, endpoint: url, region: "nyc3" });
    const vpc = (description: string) => json({ region: "nyc3", ip_range: "10.9.0.0/20", description });
    const spec = ["-type", "infra.vpc", "-name", "net", "-spec", vpc("one"), "-updated", vpc("two")];
    const backend = json({
      bucket: "state",
      region: "nyc3",
      accessKey: key.access_key,
      secretKey: key.secret_key,
      endpoint: spacesUrl,
    });
    const report = await drive("digitalocean", [
      "-config",
      config,
      ...spec,
      "-backend",
      "spaces",
      "-backend-config",
      backend,
    ]);
    expectGoodPlugin(report, "digitalocean");
    expect(report["readBefore"]).toMatchObject({ code: "NotFound" });
    expect(outputOf(report, "create").provider_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(report["diffSame"]).toEqual({ result: {} });
    expect(report["diffUpdated"]).toMatchObject({ result: { needs_update: true } });
    expect(outputOf(report, "update").provider_id).toBe(outputOf(report, "create").provider_id);
    expect(report["deleteAgain"]).toEqual({});
    expect(report["readDeleted"]).toMatchObject({ code: "NotFound" });

    expect(report["backendNames"]).toEqual({ backend_names: ["spaces"] });
    expect(report["stateBefore"]).toMatchObject({ code: "FailedPrecondition" });
    expect(report["bootstrap"]).toMatchObject({ result: { bucket: "state" } });
    expect(report["configure"]).toEqual({});
    expect(report["stateMissing"]).toEqual({});
    expect(report["stateSave"]).toEqual({});
    const { state } = report["stateGet"] as { state: Record<string, string> };
    expect(state).toMatchObject({ resource_id: "web/page", status: "active", created_at: "2026-01-02T03:04:05Z" });
    expect(decode(state["outputs_json"])).toEqual({ html: "<b>", n: 1e21 });
    expect(decode(state["config_json"])).toBeNull();
    // A filter that nobody knows does not count.
    expect(report["stateList"]).toMatchObject({ states: [{ resource_id: "web/page" }] });
    expect(report["stateLock"]).toEqual({});
    expect(report["stateLockAgain"]?.message).toContain("already locked");
    for (const call of ["stateUnlock", "stateDelete", "stateDeleteAgain"]) expect(report[call]).toEqual({});
  });

  const local = (): string[] => ["-config", json({ provider: "local", root: join(home, "machine") })];

  test("may itself have inherited what go-plugin's hosts set", async () => {
    const report = await drive("local", local(), { PLUGIN_CLIENT_CERT: "left over", PLUGIN_MULTIPLEX_GRPC: "true" });
    expectGoodPlugin(report, "local");
  });

  test.each([
    ["-automtls", /PLUGIN_CLIENT_CERT is set and is not used/],
    ["-multiplex", /plugin does not support the feature/],
  ])("that asks for more than upstream's do (%s) is told, and leaves nothing", async (flag, text) => {
    const report = await drive("local", [...local(), flag]);
    expect(`${report.error} ${report.stderr}`).toMatch(text);
    expect(report).toMatchObject({ exited: true });
    const [, pid] = /pid=(\d+)/.exec(report.log) ?? [];
    await waitUntil("the plugin is gone", () => !isRunning(Number(pid)));
  });

  test("that is killed takes its plugin with it", async () => {
    const { child, text } = startHost("local", [...local(), "-wait"]);
    await waitUntil("the host has loaded the plugin", () => text().trimEnd().endsWith("}"));
    const { pid } = JSON.parse(text()) as Report;
    expect(isRunning(pid)).toBe(true);
    child.kill("SIGKILL");
    await waitUntil("the plugin is gone", () => !isRunning(pid));
  });

  test("is refused by a configuration that makes no sense, in words of the provider's", async () => {
    const report = await drive("local", ["-config", json({ provider: "local", rooot: "/tmp" })]);
    expect(report["initialize"]).toMatchObject({
      code: "InvalidArgument",
      message: expect.stringMatching(/^iac: validation error: .*rooot/) as string,
    });
    expect(report).toMatchObject({ exited: true, forced: false, gone: true });
  });
});
