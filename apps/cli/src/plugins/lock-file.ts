import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isJsonObject, WfctlError, type Json } from "@wfctl/model";
import { findUpwards } from "./find-upwards.ts";

const lockFileName = "wfctl.lock";
const lockVersion = 1;

/** What was accepted of one plugin. */
export interface LockedPlugin {
  readonly version: string;
  /** Of the whole folder. */
  readonly digest: string;
  /** Services that plugin.json lists. */
  readonly services: readonly string[];
  readonly minEngineVersion?: string;
  /** Where it came from: an npm package with its version, or a path. */
  readonly source?: string;
}

export interface LockFile {
  readonly path: string;
  /** False before it is first written. */
  readonly exists: boolean;
  /** By the name of the plugin's folder. */
  readonly plugins: Readonly<Record<string, LockedPlugin>>;
}

/**
 * Reads the nearest `wfctl.lock`, in the folder or one of three above it; where there is none, an empty one of the folder.
 * Throws PLUGIN_LOCK for a file that cannot be read: it is never taken for no file.
 */
export function readLockFile(cwd: string): LockFile {
  const found = findUpwards(lockFileName, cwd);
  if (found === undefined) return { path: join(cwd, lockFileName), exists: false, plugins: {} };
  let text: string;
  try {
    text = readFileSync(found, "utf8");
  } catch (cause) {
    throw new WfctlError("PLUGIN_LOCK", `${found} cannot be read`, { cause });
  }
  return { path: found, exists: true, plugins: parseLock(text, found) };
}

/** Replaces the file at once: a reader sees the old one or the new one. */
export function writeLockFile(lock: LockFile, plugins: LockFile["plugins"]): void {
  const sorted = Object.fromEntries(Object.entries(plugins).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const temporary = `${lock.path}.${process.pid}.new`;
  writeFileSync(temporary, `${JSON.stringify({ lockVersion, plugins: sorted }, undefined, 2)}\n`);
  renameSync(temporary, lock.path);
}

function parseLock(text: string, path: string): LockFile["plugins"] {
  const fail = (problem: string): never => {
    throw new WfctlError("PLUGIN_LOCK", `${path} ${problem}`, {
      hint: "Restore the file from version control, or delete it and install the plugins again",
    });
  };
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (error) {
    return fail(`is no JSON: ${(error as Error).message}`);
  }
  if (!isJsonObject(json)) return fail("should be a JSON object");
  if (json["lockVersion"] !== lockVersion) {
    return fail(`has lockVersion ${JSON.stringify(json["lockVersion"] ?? null)}, this wfctl reads ${lockVersion}`);
  }
  const { plugins } = json;
  if (!isJsonObject(plugins)) return fail("has no object plugins");
  return Object.fromEntries(
    Object.entries(plugins).map(([name, entry]) => {
      if (!isJsonObject(entry)) return fail(`: plugins.${name} should be an object`);
      const { version, digest, services = [], minEngineVersion, source } = entry;
      if (typeof version !== "string") return fail(`: plugins.${name}.version should be a text`);
      if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest)) {
        return fail(`: plugins.${name}.digest should be sha256: and 64 hexadecimal digits`);
      }
      if (!Array.isArray(services)) return fail(`: plugins.${name}.services should be a list`);
      return [
        name,
        {
          version,
          digest,
          services: services.filter((service) => typeof service === "string"),
          ...(typeof minEngineVersion === "string" ? { minEngineVersion } : {}),
          ...(typeof source === "string" ? { source } : {}),
        },
      ];
    }),
  );
}
