import type { Provider } from "./author/define-provider.ts";
import { watchLifetime } from "./process/lifetime.ts";
import { claimStandardOutput, standardErrorLog } from "./process/output.ts";

/**
 * Serves a provider as the process that a host started, until the host ends it or dies. Returns once it listens.
 * The process exits with 0 after Shutdown, SIGTERM and the host's death, and with 1 when it was not started by a host
 * or failed. Standard output belongs to the handshake: everything else that writes there ends up in the log.
 */
export async function serve(provider: Provider): Promise<void> {
  const environment = process.env;
  const log = standardErrorLog(environment);
  const output = claimStandardOutput(log);
  let stop: (() => Promise<void>) | undefined;
  let ended = false;
  const end = (reason: string): void => {
    if (ended) return;
    ended = true;
    log.debug(`Ending: ${reason}`);
    void (stop?.() ?? Promise.resolve()).finally(() => process.exit(0));
  };
  const { refuseWithoutHost } = await import("./process/cookie.ts");
  const refusal = refuseWithoutHost(environment, provider.name);
  if (refusal !== undefined) {
    process.stderr.write(refusal);
    process.exitCode = 1;
    return;
  }
  if ((environment["PLUGIN_CLIENT_CERT"] ?? "") !== "") {
    log.warn("PLUGIN_CLIENT_CERT is set and is not used: this plugin listens on a socket of its own, without TLS");
  }
  watchLifetime(log, end);
  const { handshakeLine, startServer } = await import("./server/start.ts");
  const server = await startServer(provider, { environment, log, end });
  stop = () => server.stop();
  output.writeLine(handshakeLine(server.address));
}
