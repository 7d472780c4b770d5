import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { dirname } from "node:path";

import { WfctlError } from "@wfctl/model";

import { pluginEnvironment } from "./environment.ts";
import { readFirstLine } from "./first-line.ts";
import { parseHandshake, quoteShort, type PluginAddress } from "./handshake.ts";
import { killGroup } from "./leftover.ts";
import { readLines, stripControls } from "./output-lines.ts";
import type { ProcessGuard } from "./process-guard.ts";
import { readStartTime } from "./process-identity.ts";
import { socketDirectory, sweepDeadSockets } from "./socket-directory.ts";
import { seconds, tellWaiting, type Waiting } from "./tell-waiting.ts";

export interface LaunchOptions {
  /** For messages and as prefix of what the plugin prints. */
  readonly name: string;
  readonly executable: string;
  /** Working directory of the process. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly guard: ProcessGuard;
  /** From launch to the handshake line. @default 60000 */
  readonly startTimeoutMs?: number;
  /** Receives each line that the plugin prints on stderr, prefixed and redacted. */
  readonly log?: (line: string) => void;
  /** Told where the handshake takes long. @default nobody */
  readonly waiting?: Waiting;
  /** Hides secrets in what the plugin prints. */
  readonly redact?: (text: string) => string;
  /** Kills the process, until the handshake is read. */
  readonly signal?: AbortSignal;
  /** Program that starts another so that it dies with its parent. @default setpriv, on Linux where it is */
  readonly wrapper?: string;
}

export interface PluginExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A plugin process that has printed its handshake. It leads its own process group and dies with the host. */
export interface PluginChild {
  readonly pid: number;
  readonly startTime: string;
  readonly address: PluginAddress;
  readonly exit: PluginExit | undefined;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<PluginExit>;
  /** "exited with code 1; it said: …": how it ended, to follow its name, once what it printed last has come in. */
  describeExit(): Promise<string>;
  /** SIGKILL to the whole process group. Idempotent. */
  kill(): void;
}

const defaultStartTimeoutMs = 60_000;
const tailChars = 1_000;
/** How long output may trail behind the end of the process that wrote it. */
const trailingOutputMs = 500;

/**
 * Starts a plugin and reads its handshake.
 * Throws `PLUGIN_START` where no process starts or it ends before the handshake, `PLUGIN_HANDSHAKE` where its first
 * line is none, `PLUGIN_TIMEOUT` where it prints none in time. The process is gone, or being killed, on every failure.
 */
export async function launchPlugin(options: LaunchOptions): Promise<PluginChild> {
  const wrapper = options.wrapper ?? findWrapper();
  if (wrapper === undefined) return await startProcess(options, options.executable, []);
  try {
    return await startProcess(options, wrapper, ["--pdeathsig", "KILL", options.executable]);
  } catch (error) {
    if (error instanceof WrapperFailure) return await startProcess(options, options.executable, []);
    throw error;
  }
}

/** The wrapper itself could not do its work: an older one, a minimal one, or a forbidden system call. */
class WrapperFailure extends WfctlError {}

/** On Linux the kernel kills the plugin when the host dies, whatever kills the host. The wrapper execs: the pid is the plugin's. */
function findWrapper(): string | undefined {
  if (process.platform !== "linux") return undefined;
  return ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path));
}

