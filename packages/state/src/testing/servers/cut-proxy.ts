import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** `before`: the connection breaks and the server has heard nothing. `after`: it breaks when the server has answered. */
export type Cut = "before" | "after" | undefined;

export interface CutProxy {
  readonly port: number;
  /** Asked for each piece of text that a client sends. A promise holds the piece back. */
  rule: (sent: string) => Cut | Promise<Cut>;
  cuts: number;
  /** Breaks all connections; new ones are refused. */
  stop(): Promise<void>;
}

/** Stands before a server of any protocol where a client waits for an answer before it sends more. */
export async function startCutProxy(targetPort: number): Promise<CutProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(targetPort, "127.0.0.1");
    let cutting = false;
    const end = (): void => {
      client.destroy();
      target.destroy();
    };
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("data", (chunk: Buffer) => {
      void (async () => {
        const cut = await proxy.rule(chunk.toString("latin1"));
        if (cut !== undefined) proxy.cuts += 1;
        if (cut === "before") return end();
        cutting ||= cut === "after";
        if (!target.destroyed) target.write(chunk);
      })();
    });
    target.on("data", (chunk: Buffer) => {
      if (cutting) end();
      else client.write(chunk);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: CutProxy = {
    port: (server.address() as AddressInfo).port,
    rule: () => undefined,
    cuts: 0,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}
