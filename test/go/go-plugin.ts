import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the plugin's file says of its cloud. */
export interface GoCloud {
  readonly objects: Readonly<Record<string, GoObject>>;
  /** Driver calls, each with the name of its resource. */
  readonly calls: readonly string[];
  /** Processes that worked on it. */
  readonly pids: readonly number[];
}

export interface GoObject {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
}

const source = join(import.meta.dirname, "plugin");

/** Puts the Go plugin into a plugin directory as `gocloud`; returns its folder. */
export function placeGoPlugin(program: string, pluginDir: string, ...variant: readonly string[]): string {
  const folder = join(pluginDir, "gocloud");
  mkdirSync(folder, { recursive: true });
  copyFileSync(program, join(folder, "gocloud"));
  for (const name of ["plugin.json", "conformance.json"]) copyFileSync(join(source, name), join(folder, name));
  setVariant(folder, ...variant);
  return folder;
}

/** What the plugin does otherwise than usual from its next start on. */
export function setVariant(folder: string, ...variant: readonly string[]): void {
  writeFileSync(join(folder, "variant"), variant.join(" "));
}

export function readGoCloud(root: string): GoCloud {
  try {
    return JSON.parse(readFileSync(join(root, "cloud.json"), "utf8")) as GoCloud;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { objects: {}, calls: [], pids: [] };
  }
}
