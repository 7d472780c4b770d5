import type { ErrorCode } from "@wfctl/model";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createFixtureHost, refusalOf, type FixtureHost } from "../testdata/host.ts";

let host: FixtureHost;
beforeEach(() => {
  host = createFixtureHost();
});
// Fails the test where a plugin process is left behind.
afterEach(() => host[Symbol.asyncDispose]());

const config = { token: "a-very-secret-token", region: "here-or-there" };

describe("a plugin that cannot be used", () => {
  test.each<[string, ErrorCode, readonly string[]]>([
    ["garbage", "PLUGIN_HANDSHAKE", ['"Loading configuration..."']],
    ["empty-line", "PLUGIN_HANDSHAKE", ["empty first line"]],
    ["closes-output", "PLUGIN_HANDSHAKE", ["closed its output"]],
    ["exits", "PLUGIN_START", ["exited with code 3", "libexample.so"]],
    ["no-interpreter", "PLUGIN_START", ["did not start"]],
    ["unreachable", "PLUGIN_START", ["cannot be reached"]],
    ["dies-after-handshake", "PLUGIN_EXITED", ["exited with code 4", "port already in use", "GetManifest"]],
    ["no-required", "PLUGIN_SERVICE", ["IaCProviderRequired", "ResourceDriver"]],
    ["rpc-v1", "PLUGIN_VERSION", ['"v1"', '"v2"']],
    ["rpc-empty", "PLUGIN_VERSION", ["nothing", '"v2"']],
    ["unimplemented-capabilities", "PLUGIN_SERVICE", ["Capabilities"]],
    ["malformed-capabilities", "PLUGIN_REPLY", ["Capabilities"]],
  ])("%s is refused with %s, before it has a credential", async (provider, code, texts) => {
    const error = await refusalOf(host.configure(provider, config));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(`"${provider}"`);
    for (const text of texts) expect(error.message).toContain(text);
    expect(host.calls().filter((call) => call.startsWith("Initialize"))).toEqual([]);
    expect(host.processes).toEqual([]);
  });

  test("that listens nowhere is told with the reason alone, and an upgrade is not what helps", async () => {
    const error = await refusalOf(host.configure("unreachable", config));
    expect(error.message).toMatch(/it listens: connect ENOENT \/tmp\/no-such-socket-of-wfctl$/);
    expect(error.hint).toContain("WFCTL_DEBUG=1");
    expect(error.hint).not.toContain("upgrade");
  });

  test("of manifest version v1 is not even started", async () => {
    const error = await refusalOf(host.configure("manifest-v1", config));
    expect(error).toMatchObject({ code: "PLUGIN_VERSION", hint: "Run: wfctl plugin upgrade manifest-v1" });
    expect(host.calls()).toEqual([]);
  });

  test("that prints no handshake is given up in time", async () => {
    const error = await refusalOf(host.configure("silent", config, { timeouts: { startMs: 100 } }));
    expect(error).toMatchObject({ code: "PLUGIN_TIMEOUT" });
    expect(error.message).toContain("within 100 ms");
  });

  describe("that lets the host wait", () => {
    test.each([
      ["silent", { startMs: 500 }, `Plugin "silent" has not answered yet: it has up to 0.5 s to print its handshake`],
      [
        "slow-capabilities",
        { capabilitiesMs: 500 },
        `Plugin "slow-capabilities" 1.2.3 has not answered Capabilities yet: it has up to 0.5 s`,
      ],
      [
        "slow-initialize",
        { initializeMs: 500 },
        `Plugin "slow-initialize" 1.2.3 has not answered Initialize yet: it has up to 0.5 s`,
      ],
    ])("is told of once, with its bound: %s", async (name, timeouts, told) => {
      const waits: string[] = [];
      const onWaiting = (line: string): void => void waits.push(line);
      await refusalOf(host.configure(name, config, { onWaiting, timeouts: { ...timeouts, noticeMs: 0 } }));
      expect(waits.filter((line) => line === told)).toHaveLength(1);
    });

    test("is not told of while it is in time", async () => {
      const waits: string[] = [];
      await host.configure("upstream", config, {
        onWaiting: (line) => void waits.push(line),
        timeouts: { noticeMs: 60_000 },
      });
      expect(waits).toEqual([]);
    });
  });

  test("that is throttled or not ready is asked again", async () => {
    const provider = await host.configure("throttled", config);
    const spec = { name: "a", type: "infra.database", config: {}, dependsOn: [] };
    const made = await provider.create(spec, { run: "run-1", timeoutMs: 60_000 });
    expect(made.sensitive).toContain("secret_too");
    const count = (name: string): number => host.calls().filter((call) => call === name).length;
    expect([count("Initialize"), count("SensitiveKeys")]).toEqual([2, 2]);
  });

  test("that does not answer Capabilities is given up in time", async () => {
    const error = await refusalOf(host.configure("slow-capabilities", config, { timeouts: { capabilitiesMs: 100 } }));
    expect(error).toMatchObject({ code: "PLUGIN_TIMEOUT" });
    expect(error.message).toContain("Capabilities within 100 ms");
    expect(host.calls().some((call) => call.startsWith("Initialize"))).toBe(false);
  });

  test("that does not answer Initialize is given up in time", async () => {
    const error = await refusalOf(host.configure("slow-initialize", config, { timeouts: { initializeMs: 100 } }));
    expect(error).toMatchObject({ code: "PLUGIN_TIMEOUT" });
    expect(error.message).toContain("Initialize within 100 ms");
  });

  test("that refuses its configuration is quoted without the secrets in it", async () => {
    const error = await refusalOf(host.configure("refuses-configuration", config));
    expect(error).toMatchObject({ code: "PLUGIN_INITIALIZE" });
    expect(error.message).toContain("cannot log in");
    expect(error.message).toContain("here-or-there");
    expect(error.message).not.toContain(config.token);
    await expect.poll(() => host.lines.join("\n")).toContain('plugin "refuses-configuration" stderr: configured with');
    expect(host.lines.join("\n")).not.toContain(config.token);
  });

  test("that is not installed is told by name", async () => {
    expect(await refusalOf(host.configure("nowhere"))).toMatchObject({ code: "PLUGIN_NOT_FOUND" });
  });
});

