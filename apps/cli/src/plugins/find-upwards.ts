import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** As far up as upstream looks for its own lock file. */
const highest = 3;

/** The nearest file of the name in the folder or one of three above it. */
export function findUpwards(name: string, from: string): string | undefined {
  let folder = resolve(from);
  for (let up = 0; up <= highest; up += 1) {
    const path = join(folder, name);
    if (existsSync(path)) return path;
    if (dirname(folder) === folder) return undefined;
    folder = dirname(folder);
  }
  return undefined;
}
