import { WfctlError } from "@wfctl/model";
import { describe, expect, test } from "vitest";

import { createFixtureHost, failureOf, options, ref, refusalOf, spec, type FixtureHost } from "../testdata/host.ts";
import { createProviderPool } from "./pool.ts";

function createPool(host: FixtureHost, ...providers: string[]) {
  const modules = providers.map((provider) => ({ name: `my-${provider}`, provider, config: {} }));
  return createProviderPool({ ...host.options, modules });
}

describe("a pool of providers", () => {
  test("starts nothing before it is asked", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "upstream", "session");
    expect(host.running()).toEqual([]);
    expect(pool.providers()).toEqual([]);
    expect(pool.provider("my-upstream")).toBeUndefined();
  });

  test("gives each module its own process and configuration", async () => {
    await using host = createFixtureHost();
    await using pool = createProviderPool({
      ...host.options,
      modules: ["a", "b"].map((name) => ({ name, provider: "upstream", config: {} })),
    });
    const [a, b] = await Promise.all([
      pool.configureProvider("a", { region: "x" }),
      pool.configureProvider("b", { region: "y" }),
    ]);
    expect([a.module, b.module]).toEqual(["a", "b"]);
    expect(a.process.pid).not.toBe(b.process.pid);
    expect(
      pool
        .processes()
        .map(({ provider }) => provider)
        .toSorted(),
    ).toEqual(["a", "b"]);
    expect(pool.provider("a")).toBe(a);
    expect(await a.create(spec("db"), options)).toMatchObject({ status: "running" });
    expect(await b.read(ref("db"), options)).toBeUndefined();
    const configured = host.calls().filter((call) => call.startsWith("Initialize"));
    expect(configured.toSorted()).toEqual(['Initialize {"region":"x"}', 'Initialize {"region":"y"}']);
  });

  test("gives the same provider for an equal configuration, and a new process for another", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "upstream");
    const [first, same] = await Promise.all([
      pool.configureProvider("my-upstream", { a: 1, b: 2 }),
      pool.configureProvider("my-upstream", { b: 2, a: 1 }),
    ]);
    expect(same).toBe(first);
    const other = await pool.configureProvider("my-upstream", { a: 2 });
    expect(other).not.toBe(first);
    expect(host.running()).toEqual([other.process.pid]);
    expect(await failureOf(first.read(ref("db"), options))).toMatchObject({ class: "plugin_exit" });
  });

  test("starts a plugin ahead, and configures what it started", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "upstream", "nowhere");
    pool.warmUp();
    await expect.poll(() => host.calls()).toContain("Capabilities");
    const [pid] = host.running();
    expect(pool.processes()).toEqual([]);
    const provider = await pool.configureProvider("my-upstream", {});
    expect(provider.process.pid).toBe(pid);
    expect(await refusalOf(pool.configureProvider("my-nowhere", {}))).toMatchObject({ code: "PLUGIN_NOT_FOUND" });
  });

  test("asks the further gate before each launch, a restart's too, and starts nothing that it refuses", async () => {
    await using host = createFixtureHost();
    const asked: string[] = [];
    let refuse = false;
    await using pool = createProviderPool({
      ...host.options,
      modules: [{ name: "my-upstream", provider: "upstream", config: {} }],
      async admit({ plugin, manifest }) {
        asked.push(`${plugin.folder} ${manifest.version}`);
        if (refuse) throw new WfctlError("PLUGIN_MANIFEST", "not this one");
      },
    });
    const provider = await pool.configureProvider("my-upstream", {});
    expect(asked).toEqual(["upstream 1.2.3"]);
    process.kill(provider.process.pid, "SIGKILL");
    await expect.poll(() => provider.processGone()).toBe(true);
    refuse = true;
    expect((await failureOf(provider.read(ref("db"), options))).message).toContain("not this one");
    expect(asked.length).toBeGreaterThan(1);
    expect(host.running()).toEqual([]);
  });

  test("describes a plugin that has no configuration", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "session");
    const description = await pool.describeProvider("my-session");
    expect(description).toMatchObject({
      provider: "session",
      plugin: "session",
      version: "1.2.3",
      resourceTypes: ["infra.database"],
      schemaDigest: "digest-1",
    });
    expect(description.traits("infra.database")).toMatchObject({ createFirst: true });
    expect(description.traits("infra.other")).toBeUndefined();
    expect(host.calls().some((call) => call.startsWith("Initialize"))).toBe(false);
  });

  test("configures a module that it was not given", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host);
    const provider = await pool.configureProvider("orphans", {}, { provider: "upstream" });
    expect(provider).toMatchObject({ module: "orphans", name: "upstream" });
    expect(await refusalOf(pool.configureProvider("unknown", {}))).toMatchObject({ code: "INTERNAL" });
  });

  test("lets a failed start be tried again", async () => {
    await using host = createFixtureHost();
    let attempts = 0;
    const onProcess = () => (++attempts === 1 ? Promise.reject(new Error("disk full")) : Promise.resolve());
    await using pool = createProviderPool({
      ...host.options,
      onProcess,
      modules: [{ name: "my-upstream", provider: "upstream", config: {} }],
    });
    await expect(pool.configureProvider("my-upstream", {})).rejects.toThrow("disk full");
    expect(await pool.configureProvider("my-upstream", {})).toMatchObject({ name: "upstream" });
  });

  test("stops a run wherever it can be stopped", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "upstream", "session", "unimplemented");
    await Promise.all(
      ["my-upstream", "my-session", "my-unimplemented"].map((name) => pool.configureProvider(name, {})),
    );
    await pool.stopAll("run-9");
    expect(host.calls().filter((call) => call.startsWith("Stop"))).toEqual(["Stop run-9"]);
  });

  test("hides secrets that it was told, whatever their key", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "refuses-configuration");
    const error = await refusalOf(
      pool.configureProvider("my-refuses-configuration", { plain: "looks-harmless" }, { secrets: ["looks-harmless"] }),
    );
    expect(error.message).toContain("cannot log in");
    expect(error.message).not.toContain("looks-harmless");
  });

  test("ends all at once", async () => {
    await using host = createFixtureHost();
    const pool = createPool(host, "upstream", "session", "ignores-shutdown", "tcp");
    pool.warmUp(["my-tcp"]);
    await Promise.all(["my-upstream", "my-session"].map((name) => pool.configureProvider(name, {})));
    await pool.shutdownAll();
    expect(host.running()).toEqual([]);
    expect(await refusalOf(pool.configureProvider("my-upstream", {}))).toMatchObject({ code: "CANCELLED" });
  });

  test("kills all at once", async () => {
    await using host = createFixtureHost();
    const pool = createPool(host, "upstream", "ignores-shutdown", "silent");
    pool.warmUp(["my-silent"]);
    await Promise.all(["my-upstream", "my-ignores-shutdown"].map((name) => pool.configureProvider(name, {})));
    pool.killAll();
    await expect.poll(() => host.running()).toEqual([]);
  });
});
