import { readlinkSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, resolve, sep } from "node:path";

/** Why a link must not be in a plugin's folder: one clause, to follow its path. Undefined where it stays inside. */
export function linkProblem(root: string, link: string): string | undefined {
  const target = readlinkSync(link);
  if (isAbsolute(target)) return `is a link to the absolute path ${JSON.stringify(target)}`;
  if (!isInside(resolve(root), resolve(dirname(link), target)))
    return `is a link out of the folder: ${JSON.stringify(target)}`;
  let real: string;
  try {
    real = realpathSync(link);
  } catch {
    return `is a link to nothing: ${JSON.stringify(target)}`;
  }
  // Through another link it may leave all the same.
  return isInside(realpathSync(root), real) ? undefined : `is a link out of the folder: ${JSON.stringify(target)}`;
}

export function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
}
