import { createConnection, type Socket } from "node:net";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { hasCode } from "../errors.ts";
import type { ServiceSpec } from "./service-file.ts";

/** What the provider asks a supervisor, one JSON line each way. */
export type ControlRequest = { readonly op: "status" } | { readonly op: "apply" } | { readonly op: "stop" };

export interface InstanceStatus {
  readonly index: number;
  readonly pid: number | undefined;
  readonly state: "starting" | "running" | "waiting" | "stopped";
  readonly health: "unknown" | "healthy" | "unhealthy";
  /** How long its process has run. */
  readonly upMs: number;
  readonly restarts: number;
  /** How the last process of it ended, for people. */
  readonly lastExit: string | undefined;
}

export interface SupervisorStatus {
  readonly pid: number;
  /** What it runs, which may be older than what the service file says. */
  readonly spec: ServiceSpec;
  readonly port: number;
  readonly instances: readonly InstanceStatus[];
  /** The system refused to start the command at all. */
  readonly spawnError: string | undefined;
}

/** What a unix socket's address may hold. */
const maxPathBytes = 100;
const answerTimeoutMs = 5000;

/**
 * Asks the supervisor that holds the socket. Undefined where no one does: the supervisor is dead or was never started.
 * `stop` is answered when all processes are gone, at most `timeoutMs` later.
 */
export async function askSupervisor(
  socketPath: string,
  request: ControlRequest,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<SupervisorStatus | undefined> {
  const { timeoutMs = answerTimeoutMs, signal } = options;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<SupervisorStatus | undefined>();
  const socket = connect(socketPath);
  const timer = setTimeout(() => reject(new Error(`The supervisor did not answer "${request.op}" in time`)), timeoutMs);
  const abort = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  let answer = "";
  socket.setEncoding("utf8");
  socket.on("connect", () => socket.write(`${JSON.stringify(request)}\n`));
  socket.on("data", (chunk: string) => {
    answer += chunk;
    if (answer.includes("\n")) resolve(JSON.parse(answer) as SupervisorStatus);
  });
  // A supervisor that dies in the middle of an answer is a dead one.
  socket.on("close", () => resolve(undefined));
  socket.on("error", (error) => {
    if (hasCode(error, "ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTDIR")) resolve(undefined);
    else reject(error);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    socket.destroy();
  }
}

/** A path that is too long for an address is reached through a short link, which is needed only to connect. */
function connect(path: string): Socket {
  if (Buffer.byteLength(path) < maxPathBytes) return createConnection(path);
  const folder = mkdtempSync(join(tmpdir(), "wfctl-"));
  try {
    symlinkSync(dirname(path), join(folder, "s"));
    return createConnection(join(folder, "s", basename(path)));
  } finally {
    // The connection is asked for in this very turn.
    setImmediate(() => rmSync(folder, { recursive: true, force: true }));
  }
}
