import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";

import { listPlugins, type DiscoveryOptions } from "./discovery.ts";
import { checkManifestGate } from "./gate.ts";
import { findPlugin, type FoundPlugin } from "./lookup.ts";

/** More files than that are not looked at: then the plugin is started, as it would be without a fingerprint. */
const mostFiles = 400;

export interface PluginFingerprint {
  readonly found: FoundPlugin;
  /** Text that changes whenever a file of the plugin changes, by what the file system says of it: path, size, times, number. */
  readonly fingerprint: string;
}

/**
 * Finds the provider's plugin and takes its fingerprint; starts nothing and reads no content. Undefined where that cannot
 * be told cheaply, or where the executable is a script that may run files of another folder. Of a plugin beside the
 * program, whose packages are npm's, its own `node_modules` and hidden folders do not count; of others every file does.
 * Throws as `findPlugin` and `checkManifestGate` do.
 */
export function pluginFingerprint(provider: string, options: DiscoveryOptions): PluginFingerprint | undefined {
  const found = findPlugin(provider, listPlugins(options));
  checkManifestGate(found);
  const { directory, executable, bundled } = found.plugin;
  if (isScript(executable) && statSync(join(directory, "dist/main.js"), { throwIfNoEntry: false }) === undefined) {
    return undefined;
  }
  const hash = createHash("sha256").update(directory);
  let files = 0;
  const folders = [directory];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!bundled || (entry.name !== "node_modules" && !entry.name.startsWith("."))) folders.push(path);
        continue;
      }
      // The time of the last change cannot be set back, as that of the content can.
      const { size, mtimeMs, ctimeMs, ino } = statSync(path);
      hash.update(`\n${relative(directory, path)} ${size} ${mtimeMs} ${ctimeMs} ${ino}`);
      files += 1;
      if (files > mostFiles) return undefined;
    }
  }
  return { found, fingerprint: hash.digest("hex") };
}

function isScript(executable: string): boolean {
  const file = openSync(executable, "r");
  try {
    const start = Buffer.alloc(2);
    readSync(file, start, 0, 2, 0);
    return start.toString("latin1") === "#!";
  } finally {
    closeSync(file);
  }
}
