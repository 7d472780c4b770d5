import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeFolders, WfctlError } from "@wfctl/model";

/** What the template is called. */
const templateName = "example";
const providerName = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;

export interface NewPlugin {
  readonly directory: string;
  /** Paths of what was written. */
  readonly files: readonly string[];
}

/**
 * Writes the project of a plugin into a folder that is empty or not there. `version` is the release of wfctl whose
 * packages the project uses.
 * Throws USAGE for a name that no provider can have and for a folder that holds something.
 */
export function createPluginProject(directory: string, name: string, version: string): NewPlugin {
  if (!providerName.test(name)) {
    throw new WfctlError(
      "USAGE",
      `Provider name ${JSON.stringify(name)} is not lower-case letters, digits and hyphens`,
    );
  }
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new WfctlError("USAGE", `${directory} is there already and not empty`, {
      hint: "Name another folder with --dir",
    });
  }
  const template = findTemplate();
  const files: string[] = [];
  for (const entry of readdirSync(template, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const path = source
      .slice(template.length + 1)
      // npm leaves files of this name out of packages.
      .replace(/^gitignore$/, ".gitignore")
      .replace(new RegExp(`^${templateName}$`), name);
    const target = join(directory, path);
    makeFolders(dirname(target), { mkdirSync, statSync });
    writeFileSync(target, fill(readFileSync(source, "utf8"), path, { name, version }));
    if (path === name) chmodSync(target, 0o755);
    files.push(path);
  }
  return { directory, files: files.toSorted() };
}

function fill(text: string, path: string, { name, version }: { name: string; version: string }): string {
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  const named = text.replaceAll(/\bexample\b/g, name).replaceAll(/\bExample\b/g, title);
  return path === "package.json" ? named.replaceAll(/("@wfctl\/[a-z-]+": ")[^"]+/g, `$1${version}`) : named;
}

/** Beside this program: above the sources as above the bundle. */
function findTemplate(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const template = join(folder, "template", "plugin");
    if (existsSync(join(template, "package.json"))) return template;
    if (dirname(folder) === folder)
      throw new WfctlError("INTERNAL", "The template of plugins is missing from this installation");
  }
}
