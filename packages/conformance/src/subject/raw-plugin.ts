import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { goPluginController, goPluginStdio, handshake, serverStreamCall, unaryCall } from "@wfctl/contract";
import { parseHandshake, type PluginAddress } from "@wfctl/plugin-host";
import { Problem } from "../scenario.ts";
import { within } from "./within.ts";

export interface PluginExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A plugin process driven by nothing but its executable, its output and the wire. */
export interface RawPlugin {
  readonly pid: number;
  /** Its first line. */
  readonly line: string;
  readonly address: PluginAddress;
  readonly client: grpc.Client;
  /** Lines on standard output after the first. */
  readonly printed: readonly string[];
  /** Lines on standard error, those sent over the channel included. */
  readonly stderr: readonly string[];
  readonly exit: PluginExit | undefined;
  /** It has ended although nobody had asked for it. */
  readonly endedByItself: boolean;
  /** Never rejects. */
  readonly exited: Promise<PluginExit>;
  signal(name: "SIGINT" | "SIGTERM"): void;
  /** SIGKILL to its process group. */
  kill(): void;
  /** Shutdown, two seconds, SIGKILL. Idempotent. */
  end(): Promise<void>;
}

export interface StartOptions {
  readonly executable: string;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly startTimeoutMs: number;
}

/** Starts a process that is expected to serve. Throws a `Problem` where it does not print a handshake; it is killed then. */
export async function startRawPlugin(options: StartOptions): Promise<RawPlugin> {
  const started = startProcess(options);
  const first = await Promise.race([
    started.firstLine,
    started.exited.then(() => undefined),
    within(started.exited, options.startTimeoutMs).then(() => undefined),
  ]);
  if (first === undefined) {
    const how =
      started.exit === undefined
        ? `printed no handshake within ${options.startTimeoutMs} ms`
        : `${describeExit(started.exit)} before its handshake`;
    started.kill();
    throw new Problem(`The plugin ${how}${lastWords(started.stderr)}`);
  }
  const result = parseHandshake(first);
  if ("problem" in result) {
    started.kill();
    throw new Problem(`The plugin ${result.problem}`);
  }
  return connect(started, first, result.address);
}

/** What a started process prints and how it ends, without any expectation. */
export interface StartedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves with the first line of standard output; never rejects, stays open where there is none. */
  readonly firstLine: Promise<string>;
  /** All lines of standard output. */
  readonly stdout: readonly string[];
  readonly stderr: string[];
  readonly exit: PluginExit | undefined;
  readonly exited: Promise<PluginExit>;
  kill(): void;
}

export function startProcess({ executable, directory, env }: Omit<StartOptions, "startTimeoutMs">): StartedProcess {
  const child = spawn(executable, [], { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const stdout: string[] = [];
  const stderr: string[] = [];
  const first = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (stdout.push(line) === 1) first.resolve(line);
  });
  createInterface({ input: child.stderr }).on("line", (line) => stderr.push(line));
  let exit: PluginExit | undefined;
  const exited = new Promise<PluginExit>((resolve) => {
    const settle = (code: number | null, signal: string | null): void => {
      exit ??= { code, signal };
      resolve(exit);
    };
    // `close` comes after the last output, unless something else holds the pipes open.
    child.once("close", settle);
    child.once("exit", (code, signal) => setTimeout(settle, 1_000, code, signal).unref());
    child.once("error", (error) => {
      stderr.push(error.message);
      settle(null, null);
    });
  });
  return {
    child,
    pid: child.pid ?? 0,
    firstLine: first.promise,
    stdout,
    stderr,
    get exit() {
      return exit;
    },
    exited,
    kill() {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // Nothing left to kill.
      }
    },
  };
}

function connect(started: StartedProcess, line: string, address: PluginAddress): RawPlugin {
  const target = address.network === "unix" ? `unix:${address.path}` : `dns:${address.host}:${address.port}`;
  const client = new grpc.Client(target, grpc.credentials.createInsecure(), {
    "grpc.default_authority": "unused",
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.enable_http_proxy": 0,
    "grpc.use_local_subchannel_pool": 1,
  });
  const closing = new AbortController();
  void drain(client, started.stderr, closing.signal);
  void started.exited.then(() => closing.abort());
  let ending: Promise<void> | undefined;
  let asked = false;
  let endedByItself = false;
  void started.exited.then(() => (endedByItself = !asked));
  const end = async (): Promise<void> => {
    asked = true;
    if (started.exit === undefined) {
      const deadline = Date.now() + handshake.exitTimeoutMs;
      const answer = unaryCall(client, goPluginController.GRPCController.method.shutdown, {}, { deadline });
      await within(Promise.all([started.exited, answer.catch(() => {})]), handshake.exitTimeoutMs);
    }
    started.kill();
    await within(started.exited, 10_000);
    client.close();
  };
  return {
    pid: started.pid,
    line,
    address,
    client,
    get printed() {
      return started.stdout.slice(1);
    },
    stderr: started.stderr,
    get exit() {
      return started.exit;
    },
    get endedByItself() {
      return endedByItself;
    },
    exited: started.exited,
    signal(name) {
      // SIGINT is the host's, no reason to end.
      asked ||= name !== "SIGINT";
      started.child.kill(name);
    },
    kill() {
      asked = true;
      started.kill();
    },
    end: () => (ending ??= end()),
  };
}

/** Plugins of the Go kind block once nobody reads what they print. */
async function drain(client: grpc.Client, stderr: string[], signal: AbortSignal): Promise<void> {
  // Pieces of a line: it may have megabytes, and comes a kilobyte at a time.
  let rest: Buffer[] = [];
  try {
    const { streamStdio } = goPluginStdio.GRPCStdio.method;
    for await (const { channel, data } of serverStreamCall(client, streamStdio, {}, { signal })) {
      if (channel !== goPluginStdio.StdioData_Channel.STDERR) continue;
      let piece = Buffer.from(data);
      for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n")) {
        stderr.push(Buffer.concat([...rest, piece.subarray(0, end)]).toString("utf8"));
        rest = [];
        piece = piece.subarray(end + 1);
      }
      if (piece.length > 0) rest.push(piece);
    }
  } catch {
    // Not served, or ended with the plugin.
  }
  if (rest.length > 0) stderr.push(Buffer.concat(rest).toString("utf8"));
}

export function describeExit({ code, signal }: PluginExit): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? "did not start" : `exited with code ${code}`;
}

export function lastWords(stderr: readonly string[]): string {
  const text = stderr.slice(-5).join("\n").slice(-600).trim();
  return text === "" ? "; it printed nothing on standard error" : `; the last it printed: ${JSON.stringify(text)}`;
}
