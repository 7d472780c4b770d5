import { rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import { hasCode } from "../errors.ts";
import { askSupervisor, type ControlRequest } from "../services/control.ts";
import { endRecorded } from "../services/leftovers.ts";
import { readServiceFile } from "../services/service-file.ts";
import { createFleet, type Fleet } from "./fleet.ts";

/**
 * Keeps one service running: `supervisor FOLDER`. Started by the provider, it outlives provider and CLI, and ends when
 * it is asked to, or when its folder is gone.
 */

/** Relative, so that the length of the folder's path does not matter. */
const socketName = "control.sock";
/** How often it looks whether it is still the one that holds the folder. */
const selfCheckMs = 1000;

async function main(folder: string): Promise<void> {
  process.chdir(folder);
  for (const signal of ["SIGINT", "SIGHUP", "SIGPIPE"] as const) process.on(signal, () => {});
  const service = await readServiceFile(folder);
  if (service === undefined) return;
  const ready = Promise.withResolvers<Fleet>();
  let inode = 0;
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    createInterface(socket).once("line", (line) => {
      const request = JSON.parse(line) as ControlRequest;
      void ready.promise
        .then((fleet) => answer(folder, fleet, request))
        .then((text) => socket.end(`${text}\n`, () => request.op === "stop" && exit(inode)));
    });
  });
  if (!(await holdSocket(server))) return;
  inode = statSync(socketName).ino;
  await endRecorded(folder);
  const fleet = createFleet(folder, service);
  ready.resolve(fleet);
  const end = (): void => {
    void fleet.stop().finally(() => exit(inode));
  };
  process.on("SIGTERM", end);
  setInterval(() => {
    if (!holds(inode)) end();
  }, selfCheckMs);
}

async function answer(folder: string, fleet: Fleet, { op }: ControlRequest): Promise<string> {
  const next = op === "apply" ? await readServiceFile(folder) : undefined;
  if (next !== undefined) await fleet.apply(next);
  if (op === "stop") await fleet.stop();
  return JSON.stringify(fleet.status());
}

function exit(inode: number): never {
  if (holds(inode)) rmSync(socketName, { force: true });
  process.exit(0);
}

/** False where another supervisor holds the folder. A dead one's socket is replaced. */
async function holdSocket(server: Server): Promise<boolean> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(socketName, () => resolve());
      });
      return true;
    } catch (error) {
      if (!hasCode(error, "EADDRINUSE")) throw error;
      if ((await askSupervisor(socketName, { op: "status" })) !== undefined) return false;
      rmSync(socketName, { force: true });
    }
  }
  return false;
}

function holds(inode: number): boolean {
  try {
    return statSync(socketName).ino === inode;
  } catch {
    return false;
  }
}

const [, , folder] = process.argv;
if (folder === undefined) {
  process.stderr.write("usage: supervisor FOLDER\n");
  process.exitCode = 1;
} else {
  void main(folder);
}
