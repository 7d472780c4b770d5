import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { hasCode } from "./errors.ts";

/** One configured place on this machine. */
export interface LocalClient {
  /** Absolute. Holds everything that the provider makes, unless a resource names a path of its own. */
  readonly root: string;
  /** Default home of `infra.storage`. */
  readonly storage: string;
  /** One file for each directory that was made, wherever it is. */
  readonly index: string;
  readonly services: string;
}

export function createLocalClient(root: string): LocalClient {
  return {
    root,
    storage: join(root, "storage"),
    index: join(root, "storage", ".index"),
    services: join(root, "services"),
  };
}

/** The configured root, else `$XDG_STATE_HOME/wfctl/local`, else `~/.local/state/wfctl/local`. */
export function resolveRoot(root: string | undefined, environment: NodeJS.ProcessEnv): string {
  if (root !== undefined) return expandHome(root);
  const state = environment["XDG_STATE_HOME"];
  return join(state === undefined || state === "" ? join(homedir(), ".local", "state") : state, "wfctl", "local");
}

export function expandHome(path: string): string {
  return resolve(path.startsWith("~/") ? join(homedir(), path.slice(2)) : path);
}

/** The same whichever way leads to the path; nothing of it needs to be there yet. */
export function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!hasCode(error, "ENOENT") || dirname(path) === path) throw error;
    return join(realPathOf(dirname(path)), basename(path));
  }
}
