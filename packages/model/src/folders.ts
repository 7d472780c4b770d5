/** What `makeFolders` needs of `node:fs`. */
export interface FolderCalls {
  mkdirSync(path: string, options: { readonly mode: number }): unknown;
  statSync(path: string): { isDirectory(): boolean };
}

/**
 * Makes a folder, and those above it that are missing, with `mode`. One that is there stays as it is. Throws what `mkdirSync`
 * throws. Unlike Node's `recursive` it ends everywhere: that one tries for ever below a file system which says of every new
 * folder that it has no parent, as /proc does.
 */
export function makeFolders(path: string, fs: FolderCalls, mode = 0o777): void {
  const parent = parentOf(path);
  try {
    fs.mkdirSync(path, { mode });
    return;
  } catch (error) {
    if (isFolder(path, fs)) return;
    if ((error as { code?: unknown }).code !== "ENOENT" || parent === path) throw error;
  }
  makeFolders(parent, fs, mode);
  try {
    fs.mkdirSync(path, { mode });
  } catch (error) {
    // Another process was faster.
    if (!isFolder(path, fs)) throw error;
  }
}

function isFolder(path: string, fs: FolderCalls): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** "/" and "." have themselves. */
function parentOf(path: string): string {
  const end = path.replace(/(?<=.)\/+$/, "");
  const slash = end.lastIndexOf("/");
  if (slash > 0) return end.slice(0, slash);
  return slash === 0 ? "/" : ".";
}
