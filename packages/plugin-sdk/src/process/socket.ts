import { chmodSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the address of a unix socket may hold, on every system that is served, less a reserve. */
const maxPathBytes = 100;
const ownName = /^wfctl-(\d+)-[0-9a-f]{8}\.sock$/;

/** A fresh path for the plugin's socket: in `PLUGIN_UNIX_SOCKET_DIR`, else in the temporary directory. */
export function socketPath(environment: NodeJS.ProcessEnv): string {
  const name = `wfctl-${process.pid}-${randomBytes(4).toString("hex")}.sock`;
  const given = environment["PLUGIN_UNIX_SOCKET_DIR"];
  const candidates = given === undefined || given === "" ? [tmpdir(), "/tmp"] : [given];
  const path = candidates.map((folder) => join(folder, name)).find((each) => Buffer.byteLength(each) < maxPathBytes);
  if (path !== undefined) return path;
  throw new Error(
    `Path of a socket in ${candidates[0]} is longer than ${maxPathBytes} bytes: set PLUGIN_UNIX_SOCKET_DIR to a shorter one`,
  );
}

/** Makes the socket the user's own. */
export function protectSocket(path: string): void {
  chmodSync(path, 0o600);
}

export function removeSocket(path: string): void {
  rmSync(path, { force: true });
}

/**
 * A plugin that is just starting may have bound its socket and not listen yet; in other process numbers, as in a container,
 * nothing else tells that it is alive.
 */
const youngMs = 60_000;

/** Removes what killed plugins left beside `path`: sockets of our name, older than a minute, on which no one listens. */
export function sweepDeadSockets(path: string): void {
  const folder = join(path, "..");
  const before = Date.now() - youngMs;
  for (const name of listNames(folder)) {
    const pid = ownName.exec(name)?.[1];
    if (pid === undefined || Number(pid) === process.pid || isAlive(Number(pid))) continue;
    const other = join(folder, name);
    if (!isOlder(other, before)) continue;
    const probe = createConnection(other);
    probe.unref();
    probe.on("connect", () => probe.destroy());
    probe.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") rmSync(other, { force: true });
    });
  }
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isOlder(path: string, beforeMs: number): boolean {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  return entry?.isSocket() === true && entry.mtimeMs < beforeMs;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
