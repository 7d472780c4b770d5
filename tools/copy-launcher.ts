/** Copies tools/launcher.sh to every program that is started by it: `npm run launchers`. A test holds them equal. */
import { existsSync } from "node:fs";
import { chmod, copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export const launcher = join(root, "tools/launcher.sh");

/** apps/cli/bin/wfctl, and providers/x/x for every provider that is a plugin. */
export async function listLauncherCopies(): Promise<string[]> {
  const providers = await readdir(join(root, "providers"));
  const plugins = providers.filter((name) => existsSync(join(root, "providers", name, "plugin.json")));
  return [join(root, "apps/cli/bin/wfctl"), ...plugins.map((name) => join(root, "providers", name, name))];
}

if (import.meta.main) {
  for (const path of await listLauncherCopies()) {
    await copyFile(launcher, path);
    await chmod(path, 0o755);
  }
}
