import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { WfctlError } from "@wfctl/model";

/** Where a plugin comes from. */
export type PluginSource =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "archive"; readonly path: string }
  /** `spec` is a package with or without a version. */
  | { readonly kind: "npm"; readonly name: string; readonly spec: string };

/** Providers of wfctl by their short names: a bare word is never looked up among the world's packages when it is one of these. */
const ownProviders = ["aws", "azure", "digitalocean", "gcp", "local"];

/**
 * Reads what the user names: a path (beginning with `.`, `/` or `~/`, or ending in `.tgz` or `.tar.gz`), else an npm package;
 * `aws` and its like are the packages of wfctl. Throws PLUGIN_PACKAGE for a path to nothing, USAGE for what is neither.
 */
export function parseSource(text: string, cwd: string): PluginSource {
  if (/^(?:\.{1,2}(?:\/|$)|\/|~\/|file:)/.test(text) || /\.(?:tgz|tar\.gz)$/.test(text)) return pathSource(text, cwd);
  const match = /^((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)(?:@([^\s@/]+))?$/.exec(text);
  if (match === null) {
    throw new WfctlError("USAGE", `${JSON.stringify(text)} is neither a path nor an npm package`, {
      hint: "Write ./FOLDER, an archive that ends in .tgz or .tar.gz, or the name of a package",
    });
  }
  const [, given = "", version] = match;
  const name = ownProviders.includes(given) ? `@wfctl/provider-${given}` : given;
  if (name === given && existsSync(join(resolve(cwd, given), "plugin.json"))) {
    throw new WfctlError("USAGE", `"${given}" is a folder here and could be an npm package`, {
      hint: `Write ./${given} for the folder`,
    });
  }
  return { kind: "npm", name, spec: version === undefined ? name : `${name}@${version}` };
}

function pathSource(text: string, cwd: string): PluginSource {
  const plain = text.replace(/^file:/, "");
  const path = plain.startsWith("~/") ? join(homedir(), plain.slice(2)) : resolve(cwd, plain);
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry === undefined) throw new WfctlError("PLUGIN_PACKAGE", `There is no ${path}`);
  if (entry.isDirectory()) return { kind: "folder", path };
  if (entry.isFile()) return { kind: "archive", path };
  throw new WfctlError("PLUGIN_PACKAGE", `${path} is neither a folder nor an archive`);
}
