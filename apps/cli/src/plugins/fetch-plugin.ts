import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { WfctlError } from "@wfctl/model";
import { isInside } from "./links.ts";
import type { Npm } from "./npm.ts";
import type { PluginSource } from "./source.ts";
import { copyPlugin, findPluginRoot, preparePlugin, type StagedPlugin } from "./stage-plugin.ts";
import { unpackArchive } from "./unpack.ts";

/** A staged plugin with where it came from, as the lock file keeps it. */
export interface FetchedPlugin extends StagedPlugin {
  readonly source: string;
}

/**
 * Brings a plugin into a folder below `work`, checked. A folder with a package.json that lists its `files` is taken as npm
 * would pack it, any other as it is.
 * Throws PLUGIN_PACKAGE, PLUGIN_MANIFEST, PLUGIN_VERSION or PLUGIN_ENGINE.
 */
export async function fetchPlugin(
  source: PluginSource,
  work: string,
  options: { readonly npm: Npm; readonly lockDir: string },
): Promise<FetchedPlugin> {
  const { npm, lockDir } = options;
  const folder = mkdtempSync(join(work, "fetch-"));
  const unpacked = join(folder, "unpacked");
  mkdirSync(unpacked);
  switch (source.kind) {
    case "folder": {
      if (isInside(source.path, work)) {
        throw new WfctlError(
          "PLUGIN_PACKAGE",
          `${source.path} holds the plugin directory and cannot be installed into it`,
        );
      }
      const isPackage = listsFiles(source.path);
      if (isPackage) await unpackArchive((await npm.pack(source.path, folder)).path, unpacked);
      else await copyPlugin(source.path, unpacked);
      const root = findPluginRoot(unpacked, source.path);
      return { ...preparePlugin(root, source.path), source: pathText(source.path, lockDir) };
    }
    case "archive": {
      await unpackArchive(source.path, unpacked);
      const root = findPluginRoot(unpacked, source.path);
      return { ...preparePlugin(root, source.path), source: pathText(source.path, lockDir) };
    }
    case "npm": {
      const packed = await npm.pack(source.spec, folder);
      await unpackArchive(packed.path, unpacked);
      const text = `npm:${source.name}@${packed.version}`;
      return { ...preparePlugin(findPluginRoot(unpacked, text), text), source: text };
    }
  }
}

function listsFiles(folder: string): boolean {
  try {
    const { files } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { files?: unknown };
    return Array.isArray(files);
  } catch {
    return false;
  }
}

/** Relative to the lock file, which may be on another machine. */
function pathText(path: string, lockDir: string): string {
  const text = relative(lockDir, path);
  return text.startsWith("..") ? path : `./${text}`;
}
