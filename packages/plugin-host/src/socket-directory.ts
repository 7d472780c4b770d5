import { lstatSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** Socket paths must stay under about 100 bytes on every system. */
const longestTempDir = 60;

/** A folder for the sockets of this user's plugins that no one else can enter. Made where it is missing. */
export function socketDirectory(): string {
  const base = tmpdir().length > longestTempDir ? "/tmp" : tmpdir();
  const { uid } = userInfo();
  const path = join(base, `wfctl-${uid}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const entry = lstatSync(path);
  const isOurs = entry.isDirectory() && entry.uid === uid && (entry.mode & 0o077) === 0;
  // Someone else has made it first: take one that nobody can have made.
  return isOurs ? path : mkdtempSync(join(base, "wfctl-"));
}
