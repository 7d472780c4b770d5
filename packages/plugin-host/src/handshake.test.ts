import { handshake as contract, pluginEnvironment as contractEnvironment, strippedEnvironment } from "@wfctl/contract";
import { describe, expect, test } from "vitest";

import { handshakeEnvironment, pluginEnvironment } from "./environment.ts";
import { parseHandshake } from "./handshake.ts";

describe("the handshake line", () => {
  test.each([
    ["1|1|unix|/tmp/plugin123", { network: "unix", path: "/tmp/plugin123" }],
    ["1|1|unix|/tmp/plugin123|grpc||true", { network: "unix", path: "/tmp/plugin123" }],
    ["1|1|tcp|127.0.0.1:10000|grpc\r", { network: "tcp", host: "127.0.0.1", port: 10000 }],
  ])("%j is read", (line, address) => {
    expect(parseHandshake(line)).toEqual({ address });
  });

  test.each([
    ["", "empty first line"],
    ["   ", "empty first line"],
    ["Starting plugin", '"Starting plugin"'],
    ["1|1|unix", "where the handshake must be"],
    ["2|1|unix|/tmp/x|grpc", 'core protocol "2"'],
    ["1|6|unix|/tmp/x|grpc", 'protocol version "6"'],
    ["1|1|pipe|/tmp/x|grpc", 'network "pipe"'],
    ["1|1|unix|/tmp/x|netrpc", 'protocol "netrpc"'],
    ["1|1|unix|relative.sock|grpc", "no absolute socket path"],
    ["1|1|tcp|127.0.0.1|grpc", "no host:port"],
    ["1|1|tcp|127.0.0.1:99999|grpc", "no host:port"],
  ])("%j is refused", (line, text) => {
    const result = parseHandshake(line);
    expect("problem" in result && result.problem).toContain(text);
  });

  test("is quoted short and harmless to a terminal", () => {
    const result = parseHandshake(`\u001b[31m${"x".repeat(5_000)}`);
    const problem = "problem" in result ? result.problem : "";
    expect(problem.length).toBeLessThan(300);
    expect(problem).not.toContain("\u001b");
  });
});

describe("the environment of a plugin", () => {
  test("is what the contract says", () => {
    expect(handshakeEnvironment).toEqual(contractEnvironment);
    expect(handshakeEnvironment[contract.cookieName]).toBe(contract.cookieValue);
  });

  test("inherits, less what misleads a plugin and what opens the state", () => {
    const inherited: Record<string, string> = {
      HOME: "/home/x",
      WFCTL_KEY: "k",
      WFCTL_KEY_FILE: "f",
      WFCTL_PASSPHRASE: "p",
    };
    for (const name of strippedEnvironment) inherited[name] = "leftover";
    const environment = pluginEnvironment({ ...inherited, EMPTY: undefined, WORKFLOW_PLUGIN: "wrong" }, "/tmp/sockets");
    expect(environment).toEqual({
      HOME: "/home/x",
      ...contractEnvironment,
      WFCTL_NODE: process.execPath,
      PLUGIN_UNIX_SOCKET_DIR: "/tmp/sockets",
    });
  });
});
