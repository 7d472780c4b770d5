import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import {
  extServiceNames,
  goPluginBroker,
  goPluginController,
  goPluginStdio,
  health,
  iac,
  iacServiceNames,
  openBidiCall,
  plugin,
  pluginEnvironment,
  serverStreamCall,
  unaryCall,
} from "@wfctl/contract";
import { describe, expect, onTestFinished, test } from "vitest";
import { advertisedServices } from "./server/services.ts";
import { startConfigured, startPlugin } from "./testdata/start-plugin.ts";
import { notesProvider } from "./testdata/notes.ts";

const file = join(import.meta.dirname, "testdata/notes.ts");
const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "sdk-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

describe("start", () => {
  test("without the cookie it explains itself on stderr and exits 1", async () => {
    const child = spawn(process.execPath, [file], { env: { ...process.env, WORKFLOW_PLUGIN: "wrong" } });
    let stderr = "";
    let stdout = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("notes provider, a plugin of wfctl");
  });

  test("the first line is the handshake, with a short path to a socket of the user's own", async () => {
    const { line, socket, folder } = await startPlugin(file);
    expect(line).toMatch(/^1\|1\|unix\|[^|]+\|grpc$/);
    expect(socket.startsWith(folder)).toBe(true);
    expect(Buffer.byteLength(socket)).toBeLessThan(100);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  test("a socket folder with too long a path is refused with the reason", async () => {
    const folder = join(temporaryFolder(), "x".repeat(100));
    await expect(startPlugin(file, { environment: { PLUGIN_UNIX_SOCKET_DIR: folder } })).rejects.toThrow(
      /ended with 1: .*longer than 100 bytes/,
    );
  });

  test("a dead plugin's socket is swept away, others' are left", async () => {
    const folder = temporaryFolder();
    const dead = await startPlugin(file, { folder });
    dead.child.kill("SIGKILL");
    await dead.exited;
    expect(existsSync(dead.socket)).toBe(true);
    utimesSync(dead.socket, 1_700_000_000, 1_700_000_000);
    const other = createServer().listen(join(folder, "wfctl-other.sock"));
    onTestFinished(() => void other.close());
    const alive = await startPlugin(file, { folder });
    await expect.poll(() => existsSync(dead.socket)).toBe(false);
    expect(existsSync(alive.socket)).toBe(true);
    expect(existsSync(join(folder, "wfctl-other.sock"))).toBe(true);
  });

  test("what libraries print on stdout goes to the log on stderr", async () => {
    const started = await startConfigured(file, { account: "a" }, { environment: { WFCTL_PLUGIN_LOG: "debug" } });
    await unaryCall(started.client, iac.ResourceDriver.method.create, {
      resourceType: "test.note",
      spec: { name: "n", type: "test.note", configJson: Buffer.from('{"text":"t","fail":"print"}') },
    });
    await expect.poll(() => started.stderr()).toContain("[DEBUG] printed by a library");
    expect(started.stderr()).toContain("[DEBUG] 1|1|tcp|nonsense");
    expect(started.printed).toEqual([]);
  });
});

describe("end", () => {
  test("Shutdown is answered, then the process exits 0 and its socket is gone", async () => {
    const { client, exited, socket } = await startConfigured(file, { account: "a" });
    const stdio = serverStreamCall(client, goPluginStdio.GRPCStdio.method.streamStdio, {}).next();
    const broker = openBidiCall(client, goPluginBroker.GRPCBroker.method.startStream);
    await unaryCall(client, goPluginController.GRPCController.method.shutdown, {});
    expect(await exited).toEqual([0, null]);
    expect(existsSync(socket)).toBe(false);
    expect((await stdio).done).toBe(true);
    expect((await broker.replies.next()).done).toBe(true);
  });

  test("Shutdown does not wait for a handler that never ends", async () => {
    const { client, exited } = await startConfigured(file, { account: "a" });
    const call = unaryCall(client, iac.ResourceDriver.method.create, {
      resourceType: "test.note",
      spec: { name: "n", type: "test.note", configJson: Buffer.from('{"text":"t","fail":"deaf"}') },
    });
    call.catch(() => {});
    await unaryCall(client, iac.IaCProviderRequired.method.name, {});
    await unaryCall(client, goPluginController.GRPCController.method.shutdown, {});
    expect(await exited).toEqual([0, null]);
    await expect(call).rejects.toMatchObject({ code: expect.any(Number) });
  });

  test("SIGINT is ignored, SIGTERM ends it", async () => {
    const { child, client, exited, socket } = await startPlugin(file);
    child.kill("SIGINT");
    child.kill("SIGINT");
    const { response } = await unaryCall(client, iac.IaCProviderRequired.method.name, {});
    expect(response.name).toBe("notes");
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    expect(existsSync(socket)).toBe(false);
  });

  test("it ends when its parent dies without a word", async () => {
    const folder = temporaryFolder();
    // A parent that starts the plugin, passes its handshake on and is then killed.
    const script = `
      const { spawn } = require("node:child_process");
      const child = spawn(process.execPath, [${JSON.stringify(file)}], { stdio: ["ignore", "pipe", "ignore"] });
      child.stdout.once("data", () => process.stdout.write(String(child.pid) + "\\n"));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ["-e", script], {
      env: { ...process.env, ...pluginEnvironment, PLUGIN_UNIX_SOCKET_DIR: folder },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [pid] = (await once(parent.stdout, "data")) as [Buffer];
    expect(readdirSync(folder)).toHaveLength(1);
    parent.kill("SIGKILL");
    const isAlive = (): boolean => {
      try {
        return process.kill(Number(pid.toString()), 0);
      } catch {
        return false;
      }
    };
    await expect.poll(isAlive).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("what a host asks at load", () => {
  test("the registry names exactly what is served", async () => {
    const { client } = await startPlugin(file);
    const { response } = await unaryCall(client, plugin.PluginService.method.getContractRegistry, {});
    const names = response.contracts.map(({ serviceName }) => serviceName);
    expect(names).toEqual(advertisedServices(notesProvider));
    for (const contract of response.contracts) {
      expect(contract.kind).toBe(plugin.ContractKind.SERVICE);
      expect(contract.mode).toBe(plugin.ContractMode.STRICT_PROTO);
    }
    expect(names).toEqual(
      expect.arrayContaining([
        iacServiceNames.IaCProviderRequired,
        iacServiceNames.ResourceDriver,
        iacServiceNames.IaCProviderFinalizer,
        iacServiceNames.IaCProviderDriftConfigDetector,
        iacServiceNames.IaCProviderOwnership,
        extServiceNames.DriverSession,
        extServiceNames.ClientTokens,
      ]),
    );
    expect(names).not.toContain(iacServiceNames.IaCStateBackend);
    await expect(unaryCall(client, iac.IaCStateBackend.method.listBackendNames, {})).rejects.toMatchObject({
      code: grpc.status.UNIMPLEMENTED,
    });
  });

  test("manifest, capabilities, health, and UNIMPLEMENTED for what is not there", async () => {
    const { client } = await startPlugin(file);
    const manifest = (await unaryCall(client, plugin.PluginService.method.getManifest, {})).response;
    expect(manifest).toMatchObject({ name: "workflow-plugin-notes", version: "1.2.3", description: "Notes in memory" });
    expect(manifest.author).not.toBe("");
    const capabilities = (await unaryCall(client, iac.IaCProviderRequired.method.capabilities, {})).response;
    expect(capabilities.computePlanVersion).toBe("v2");
    expect(capabilities.capabilities.map((each) => [each.resourceType, each.operations.includes("scale")])).toEqual([
      ["test.note", true],
      ["test.plain", false],
    ]);
    const checked = (await unaryCall(client, health.Health.method.check, { service: "plugin" })).response;
    expect(checked.status).toBe(health.HealthCheckResponse_ServingStatus.SERVING);
    await expect(unaryCall(client, health.Health.method.check, { service: "other" })).rejects.toMatchObject({
      code: grpc.status.NOT_FOUND,
    });
    await expect(unaryCall(client, plugin.PluginService.method.getTriggerTypes, {})).rejects.toMatchObject({
      code: grpc.status.UNIMPLEMENTED,
    });
  });

  test("a wrong configuration is refused, listing every violation with its path", async () => {
    const { client } = await startPlugin(file);
    const initialize = (config: object) =>
      unaryCall(client, iac.IaCProviderRequired.method.initialize, { configJson: Buffer.from(JSON.stringify(config)) });
    await expect(initialize({ provider: "notes", acount: "a", delayMs: "x" })).rejects.toMatchObject({
      code: grpc.status.INVALID_ARGUMENT,
      details: expect.stringMatching(
        /^iac: validation error: .*account: .*; delayMs: .*; acount: unknown key, did you mean "account"/,
      ),
    });
    await initialize({ provider: "notes", account: "a" });
  });

  test("driver calls before Initialize are refused as such", async () => {
    const { client } = await startPlugin(file);
    await expect(
      unaryCall(client, iac.ResourceDriver.method.read, { resourceType: "test.note", ref: { name: "n" } }),
    ).rejects.toMatchObject({ code: grpc.status.FAILED_PRECONDITION });
  });
});
