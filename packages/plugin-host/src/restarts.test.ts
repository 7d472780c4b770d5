import type { Clock } from "@wfctl/engine";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createFixtureHost, failureOf, options, ref, spec, type FixtureHost } from "../testdata/host.ts";

let host: FixtureHost;
let waits: number[];
beforeEach(() => {
  waits = [];
  host = createFixtureHost({ clock: virtualClock(waits) });
});
afterEach(() => host[Symbol.asyncDispose]());

/** Time that passes at once. */
function virtualClock(slept: number[]): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep(ms) {
      slept.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
}

const crash = spec("crashes", { crash: true });

describe.each(["upstream", "session"])("%s that ends in the middle of a call", (plugin) => {
  test("loses the answer, says how it ended and is known to be gone", async () => {
    const provider = await host.configure(plugin);
    const bystander = failureOf(provider.create(spec("hangs", { hang: true }), { ...options, clientToken: "a" }));
    const error = await failureOf(provider.create(crash, options));
    expect(error).toMatchObject({ class: "plugin_exit", answered: false, definite: false });
    expect(error.message).toContain("exited with code 7");
    expect(provider.processGone()).toBe(true);
    expect(await bystander).toMatchObject({ class: "plugin_exit", answered: false });
  });

  test("is started again by the next call, once for all that wait, with its configuration", async () => {
    const provider = await host.configure(plugin, { token: "a-very-secret-token" });
    const { pid } = provider.process;
    await failureOf(provider.create(crash, options));
    const [first, second] = await Promise.all([
      provider.create(spec("a"), { ...options, clientToken: "a" }),
      provider.create(spec("b"), { ...options, clientToken: "b" }),
    ]);
    expect([first.outputs, second.outputs]).not.toContain(undefined);
    expect(provider.processGone()).toBe(false);
    expect(provider.process.pid).not.toBe(pid);
    expect(host.processes.map((started) => started.pid)).toEqual([pid, provider.process.pid]);
    expect(waits).toEqual([200]);
    if (plugin === "upstream") {
      expect(host.calls().filter((call) => call.startsWith("Initialize"))).toEqual([
        'Initialize {"token":"a-very-secret-token"}',
        'Initialize {"token":"a-very-secret-token"}',
      ]);
    }
  });
});

test("a plugin that ends with a report is quoted from the report's beginning", async () => {
  const provider = await host.configure("upstream");
  const error = await failureOf(provider.create(spec("crashes", { crash: "report" }), options));
  expect(error.message).toContain("panic: assignment to entry in nil map");
  expect(error.message.length).toBeLessThan(1_500);
});

test("a plugin that runs on and listens no more is ended, and the next call starts another", async () => {
  const provider = await host.configure("stops-listening");
  const { pid } = provider.process;
  const lost = await failureOf(provider.create(spec("deaf"), options));
  expect(lost.answered).toBe(false);
  // A call that nobody gave up is not cancelled.
  expect(["transient", "plugin_exit"]).toContain(lost.class);
  // How soon the transport notices is its own business.
  const told = [lost.message];
  const askAgain = async (): Promise<string> => {
    await provider.read(ref("db"), options).catch((error: Error) => told.push(error.message));
    return told.join("\n");
  };
  await expect.poll(askAgain, { timeout: 30_000 }).toContain("listened no more, so it was ended");
  expect(await provider.read(ref("db"), options)).toBeUndefined();
  expect(provider.process.pid).not.toBe(pid);
});

describe("a plugin that ends again and again", () => {
  test("is started three times, each later than the one before, and then no more", async () => {
    const provider = await host.configure("upstream");
    for (let call = 0; call < 4; call += 1) {
      expect((await failureOf(provider.create(crash, options))).message).toContain("exited with code 7");
    }
    expect(waits).toEqual([200, 800, 3200]);
    const error = await failureOf(provider.read(ref("db"), options));
    expect(error).toMatchObject({ class: "plugin_exit", answered: false });
    expect(error.message).toContain("not started a 4th time");
    expect(host.processes).toHaveLength(4);
    expect(provider.processGone()).toBe(true);
  });

  test("does not hold a call that is given up", async () => {
    const never: Clock = {
      now: () => 0,
      sleep: (_ms, signal) =>
        new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error))),
    };
    const provider = await host.configure("upstream", {}, { clock: never });
    await failureOf(provider.create(crash, options));
    const controller = new AbortController();
    const call = failureOf(provider.read(ref("db"), { ...options, signal: controller.signal }));
    controller.abort();
    expect(await call).toMatchObject({ class: "cancelled", answered: false });
  });
});

describe("a provider that was shut down", () => {
  test("is not started again", async () => {
    const provider = await host.configure("upstream");
    await provider.shutdown();
    expect(host.running()).toEqual([]);
    expect(await failureOf(provider.read(ref("db"), options))).toMatchObject({ class: "plugin_exit" });
    expect(host.running()).toEqual([]);
  });

  test("fails the calls that were open", async () => {
    const provider = await host.configure("upstream");
    const before = host.calls().length;
    const call = failureOf(provider.create(spec("hangs", { hang: true }), options));
    await expect
      .poll(() =>
        host
          .calls()
          .slice(before)
          .some((line) => line.startsWith("Create")),
      )
      .toBe(true);
    await provider.shutdown();
    expect(await call).toMatchObject({ class: "plugin_exit", answered: false });
  });
});
