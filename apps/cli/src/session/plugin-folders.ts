import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Folders of the provider packages that are installed beside this program: every `wfctl-provider-*`, and in the
 * repository `@wfctl/provider-*`, in a `node_modules` on the way up from this file. The nearest first.
 */
export function bundledPlugins(from = dirname(fileURLToPath(import.meta.url))): string[] {
  const folders: string[] = [];
  for (let folder = from; ; folder = dirname(folder)) {
    const packages = join(folder, "node_modules");
    folders.push(...foldersIn(packages, "wfctl-provider-"), ...foldersIn(join(packages, "@wfctl"), "provider-"));
    if (dirname(folder) === folder) return folders;
  }
}

function foldersIn(folder: string, prefix: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith(prefix))
      .toSorted()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
