import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { iac, pluginEnvironment, unaryCall } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";

/** The provider as a host starts it: its launcher, on a socket of its own. */
export interface Plugin {
  readonly client: grpc.Client;
  readonly child: ChildProcess;
  /** What it wrote to standard error so far. */
  stderr(): string;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

/** Starts and configures the provider of a launcher. Variables of the test's own environment that `withheld` matches do not pass: nothing leads to a real account. */
export async function startPlugin(
  launcher: string,
  config: JsonObject,
  options: { readonly withheld: RegExp; readonly environment?: Record<string, string> },
): Promise<Plugin> {
  const folder = mkdtempSync(join(tmpdir(), "drive-"));
  const inherited = Object.entries(process.env).filter(([name]) => !options.withheld.test(name));
  const child = spawn(launcher, [], {
    env: {
      ...Object.fromEntries(inherited),
      ...pluginEnvironment,
      PLUGIN_UNIX_SOCKET_DIR: folder,
      ...options.environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve);
    // Its end may be told before its last words: `close` comes after both.
    child.once("close", (code) => reject(new Error(`The plugin ended with ${code}: ${stderr}`)));
  });
  const client = new grpc.Client(`unix:${line.split("|")[3]}`, grpc.credentials.createInsecure(), {
    "grpc.default_authority": "unused",
  });
  const plugin: Plugin = {
    client,
    child,
    stderr: () => stderr,
    async kill() {
      client.close();
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    const configJson = Buffer.from(JSON.stringify(config));
    await unaryCall(client, iac.IaCProviderRequired.method.initialize, { configJson });
  } catch (error) {
    await plugin.kill();
    throw error;
  }
  return plugin;
}
