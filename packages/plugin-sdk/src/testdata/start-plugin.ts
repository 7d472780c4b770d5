import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { iac, pluginEnvironment, unaryCall } from "@wfctl/contract";
import { onTestFinished } from "vitest";

export interface StartedPlugin {
  readonly child: ChildProcess;
  readonly line: string;
  readonly socket: string;
  readonly folder: string;
  readonly client: grpc.Client;
  /** What it wrote to standard error so far. */
  stderr(): string;
  /** Lines on standard output after the handshake. */
  readonly printed: string[];
  /** Exit code and signal. */
  readonly exited: Promise<[number | null, NodeJS.Signals | null]>;
}

/** Starts a plugin as upstream's host does: cookie, no arguments, `unused` as authority, no limits on messages. */
export async function startPlugin(
  file: string,
  options: { environment?: Record<string, string>; folder?: string } = {},
): Promise<StartedPlugin> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "sdk-"));
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file], {
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(tmpdir(), "wfctl-test-compile-cache"),
      ...pluginEnvironment,
      PLUGIN_UNIX_SOCKET_DIR: folder,
      ...options.environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const printed: string[] = [];
  const first = Promise.withResolvers<string>();
  createInterface(child.stdout).on("line", (text) => {
    printed.push(text);
    first.resolve(text);
  });
  // Its end may be told before its last words: `close` comes after both.
  child.once("close", (code) => first.reject(new Error(`The plugin ended with ${code}: ${stderr}`)));
  const line = await first.promise;
  printed.shift();
  const socket = line.split("|")[3] ?? "";
  const client = new grpc.Client(`unix:${socket}`, grpc.credentials.createInsecure(), {
    "grpc.default_authority": "unused",
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  onTestFinished(async () => {
    client.close();
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  return { child, line, socket, folder, client, stderr: () => stderr, printed, exited };
}

/** The same, configured. */
export async function startConfigured(file: string, config: object, options = {}): Promise<StartedPlugin> {
  const started = await startPlugin(file, options);
  await unaryCall(started.client, iac.IaCProviderRequired.method.initialize, {
    configJson: Buffer.from(JSON.stringify(config)),
  });
  return started;
}
