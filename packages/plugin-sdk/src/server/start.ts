import { setMaxListeners } from "node:events";
import * as grpc from "@grpc/grpc-js";
import { handshake } from "@wfctl/contract";
import { systemClock } from "../author/clock.ts";
import type { Provider } from "../author/define-provider.ts";
import type { Log } from "../author/log.ts";
import { protectSocket, removeSocket, socketPath, sweepDeadSockets } from "../process/socket.ts";
import { createRuntime } from "./runtime.ts";
import { addServices } from "./services.ts";

/** Time for the last answers, and for the provider to close its clients. Hosts kill after two seconds. */
const lastAnswersMs = 500;
const closeMs = 1000;

export interface StartedServer {
  /** The handshake line's fourth field. */
  readonly address: string;
  /** Ends all calls and removes the socket. Takes at most one and a half seconds. Idempotent. */
  stop(): Promise<void>;
}

/** Listens on a unix socket of its own. `end` is called when the host asks for the end. */
export async function startServer(
  provider: Provider,
  options: { environment: NodeJS.ProcessEnv; log: Log; end: (reason: string) => void },
): Promise<StartedServer> {
  const { environment, log, end } = options;
  const ending = new AbortController();
  // Every open stream listens.
  setMaxListeners(0, ending.signal);
  const runtime = createRuntime(provider, { clock: systemClock, log, ending: ending.signal, end });
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": 2 ** 31 - 1,
  });
  addServices(server, runtime);
  const path = socketPath(environment);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, grpc.ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  protectSocket(path);
  const remove = (): void => removeSocket(path);
  process.on("exit", remove);
  sweepDeadSockets(path);

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    ending.abort();
    await within(lastAnswersMs, new Promise<void>((resolve) => server.tryShutdown(() => resolve())));
    server.forceShutdown();
    await within(closeMs, runtime.instances.closeAll());
    remove();
  };
  return { address: path, stop: () => (stopping ??= stop()) };
}

/** The handshake line for an address. */
export function handshakeLine(address: string): string {
  const { coreVersion, protocolVersion, transport } = handshake;
  return `${coreVersion}|${protocolVersion}|unix|${address}|${transport}`;
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
