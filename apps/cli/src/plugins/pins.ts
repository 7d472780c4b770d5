import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isJsonObject, WfctlError, type Json } from "@wfctl/model";
import type { InstalledPlugin } from "@wfctl/plugin-host";
import { findUpwards } from "./find-upwards.ts";

const pinFileName = ".wfctl.yaml";

/**
 * Checks upstream's pin of a plugin: `plugins.<folder>.sha256` of the nearest `.wfctl.yaml` is the digest of its executable.
 * No file, no entry and an empty value pin nothing. Throws PLUGIN_LOCK where they differ, or the file cannot be read.
 */
export async function checkPin(plugin: Pick<InstalledPlugin, "folder" | "executable">, cwd: string): Promise<void> {
  const path = findUpwards(pinFileName, cwd);
  if (path === undefined) return;
  const pinned = await readPin(path, plugin.folder);
  if (pinned === "") return;
  const found = createHash("sha256").update(readFileSync(plugin.executable)).digest("hex");
  if (found === pinned.toLowerCase()) return;
  throw new WfctlError(
    "PLUGIN_LOCK",
    `Plugin "${plugin.folder}" was not started: ${path} pins its executable to sha256 ${pinned}, ${plugin.executable} has ${found}`,
    { hint: `Find out who changed the executable; if you trust it, write its digest into ${path}` },
  );
}

async function readPin(path: string, folder: string): Promise<string> {
  // Few have such a file, and the reader of YAML takes long to load.
  const { parseYaml } = await import("@wfctl/config/yaml");
  let file: Json;
  try {
    file = parseYaml(readFileSync(path, "utf8")) as Json;
  } catch (error) {
    throw new WfctlError("PLUGIN_LOCK", `${path} cannot be read: ${(error as Error).message.split("\n")[0]}`, {
      cause: error,
    });
  }
  const plugins = isJsonObject(file) ? file["plugins"] : undefined;
  const entry = isJsonObject(plugins) ? plugins[folder] : undefined;
  const sha256 = isJsonObject(entry) ? entry["sha256"] : undefined;
  if (sha256 === undefined || sha256 === null) return "";
  if (typeof sha256 === "string") return sha256.trim();
  // Digits alone are a number in YAML.
  throw new WfctlError("PLUGIN_LOCK", `${path}: plugins.${folder}.sha256 is no text`, { hint: "Put it in quotes" });
}
