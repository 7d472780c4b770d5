import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Folders of the provider packages that are installed beside this program: every `@wfctl/provider-*` in a
 * `node_modules` on the way up from this file.
 */
export function bundledPlugins(from = dirname(fileURLToPath(import.meta.url))): string[] {
  const folders: string[] = [];
  for (let folder = from; ; folder = dirname(folder)) {
    const scope = join(folder, "node_modules", "@wfctl");
    folders.push(...providersIn(scope).map((name) => join(scope, name)));
    if (dirname(folder) === folder) return folders;
  }
}

function providersIn(scope: string): string[] {
  try {
    return readdirSync(scope)
      .filter((name) => name.startsWith("provider-"))
      .toSorted();
  } catch {
    return [];
  }
}
