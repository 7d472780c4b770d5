import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { describe, expect, onTestFinished, test } from "vitest";

import { createFixtureHost, expectEventually, fixtureDir, options, refusalOf, ref, spec } from "../testdata/host.ts";
import { launchPlugin } from "./launch.ts";
import { killLeftoverPlugins } from "./leftover.ts";
import { createProcessGuard } from "./process-guard.ts";
import { readMachineIdentity, readStartTime } from "./process-identity.ts";
import { socketDirectory } from "./socket-directory.ts";

const onLinux = process.platform === "linux";

const socketsOf = (pid: number): string[] =>
  readdirSync(socketDirectory()).filter((name) => name.startsWith(`plugin${pid}-`));

describe("a plugin process", () => {
  test("leads its own group, ends with Shutdown and leaves no socket", async () => {
    await using host = createFixtureHost({ timeouts: { exitMs: 60_000 } });
    const provider = await host.configure("upstream");
    const { pid, startTime, bootId, pidNamespace } = provider.process;
    expect({ bootId, pidNamespace }).toEqual(readMachineIdentity());
    expect(startTime).toBe(readStartTime(pid));
    // The journal keeps it: what the plugin answered when it was let in.
    expect(provider.process.computePlanVersion).toBe("v2");
    process.kill(-pid, 0);
    expect(socketsOf(pid)).toHaveLength(1);
    await provider.shutdown();
    expect(host.calls()).toContain("Shutdown");
    expect(readStartTime(pid)).toBeUndefined();
    expect(socketsOf(pid)).toEqual([]);
  });

  test("survives SIGINT, which is the host's business", async () => {
    await using host = createFixtureHost();
    const provider = await host.configure("upstream");
    process.kill(provider.process.pid, "SIGINT");
    expect(await provider.read(ref("db"), options)).toBeUndefined();
  });

  test("that ignores Shutdown is killed with its helpers, in time", async () => {
    await using host = createFixtureHost({ timeouts: { exitMs: 100 } });
    const provider = await host.configure("ignores-shutdown");
    const helper = Number(
      host
        .calls()
        .find((call) => call.startsWith("helper"))
        ?.split(" ")[1],
    );
    expect(readStartTime(helper)).toBeDefined();
    await provider.shutdown();
    expect(readStartTime(provider.process.pid)).toBeUndefined();
    await expectEventually(() => readStartTime(helper) === undefined, "the plugin's helper is left behind");
  });

  test("may print megabytes, without line ends and without sense", async () => {
    await using host = createFixtureHost();
    const provider = await host.configure("chatty");
    expect(await provider.read(ref("db"), options)).toBeUndefined();
    await expect.poll(() => host.lines).toContain('plugin "chatty" stderr: last words');
    const text = host.lines.join("");
    expect(text.length).toBeGreaterThan(4 * 1024 * 1024);
    expect(text).not.toContain("\u001b");
    expect(Math.max(...host.lines.map((line) => line.length))).toBeLessThan(20_000);
  });

  test("that is killed from outside is reaped, and its socket removed", async () => {
    await using host = createFixtureHost();
    const provider = await host.configure("upstream");
    const { pid } = provider.process;
    process.kill(pid, "SIGKILL");
    await expectEventually(() => readStartTime(pid) === undefined, "the plugin lives on");
    await expectEventually(() => socketsOf(pid).length === 0, "its socket stays");
  });

  test("is killed at once by kill()", async () => {
    await using host = createFixtureHost();
    const provider = await host.configure("ignores-shutdown");
    provider.kill();
    await expectEventually(() => host.running().length === 0, "the plugin lives on");
  });

  test("leaves nothing in the temporary directory", async () => {
    await using host = createFixtureHost();
    // One of its own: others that run meanwhile make folders too.
    const own = mkdtempSync(join(tmpdir(), "own-"));
    const before = process.env["TMPDIR"];
    onTestFinished(() => {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
      rmSync(own, { recursive: true, force: true });
    });
    process.env["TMPDIR"] = own;
    await host.configure("upstream");
    expect(readdirSync(own)).toEqual([`wfctl-${process.getuid?.()}`]);
  });
});

test("a machine whose setpriv is of no use starts plugins without it", async () => {
  const child = await launchPlugin({
    name: "upstream",
    executable: join(fixtureDir, "upstream/upstream"),
    directory: join(fixtureDir, "upstream"),
    env: process.env,
    guard: createProcessGuard(),
    wrapper: join(fixtureDir, "../old-setpriv"),
  });
  expect(child.address.network).toBe("unix");
  child.kill();
  expect(await child.exited).toEqual({ code: null, signal: "SIGKILL" });
});

describe.runIf(onLinux)("a host that dies", () => {
  /** Runs a host in a process of its own and gives the plugin's pid. */
  async function startHost(ending: "wait" | "exit" | "throw") {
    const child = spawn(process.execPath, [join(fixtureDir, "../host-process.ts"), ending], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    return { child, plugin: JSON.parse(line) as { pid: number; startTime: string } };
  }
  const isGone = ({ pid, startTime }: { pid: number; startTime: string }) => readStartTime(pid) !== startTime;

  test("by SIGKILL takes its plugins along", async () => {
    const { child, plugin } = await startHost("wait");
    expect(isGone(plugin)).toBe(false);
    child.kill("SIGKILL");
    await expectEventually(() => isGone(plugin), "the plugin outlives its host");
  });

  test.each(["exit", "throw"] as const)("by %s takes its plugins along", async (ending) => {
    const { child, plugin } = await startHost(ending);
    if (child.exitCode === null) await once(child, "exit");
    await expectEventually(() => isGone(plugin), "the plugin outlives its host");
  });
});

describe.runIf(onLinux)("leftovers of a dead run", () => {
  test("are killed, and only they", async () => {
    await using host = createFixtureHost();
    const provider = await host.configure("ignores-shutdown");
    const leftover = provider.process;
    const other = await host.configure("upstream");
    const strangers = [
      { ...leftover, bootId: "another-boot" },
      { ...leftover, pidNamespace: "pid:[1]" },
    ];
    expect(await killLeftoverPlugins(strangers)).toEqual({ gone: [], elsewhere: strangers });
    const reused = { ...leftover, startTime: "1" };
    expect(await killLeftoverPlugins([reused])).toEqual({ gone: [reused], elsewhere: [] });
    expect(readStartTime(leftover.pid)).toBe(leftover.startTime);

    expect(await killLeftoverPlugins([leftover])).toEqual({ gone: [leftover], elsewhere: [] });
    expect(readStartTime(leftover.pid)).not.toBe(leftover.startTime);
    expect(await killLeftoverPlugins([leftover])).toEqual({ gone: [leftover], elsewhere: [] });
    expect(await other.create(spec("db"), options)).toMatchObject({ status: "running" });
  });
});

test("a start that is cancelled leaves no process", async () => {
  await using host = createFixtureHost();
  const { createProviderPool } = await import("./pool.ts");
  const module = { name: "module", provider: "silent", config: {} };
  const pool = createProviderPool({ ...host.options, modules: [module] });
  const starting = refusalOf(pool.configureProvider("module", {}));
  await expectEventually(() => host.running().length > 0, "the plugin never started");
  await pool.shutdownAll();
  expect(await starting).toMatchObject({ code: "CANCELLED" });
});
