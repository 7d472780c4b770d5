import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { makeFolders } from "@wfctl/model";

/** Socket paths must stay under about 100 bytes on every system. */
const longestTempDir = 60;

/**
 * A folder for the sockets of this user's plugins that no one else can enter. Made where it is missing: in the folder for
 * temporary files, or in /tmp where nothing can be made there.
 */
export function socketDirectory(): string {
  const base = tmpdir();
  if (base.length <= longestTempDir) {
    try {
      return directoryIn(base);
    } catch (error) {
      if (base === "/tmp") throw error;
    }
  }
  return directoryIn("/tmp");
}

function directoryIn(base: string): string {
  const { uid } = userInfo();
  const path = join(base, `wfctl-${uid}`);
  makeFolders(path, { mkdirSync, statSync }, 0o700);
  const entry = lstatSync(path);
  const isOurs = entry.isDirectory() && entry.uid === uid && (entry.mode & 0o077) === 0;
  // Someone else has made it first: take one that nobody can have made.
  return isOurs ? path : mkdtempSync(join(base, "wfctl-"));
}

/** A plugin that is just starting may have bound its socket and not listen yet. */
const youngMs = 60_000;

/**
 * Removes what killed plugins have left in the folder: sockets that are older than a minute and on which no one listens.
 * Goes on in the background, keeps no process alive and never fails.
 */
export function sweepDeadSockets(directory: string): void {
  const before = Date.now() - youngMs;
  try {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      const entry = lstatSync(path, { throwIfNoEntry: false });
      if (entry?.isSocket() !== true || entry.mtimeMs > before) continue;
      const probe = createConnection(path);
      probe.unref();
      probe.on("connect", () => probe.destroy());
      probe.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ECONNREFUSED") rmSync(path, { force: true });
      });
    }
  } catch {
    // It only tidies up.
  }
}