describe("a plugin that can be used", () => {
  test("is asked in upstream's order, but for the gate before the configuration", async () => {
    const provider = await host.configure("upstream", config);
    expect(provider).toMatchObject({
      module: "module",
      name: "upstream",
      version: "1.2.3",
      identity: undefined,
      schemaDigest: "",
    });
    const order = host.calls().filter((call) => !call.startsWith("StreamStdio"));
    expect(order).toEqual([
      "GetManifest",
      "GetContractRegistry",
      "Capabilities",
      `Initialize ${JSON.stringify(config)}`,
    ]);
    expect(host.calls()).toContain("StreamStdio");
  });

  test("is journaled before it has a configuration", async () => {
    const calls: string[] = [];
    const provider = await host.configure("upstream", config, {
      onProcess(started, module) {
        calls.push(...host.calls(), `${module} ${started.pid}`);
        expect(started).toMatchObject({ provider: "module", plugin: "upstream", version: "1.2.3" });
        return Promise.resolve();
      },
    });
    expect(calls.some((call) => call.startsWith("Initialize"))).toBe(false);
    expect(calls.at(-1)).toBe(`module ${provider.process.pid}`);
  });

  test("does not run on where it cannot be journaled", async () => {
    const onProcess = () => Promise.reject(new Error("disk full"));
    await expect(host.configure("upstream", config, { onProcess })).rejects.toThrow("disk full");
    expect(host.calls().some((call) => call.startsWith("Initialize"))).toBe(false);
  });

  test("may answer Capabilities after Initialize only", async () => {
    await host.configure("late-capabilities", config);
    expect(host.calls().filter((call) => /Capabilities|Initialize/.test(call))).toEqual([
      "Capabilities",
      "Initialize",
      "Capabilities",
    ]);
  });

  test("may end when asked for Capabilities before Initialize", async () => {
    const provider = await host.configure("crashing-capabilities", config);
    expect(provider.processGone()).toBe(false);
    expect(host.processes).toHaveLength(1);
    expect(host.calls().filter((call) => /Capabilities|Initialize/.test(call))).toEqual([
      "Capabilities",
      "Initialize",
      "Capabilities",
    ]);
  });

  test("may listen on a port, have no manifest to give and list its types", async () => {
    const provider = await host.configure("tcp", config, {
      env: { ...host.options.env, http_proxy: "http://127.0.0.1:1" },
    });
    expect(provider.traits("infra.vpc")).toEqual({});
    expect(provider.traits("infra.database")).toBeUndefined();
    expect(provider.resourceTypes).toEqual(["infra.vpc"]);
  });

  test("may advertise what it does not serve", async () => {
    const provider = await host.configure("unimplemented", config);
    expect(provider).toMatchObject({ identity: undefined, schemaDigest: "" });
    expect(provider.features).toMatchObject({ drivers: true, finalizer: true, clientTokens: false });
    expect(provider.traits("infra.anything")).toEqual({});
  });

  test("is started whatever the host inherited", async () => {
    const leftovers = {
      WORKFLOW_PLUGIN: "wrong",
      PLUGIN_CLIENT_CERT: "x",
      PLUGIN_MULTIPLEX_GRPC: "true",
      PLUGIN_UNIX_SOCKET_DIR: "/no/such",
    };
    await host.configure("upstream", config, { env: { ...host.options.env, ...leftovers } });
    expect(host.running()).toHaveLength(1);
  });

  test("may say a version that is none", async () => {
    const provider = await host.configure("unreleased", config);
    expect(provider.process).toMatchObject({ plugin: "unreleased", version: "(devel) abc123" });
  });

  test("has one listener on what it prints over the channel: a second one would split it", async () => {
    await host.configure("upstream", config);
    await expect.poll(() => host.lines).toContain('plugin "upstream" stderr: through the stream');
    expect(host.calls().filter((call) => call === "StreamStdio")).toHaveLength(1);
  });

  test("is heard on stderr, and over the channel", async () => {
    await host.configure("upstream", config);
    await expect.poll(() => host.lines).toContain('plugin "upstream" stderr: through the stream');
  });
});
