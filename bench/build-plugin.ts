import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Builds the test cloud's plugin of a checkout as a shipped plugin is built, and returns its plugin folder's parent. */
export async function buildPlugin(root: string): Promise<string> {
  const directory = join(root, "node_modules/.cache/wfctl-bench/plugins");
  const own = join(directory, "cloud");
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { recursive: true });
  copyFileSync(join(root, "packages/testkit/plugins/cloud/plugin.json"), join(own, "plugin.json"));
  copyFileSync(join(root, "tools/launcher.sh"), join(own, "cloud"));
  // Without it Node reads the program to find out what kind of module it is.
  writeFileSync(join(own, "package.json"), '{"type":"module"}\n');
  const { buildProgram } = (await import(pathToFileURL(join(root, "tools/build.mjs")).href)) as {
    buildProgram(program: object, out: string): Promise<unknown>;
  };
  const program = { root, folder: join(root, "bench/plugin"), name: "cloud", manifest: {} };
  await buildProgram(program, join(own, "dist"));
  return directory;
}
