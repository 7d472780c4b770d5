import { createConnection, createServer, type Server, type Socket } from "node:net";

/** One port for several instances: each connection goes to the next of those that are up. */
export interface Balancer {
  close(): void;
}

export function startBalancer(port: number, upPorts: () => readonly number[]): Balancer {
  let turn = 0;
  const open = new Set<Socket>();
  const server: Server = createServer((inbound) => {
    const ports = upPorts();
    const target = ports[turn % Math.max(1, ports.length)];
    turn += 1;
    inbound.on("error", () => inbound.destroy());
    if (target === undefined) {
      inbound.destroy();
      return;
    }
    const outbound = createConnection({ host: "127.0.0.1", port: target });
    for (const socket of [inbound, outbound]) {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
    }
    outbound.on("error", () => inbound.destroy());
    inbound.on("close", () => outbound.destroy());
    outbound.on("close", () => inbound.end());
    inbound.pipe(outbound).pipe(inbound);
  });
  // A port that is taken shows in the health of the service.
  server.on("error", () => {});
  server.listen({ port, host: "127.0.0.1" });
  return {
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
