import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * What tests start as wfctl: the bundle, as users do, where `npm run build` has made it of the files as they are; else the
 * sources, which take three times as long to start. The launcher decides likewise.
 */
export function findCliProgram(): string {
  const folder = join(repository, "apps/cli");
  const bundle = join(folder, "dist/main.js");
  return isBuiltOfAll(bundle, join(folder, "dist/sources")) ? bundle : join(folder, "src/main.ts");
}

function isBuiltOfAll(bundle: string, list: string): boolean {
  if (!existsSync(bundle) || !existsSync(list)) return false;
  const builtMs = statSync(bundle).mtimeMs;
  const sources = /'(.*)'/u.exec(readFileSync(list, "utf8"))?.[1]?.split(" ") ?? [];
  return sources.every((file) => {
    const entry = statSync(join(repository, file), { throwIfNoEntry: false });
    return entry === undefined || entry.mtimeMs <= builtMs;
  });
}
