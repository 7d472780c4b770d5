import { kill } from "node:process";

import { extServiceNames } from "@wfctl/contract";
import { describe, expect, test } from "vitest";

import {
  createFixtureHost,
  expectEventually,
  failureOf,
  options,
  ref,
  refusalOf,
  spec,
  type FixtureHost,
} from "../testdata/host.ts";
import type { ProviderPool } from "./options.ts";
import { configurationsService, createProviderPool } from "./pool.ts";

function createPool(host: FixtureHost, provider: string, ...names: string[]): ProviderPool {
  return createProviderPool({ ...host.options, modules: names.map((name) => ({ name, provider, config: {} })) });
}

test("the name of the service is the contract's", () => {
  expect(configurationsService).toBe(extServiceNames.Configurations);
});

describe("modules of a plugin that takes several configurations", () => {
  test("share a process, each with its own configuration, identity and objects", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "configurations", "a", "b");
    const [a, b] = await Promise.all([
      pool.configureProvider("a", { account: "x" }),
      pool.configureProvider("b", { account: "y" }),
    ]);
    expect(b.process.pid).toBe(a.process.pid);
    expect(host.running()).toEqual([a.process.pid]);
    expect(
      pool
        .processes()
        .map(({ provider }) => provider)
        .toSorted(),
    ).toEqual(["a", "b"]);
    expect([a.identity, b.identity]).toEqual(["fixture:x", "fixture:y"]);
    await a.create(spec("db"), options);
    expect(await a.read(ref("db"), options)).toMatchObject({ name: "db" });
    expect(await b.read(ref("db"), options)).toBeUndefined();
    await b.finalize("plan", options);
    await a.stop("run-1");
    expect(host.calls()).toContain("FinalizeApply b");
    expect(host.calls()).toContain("Stop run-1a");
    expect(host.calls().filter((call) => call.startsWith("Initialize"))).toEqual([]);
  });

  test("go on when another one ends, and the process ends with the last", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "configurations", "a", "b");
    const a = await pool.configureProvider("a", { account: "x" });
    const b = await pool.configureProvider("b", { account: "y" });
    await a.shutdown();
    expect(host.calls()).toContain("Close a");
    expect(await failureOf(a.read(ref("db"), options))).toMatchObject({ class: "plugin_exit" });
    expect(await b.create(spec("db"), options)).toMatchObject({ name: "db" });
    await b.shutdown();
    expect(host.running()).toEqual([]);
  });

  test("go on when another one is killed or gets another configuration", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "configurations", "a", "b");
    const a = await pool.configureProvider("a", { account: "x" });
    const b = await pool.configureProvider("b", { account: "y" });
    await b.create(spec("db"), options);
    const other = await pool.configureProvider("a", { account: "z" });
    expect(other.identity).toBe("fixture:z");
    other.kill();
    expect(await failureOf(a.read(ref("db"), options))).toMatchObject({ class: "plugin_exit" });
    expect(await failureOf(other.read(ref("db"), options))).toMatchObject({ class: "plugin_exit" });
    expect(await b.read(ref("db"), options)).toMatchObject({ name: "db" });
    expect(host.running()).toEqual([b.process.pid]);
  });

  test("share one restart, and each opens its own configuration again", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "configurations", "a", "b");
    const a = await pool.configureProvider("a", { account: "x" });
    const b = await pool.configureProvider("b", { account: "y" });
    const before = a.process.pid;
    kill(before, "SIGKILL");
    await expectEventually(() => a.processGone() && b.processGone(), "the end of the process is not noticed");
    await Promise.all([a.create(spec("db"), options), b.create(spec("db"), options)]);
    expect(a.process.pid).not.toBe(before);
    expect(b.process.pid).toBe(a.process.pid);
    expect([a.identity, b.identity]).toEqual(["fixture:x", "fixture:y"]);
    expect(host.running()).toEqual([a.process.pid]);
  });

  test("are refused one by one, and no secret of any shows", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "configurations", "a", "b");
    const a = await pool.configureProvider("a", { account: "x", token: "secret-of-module-a" });
    const error = await refusalOf(pool.configureProvider("b", { refuse: true, token: "secret-of-module-b" }));
    expect(error).toMatchObject({ code: "PLUGIN_INITIALIZE" });
    expect(error.message).toContain("not with (hidden)");
    expect(await a.create(spec("db"), options)).toMatchObject({ name: "db" });
    await expectEventually(
      () => host.lines.filter((line) => line.includes("opened with")).length === 2,
      "no line came",
    );
    expect(host.lines.join("\n")).not.toContain("secret-of");
    const b = await pool.configureProvider("b", { account: "y" });
    expect(b.process.pid).toBe(a.process.pid);
  });

  test("do not take each other along when one is given up while it is configured", async () => {
    await using host = createFixtureHost();
    const pool = createPool(host, "configurations", "a", "b");
    const a = await pool.configureProvider("a", { account: "x" });
    const slow = refusalOf(pool.configureProvider("b", { account: "slow" }));
    await expectEventually(() => host.calls().some((call) => call.startsWith("Open b")), "b was not opened");
    await a.shutdown();
    await pool.shutdownAll();
    expect(await slow).toMatchObject({ code: "CANCELLED" });
    expect(host.running()).toEqual([]);
  });

  test("have a process each where there is only one of them", async () => {
    await using host = createFixtureHost();
    await using pool = createPool(host, "configurations", "a");
    await pool.configureProvider("a", { account: "x" });
    expect(host.calls().filter((call) => /^(?:Open|Initialize)/.test(call))).toEqual(['Initialize {"account":"x"}']);
  });

  test("end all at once", async () => {
    await using host = createFixtureHost();
    const pool = createPool(host, "configurations", "a", "b");
    await Promise.all(["a", "b"].map((name) => pool.configureProvider(name, {})));
    pool.killAll();
    await expectEventually(() => host.running().length === 0, "the process goes on");
  });
});

test.each(["no", "yes"])(
  "a plugin that only says so gets a process for each module (registered: %s)",
  async (registered) => {
    await using host = createFixtureHost();
    const env = { ...host.options.env, FIXTURE_REGISTERED: registered };
    await using pool = createProviderPool({
      ...host.options,
      env,
      modules: ["a", "b"].map((name) => ({ name, provider: "configurations-unserved", config: {} })),
    });
    const [a, b] = await Promise.all([pool.configureProvider("a", { n: 1 }), pool.configureProvider("b", { n: 2 })]);
    expect(b.process.pid).not.toBe(a.process.pid);
    expect(await a.create(spec("db"), options)).toMatchObject({ name: "db" });
    expect(await b.read(ref("db"), options)).toBeUndefined();
    const configured = host.calls().filter((call) => call.startsWith("Initialize"));
    expect(configured.toSorted()).toEqual(['Initialize {"n":1}', 'Initialize {"n":2}']);
    expect(host.running().toSorted()).toEqual([a.process.pid, b.process.pid].toSorted());
  },
);
