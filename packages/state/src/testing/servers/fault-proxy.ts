import {
  Agent,
  createServer,
  request,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/**
 * `lose-request`: the connection breaks before the server has heard of it. `lose-reply`: it breaks after the server has
 * done it. `hang`: the server does it, and its reply never comes. `refuse`: an answer without the server. `fail-after`: the
 * server does it and another answer comes. `slowMs`: the reply takes a while. `without`: the server does not see this header.
 */
export type HttpFault =
  | "lose-request"
  | "lose-reply"
  | "hang"
  | { readonly refuse: number; readonly code?: string }
  | { readonly failAfter: number; readonly code?: string }
  | { readonly slowMs: number }
  | { readonly without: string };

export interface FaultProxy {
  readonly address: string;
  /** Asked for each request; undefined lets it pass. */
  rule: (method: string, path: string) => HttpFault | undefined;
  /** Faults that were made. */
  faults: number;
  stop(): Promise<void>;
}

/** Stands before an HTTP server and breaks what its rule says. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { origin, pathname } = new URL(target);
  // A connection for each request: one that is kept may be closed by the server in the moment it is used again.
  const agent = new Agent({ keepAlive: false });
  const server = createServer((incoming, outgoing) => {
    // A client that has given up its request, a server that has gone: to the client its connection breaks.
    handle(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await incoming.toArray());
    const fault = proxy.rule(incoming.method ?? "", incoming.url ?? "");
    if (fault !== undefined) proxy.faults += 1;
    if (fault === "lose-request") return void incoming.socket.destroy();
    if (typeof fault === "object" && "refuse" in fault) return answer(outgoing, fault.refuse, fault.code);
    if (typeof fault === "object" && "without" in fault) delete incoming.headers[fault.without];
    const reply = await forward(incoming, body);
    if (fault === "lose-reply") return void incoming.socket.destroy();
    if (fault === "hang") return;
    if (typeof fault === "object" && "failAfter" in fault) return answer(outgoing, fault.failAfter, fault.code);
    const send = (): void => {
      outgoing.writeHead(reply.status, reply.headers).end(reply.body);
    };
    if (typeof fault === "object" && "slowMs" in fault) setTimeout(send, fault.slowMs);
    else send();
  };
  const forward = (incoming: IncomingMessage, body: Buffer) =>
    new Promise<{ status: number; headers: OutgoingHttpHeaders; body: Buffer }>((resolve, reject) => {
      const { method, url, headers } = incoming;
      const sent = request(`${origin}${url}`, { method, headers, agent, setHost: false }, (response) => {
        response
          .toArray()
          .then((chunks) => {
            const { "transfer-encoding": _, ...rest } = response.headers;
            resolve({ status: response.statusCode ?? 500, headers: rest, body: Buffer.concat(chunks) });
          })
          .catch(reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });
  const answer = (outgoing: ServerResponse, status: number, code = "Injected"): void => {
    outgoing.writeHead(status, { "x-ms-error-code": code }).end(`<Error><Code>${code}</Code></Error>`);
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const proxy: FaultProxy = {
    address: `http://127.0.0.1:${port}${pathname === "/" ? "" : pathname}`,
    rule: () => undefined,
    faults: 0,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      agent.destroy();
    },
  };
  return proxy;
}
