import * as grpc from "@grpc/grpc-js";
import { goPluginController, goPluginStdio, serverStreamCall, unaryCall } from "@wfctl/contract";

import type { PluginAddress } from "./handshake.ts";
import type { PluginChild } from "./launch.ts";
import { createLineSplitter } from "./output-lines.ts";

/** A plugin process and the channel to it. */
export interface PluginConnection {
  readonly child: PluginChild;
  readonly client: grpc.Client;
  /** Shutdown, at most `exitMs` of waiting, SIGKILL; resolves when the process is gone. Idempotent. */
  shutdown(exitMs: number): Promise<void>;
}

export interface ConnectOptions {
  readonly maxReplyBytes: number;
  /** Receives what the plugin writes to stderr after its handshake, where it sends that over the channel. */
  readonly onStderr: (line: string) => void;
}

/** How long a killed process may take to be gone. */
const reapMs = 10_000;

/** Opens the channel and drains what the plugin prints over it. Never fails: the first call does, where the plugin cannot be reached. */
export function connectPlugin(child: PluginChild, options: ConnectOptions): PluginConnection {
  const client = new grpc.Client(target(child.address), grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": options.maxReplyBytes,
    "grpc.max_send_message_length": -1,
    // Whether a call is sent again is the engine's decision, never the transport's.
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    // A proxy of the environment is not meant for a process on this machine.
    "grpc.enable_http_proxy": 0,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_channelz": 0,
    "grpc-node.flow_control_window": 8 * 1024 * 1024,
  });
  const closing = new AbortController();
  void drainStdio(client, options.onStderr, closing.signal);
  void child.exited.then(() => {
    closing.abort();
    client.close();
  });
  let shutdown: Promise<void> | undefined;
  return {
    child,
    client,
    shutdown: (exitMs) => (shutdown ??= endPlugin(child, client, exitMs)),
  };
}

function target(address: PluginAddress): string {
  return address.network === "unix" ? `unix:${address.path}` : `dns:${address.host}:${address.port}`;
}

/** Upstream's plugins block once nobody reads what they print. There is one reader per plugin, ever. */
async function drainStdio(client: grpc.Client, onStderr: (line: string) => void, signal: AbortSignal): Promise<void> {
  const stderr = createLineSplitter(onStderr);
  try {
    for await (const { channel, data } of serverStreamCall(
      client,
      goPluginStdio.GRPCStdio.method.streamStdio,
      {},
      { signal },
    )) {
      if (channel === goPluginStdio.StdioData_Channel.STDERR) stderr.push(data);
    }
  } catch {
    // Plugins need not serve it, and its end is the plugin's.
  }
  stderr.end();
}

async function endPlugin(child: PluginChild, client: grpc.Client, exitMs: number): Promise<void> {
  if (child.exit === undefined) {
    // Upstream's plugins stop in the middle of this call: any answer is as good as success.
    const asked = unaryCall(
      client,
      goPluginController.GRPCController.method.shutdown,
      {},
      { deadline: Date.now() + exitMs },
    );
    await within(Promise.all([child.exited, asked.catch(() => {})]), exitMs);
  }
  child.kill();
  await within(child.exited, reapMs);
  client.close();
}

/** Waits for a promise that never rejects, at most `ms`. False where it took longer. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
