import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateManifest } from "@wfctl/plugin-sdk";
import { onTestFinished } from "vitest";
import { shelfProvider } from "./shelf/provider.ts";

const here = import.meta.dirname;
const compileCache = join(tmpdir(), "wfctl-test-compile-cache");

function makeFolder(name: string): string {
  const parent = mkdtempSync(join(tmpdir(), "wfc-plugin-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  const folder = join(parent, name);
  mkdirSync(folder);
  return folder;
}

function writeExecutable(path: string, command: string): void {
  const cache = `export NODE_COMPILE_CACHE="\${NODE_COMPILE_CACHE:-${compileCache}}"`;
  writeFileSync(path, `#!/bin/sh\n${cache}\nexec ${command}\n`);
  chmodSync(path, 0o755);
}

/** A plugin's folder around the shelf, with one defect or none. `manifest` changes its plugin.json. */
export async function makeShelf(
  defect = "",
  manifest: (json: Record<string, unknown>) => Record<string, unknown> = (json) => json,
): Promise<string> {
  const folder = makeFolder("shelf");
  const json = manifest((await generateManifest(shelfProvider)) as unknown as Record<string, unknown>);
  writeFileSync(join(folder, "plugin.json"), JSON.stringify(json));
  copyFileSync(join(here, "shelf/conformance.json"), join(folder, "conformance.json"));
  const command = `"$WFCTL_NODE" --disable-warning=ExperimentalWarning "${join(here, "shelf/main.ts")}"`;
  writeExecutable(join(folder, "shelf"), `env SHELF_DEFECT='${defect}' ${command}`);
  return folder;
}

/** The testkit's plugin with the manners of upstream's: none of our services, metadata or trailers. */
export function makeUpstreamLike(): string {
  const source = join(here, "../../testkit/plugins/upstreamlike");
  const folder = makeFolder("upstreamlike");
  const json = JSON.parse(readFileSync(join(source, "plugin.json"), "utf8")) as object;
  writeFileSync(join(folder, "plugin.json"), JSON.stringify(json));
  writeExecutable(join(folder, "upstreamlike"), `"${join(source, "upstreamlike")}"`);
  const sample = { value: "one", region: "north" };
  const config = {
    provider: { root: "${tmp}/cloud" },
    samples: [
      { type: "test.item", config: sample, change: { value: "two" }, replace: { region: "south" } },
      { type: "test.secret", config: sample, change: { value: "two" } },
    ],
  };
  writeFileSync(join(folder, "conformance.json"), JSON.stringify(config));
  return folder;
}