async function startProcess(options: LaunchOptions, command: string, args: readonly string[]): Promise<PluginChild> {
  const { name, directory, guard } = options;
  const socketDir = socketDirectory();
  const spawned = spawn(command, args, {
    cwd: directory,
    env: pluginEnvironment(options.env, socketDir),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const { pid } = spawned;
  if (pid === undefined) throw await spawnFailure(name, options.executable, spawned);

  // While the plugin starts.
  sweepDeadSockets(socketDir);
  const startTime = readStartTime(pid) ?? "";
  const stderr = collectStderr(spawned, options);
  let exit: PluginExit | undefined;
  let address: PluginAddress | undefined;
  const kill = (): void => {
    if (exit === undefined) killGroup(pid);
  };
  const removeSocket = (): void => {
    // Only where the plugin was told to put it: an address elsewhere is the plugin's business.
    if (address?.network === "unix" && dirname(address.path) === socketDir) rmSync(address.path, { force: true });
  };
  const release = guard.add(() => {
    kill();
    removeSocket();
  });
  const exited = new Promise<PluginExit>((resolve) => {
    spawned.once("exit", (code, signal) => {
      exit = { code, signal };
      // What a dying plugin leaves in its group holds its pipes open and serves no one.
      killGroup(pid);
      release();
      removeSocket();
      resolve(exit);
    });
  });
  const describeExit = async (): Promise<string> => {
    // Its end may be told before its last words.
    await Promise.race([stderr.ended, timer(trailingOutputMs)]);
    return describeEnd(exit, stderr.tail());
  };

  options.signal?.addEventListener("abort", kill, { once: true });
  if (options.signal?.aborted) kill();
  try {
    address = await readHandshake(spawned, exited, options);
    return {
      pid,
      startTime,
      address,
      get exit() {
        return exit;
      },
      exited,
      describeExit,
      kill,
    };
  } catch (error) {
    kill();
    if (!(error instanceof EndedEarly)) throw error;
    const how = await describeExit();
    const Failure =
      command !== options.executable && stderr.tail().startsWith("setpriv:") ? WrapperFailure : WfctlError;
    throw new Failure("PLUGIN_START", `Plugin "${name}" ${how}, before its handshake`, {
      hint: `Check that ${options.executable} is a wfctl plugin built for this machine (${process.platform} ${process.arch})`,
    });
  } finally {
    options.signal?.removeEventListener("abort", kill);
  }
}

/** Does some work with a plugin that is killed, and the work so ended, when the signal aborts. */
export async function killOnAbort<T>(child: PluginChild, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.addEventListener("abort", child.kill, { once: true });
  if (signal.aborted) child.kill();
  try {
    return await work();
  } finally {
    signal.removeEventListener("abort", child.kill);
  }
}

class EndedEarly extends Error {}

async function readHandshake(
  child: ChildProcess,
  exited: Promise<PluginExit>,
  { name, startTimeoutMs = defaultStartTimeoutMs, redact = (text) => text, waiting }: LaunchOptions,
): Promise<PluginAddress> {
  const late = AbortSignal.timeout(startTimeoutMs);
  const reading = readFirstLine(child.stdout as NonNullable<typeof child.stdout>, late);
  const told = `Plugin "${name}" has not answered yet: it has up to ${seconds(startTimeoutMs)} to print its handshake`;
  const line = await (waiting === undefined ? reading : tellWaiting(reading, waiting, told));
  if (line === "timeout") {
    throw new WfctlError(
      "PLUGIN_TIMEOUT",
      `Plugin "${name}" printed no handshake within ${startTimeoutMs} ms of its start`,
      {
        hint: "Start its executable by hand to see what it waits for",
      },
    );
  }
  if (line === "end") {
    if ((await Promise.race([exited, timer(trailingOutputMs)])) !== undefined) throw new EndedEarly();
    throw new WfctlError("PLUGIN_HANDSHAKE", `Plugin "${name}" closed its output without a handshake and did not exit`);
  }
  const result = parseHandshake(redact(line.text));
  if ("address" in result) return result.address;
  // A launcher that failed may have printed to its output why, and ended.
  throw new WfctlError("PLUGIN_HANDSHAKE", `Plugin "${name}" ${result.problem}`, {
    hint: "The handshake must be the first line that a plugin prints; log lines and banners belong on stderr",
  });
}

function collectStderr(child: ChildProcess, { name, log, redact = (text) => text }: LaunchOptions) {
  let tail = "";
  const stream = child.stderr as NonNullable<typeof child.stderr>;
  readLines(stream, (line) => {
    const text = redact(stripControls(line));
    tail = `${tail}${text}\n`.slice(-8 * tailChars);
    log?.(`plugin "${name}" stderr: ${text}`);
  });
  const ended = new Promise<void>((resolve) => stream.once("close", () => resolve()));
  return { tail: () => lastWords(tail), ended };
}

/** Where a crash report begins, whose first lines say most; else the end. Of a report of Go's, what and where. */
function lastWords(text: string): string {
  const report = /^(?:panic: |fatal error: |Traceback |Uncaught |Error: )/m.exec(text);
  const start = report === null ? -tailChars : report.index;
  const words = text.trimEnd().slice(start);
  const go =
    /^(.+?)\n\ngoroutine \d+ [^\n]*\n(?:(?:panic|runtime\.)[^\n]*\n\t[^\n]*\n)*([^\n]+)\([^\n]*\n\t(\S+:\d+)/s.exec(
      words,
    );
  if (go !== null) return `${go[1]} (${go[2]}, ${go[3]})`.slice(0, tailChars);
  return words.slice(0, tailChars).trim();
}

function describeEnd(exit: PluginExit | undefined, tail: string): string {
  const how =
    exit === undefined
      ? "is still running"
      : exit.signal === null
        ? `exited with code ${exit.code}`
        : `was ended by ${exit.signal}`;
  return tail === ""
    ? `${how}; it printed nothing on stderr`
    : `${how}; the last it printed on stderr: ${quoteTail(tail)}`;
}

function quoteTail(tail: string): string {
  return JSON.stringify(tail);
}

async function spawnFailure(name: string, executable: string, child: ChildProcess): Promise<WfctlError> {
  const cause = await new Promise<Error>((resolve) => child.once("error", resolve));
  return new WfctlError("PLUGIN_START", `Plugin "${name}" did not start: ${executable}: ${quoteShort(cause.message)}`, {
    cause,
    hint: `Check that the file is a program for this machine (${process.platform} ${process.arch}) and that its interpreter exists`,
  });
}

function timer(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined).unref());
}
