import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolders, WfctlError } from "@wfctl/model";
import { listingPath } from "./check-lock.ts";

/** Folder of a change that is under way, with the id of its process: beside the plugins, so that a rename puts one in place. */
const workPrefix = ".install-";

/** A plugin directory that is being changed by this process and no other. */
export interface PluginStore {
  /** An empty folder for what is being put together. */
  readonly work: string;
  /** Puts a plugin in place of what is there. What is there is gone only after that. */
  put(directory: string, folder: string, listing: string): void;
  /** Keeps what an accepted plugin consists of. */
  keepListing(folder: string, listing: string): void;
  remove(folder: string): void;
  close(): void;
}

/**
 * Opens the directory for a change, making it where it is missing. What an interrupted change left is put right first:
 * a plugin that was taken away and not replaced comes back. Throws PLUGIN_PACKAGE while another process changes it.
 */
export function openPluginStore(pluginDir: string): PluginStore {
  makeFolders(pluginDir, { mkdirSync, statSync });
  recover(pluginDir);
  const own = join(pluginDir, `${workPrefix}${process.pid}`);
  mkdirSync(own);
  const others = listWork(pluginDir).filter((path) => path !== own);
  if (others.length > 0) {
    rmSync(own, { recursive: true, force: true });
    throw new WfctlError("PLUGIN_PACKAGE", `Plugins in ${pluginDir} are being changed by another process`, {
      hint: `Wait until it is done; if there is none, delete ${others.join(" and ")}`,
    });
  }
  const work = join(own, "new");
  mkdirSync(work);
  const old = join(own, "old");
  const keepListing = (folder: string, listing: string): void => {
    const files = listingPath(join(pluginDir, folder));
    mkdirSync(dirname(files), { recursive: true });
    writeFileSync(files, listing);
  };
  return {
    work,
    keepListing,
    put(directory, folder, listing) {
      const target = join(pluginDir, folder);
      keepListing(folder, listing);
      mkdirSync(old, { recursive: true });
      if (existsSync(target)) renameSync(target, join(old, folder));
      renameSync(directory, target);
      rmSync(join(old, folder), { recursive: true, force: true });
    },
    remove(folder) {
      // Not to come back.
      renameSync(join(pluginDir, folder), join(own, "gone"));
      rmSync(join(own, "gone"), { recursive: true, force: true });
      rmSync(listingPath(join(pluginDir, folder)), { force: true });
    },
    close: () => rmSync(own, { recursive: true, force: true }),
  };
}

function listWork(pluginDir: string): string[] {
  return readdirSync(pluginDir)
    .filter((name) => name.startsWith(workPrefix))
    .map((name) => join(pluginDir, name));
}

/** Of processes that are gone. */
function recover(pluginDir: string): void {
  for (const path of listWork(pluginDir)) {
    if (isAlive(Number(path.slice(path.lastIndexOf(workPrefix) + workPrefix.length)))) continue;
    const old = join(path, "old");
    for (const folder of existsSync(old) ? readdirSync(old) : []) {
      if (!existsSync(join(pluginDir, folder))) renameSync(join(old, folder), join(pluginDir, folder));
    }
    rmSync(path, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
