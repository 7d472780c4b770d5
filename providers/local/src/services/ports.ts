import { createServer } from "node:net";

/**
 * Where services get their ports: below those that systems give to whoever asks for any. A service listens only some
 * time after its port was chosen, and again after each restart; until then nobody else must be given it.
 */
const [lowest, highest] = [20_000, 32_767];

/** A port on 127.0.0.1 that nothing listens on and that is not in `taken`. */
export async function findFreePort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new Error("No free port on 127.0.0.1");
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
