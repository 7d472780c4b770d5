import { WfctlError, type Diagnostic } from "@wfctl/model";

import type { InstalledPlugin, PluginListing } from "./discovery.ts";
import type { PluginManifest } from "./manifest.ts";

const namePrefix = "workflow-plugin-";

/** The one plugin that serves a provider, its manifest valid. */
export interface FoundPlugin {
  readonly plugin: InstalledPlugin;
  readonly manifest: PluginManifest;
  /** Sentences for the user. */
  readonly warnings: readonly string[];
}

/** The provider name that a plugin serves, by its manifest or else by its name; undefined where neither can be read. */
export function servedProvider(plugin: InstalledPlugin): string | undefined {
  return plugin.parsed.providerName ?? (plugin.parsed.name && withoutPrefix(plugin.parsed.name));
}

/**
 * Finds the plugin that serves a provider. The plugin directory comes before bundled packages, and in each of the two
 * a plugin that declares the provider comes before one that only is called like it.
 * Throws `PLUGIN_NOT_FOUND`; `PLUGIN_MANIFEST` where the match, or what could be the match, has a broken manifest, or
 * where two plugins claim the provider.
 */
export function findPlugin(provider: string, listing: PluginListing): FoundPlugin {
  for (const part of ["ofDirectory", "bundled"] as const) {
    const plugins = listing[part];
    const declared = plugins.filter((plugin) => plugin.parsed.providerName === provider);
    if (declared.length > 0) return checkedMatch(provider, declared, []);
    const named = plugins.filter((plugin) => plugin.parsed.providerName === undefined && isNamedLike(plugin, provider));
    if (named.length > 0) {
      const warnings = named.map(
        (plugin) =>
          `Plugin "${plugin.parsed.name ?? plugin.folder}" was found by its name: its plugin.json has no capabilities.iacProvider.name (${plugin.manifestPath})`,
      );
      return checkedMatch(provider, named, warnings);
    }
  }
  const suspects = listing.plugins.filter(
    (plugin) => plugin.parsed.manifest === undefined && servedProvider(plugin) === undefined,
  );
  if (suspects.length > 0) throw brokenManifests(provider, suspects);
  throw notFound(provider, listing);
}

function checkedMatch(provider: string, matches: readonly InstalledPlugin[], warnings: readonly string[]): FoundPlugin {
  if (matches.length > 1) throw ambiguous(provider, matches);
  const [plugin] = matches as [InstalledPlugin];
  const { manifest } = plugin.parsed;
  if (manifest === undefined) throw brokenManifests(provider, [plugin]);
  return { plugin, manifest, warnings };
}

function isNamedLike(plugin: InstalledPlugin, provider: string): boolean {
  if (plugin.parsed.name !== undefined) return withoutPrefix(plugin.parsed.name) === provider;
  return plugin.parsed.manifest === undefined && withoutPrefix(plugin.folder) === provider;
}

function withoutPrefix(name: string): string {
  return name.startsWith(namePrefix) ? name.slice(namePrefix.length) : name;
}

function ambiguous(provider: string, matches: readonly InstalledPlugin[]): WfctlError {
  const claims = matches
    .map((plugin) => `"${plugin.parsed.name ?? plugin.folder}" (${plugin.directory})`)
    .join(" and ");
  return new WfctlError(
    "PLUGIN_MANIFEST",
    `Provider "${provider}" is claimed by ${matches.length} plugins: ${claims}`,
    {
      hint: "Remove all but one of them, or point --plugin-dir at a directory that holds only the one to use",
    },
  );
}

/** All violations of the manifests, as one error for people and as diagnostics for programs. */
function brokenManifests(provider: string, plugins: readonly InstalledPlugin[]): WfctlError {
  const diagnostics: Diagnostic[] = [];
  for (const { manifestPath, parsed } of plugins) {
    for (const { path, found, expected } of parsed.violations) {
      const summary = `${path === "" ? "" : `${path}: `}found ${found}, expected ${expected}`;
      diagnostics.push({ severity: "error", code: "PLUGIN_MANIFEST", summary, path, source: { file: manifestPath } });
    }
  }
  const texts = plugins.map(({ manifestPath, parsed }) => {
    const violations = parsed.violations.map((violation) => {
      return `${violation.path || "the file"}: found ${violation.found}, expected ${violation.expected}`;
    });
    return `${manifestPath}: ${violations.join("; ")}`;
  });
  const names = plugins.map((plugin) => plugin.parsed.name ?? plugin.folder);
  const what =
    plugins.length === 1 && servedProvider(plugins[0] as InstalledPlugin) === provider
      ? `Plugin "${names[0]}" for provider "${provider}" has a broken manifest`
      : `No plugin with a readable manifest serves provider "${provider}", and ${plugins.length} could be it`;
  return new WfctlError("PLUGIN_MANIFEST", `${what}: ${texts.join("; ")}`, {
    hint: `Repair the manifest, or run: ${names.map((name) => `wfctl plugin upgrade ${withoutPrefix(name)}`).join(" or ")}`,
    diagnostics,
  });
}

function notFound(provider: string, listing: PluginListing): WfctlError {
  const places = listing.searched.map(({ path, exists }) => (exists ? path : `${path} (missing)`)).join(", ");
  const served = new Set(listing.plugins.map(servedProvider).filter((name) => name !== undefined));
  const there =
    served.size === 0
      ? "no provider at all"
      : [...served]
          .toSorted()
          .map((name) => `"${name}"`)
          .join(", ");
  const broken = listing.plugins.filter((plugin) => plugin.parsed.manifest === undefined);
  const withBroken =
    broken.length === 0 ? "" : `, and ${broken.map((plugin) => plugin.manifestPath).join(", ")} with a broken manifest`;
  return new WfctlError(
    "PLUGIN_NOT_FOUND",
    `No installed plugin serves provider "${provider}": looked in ${places}; found ${there}${withBroken}`,
    {
      hint: `Install it with "wfctl plugin install ${provider}" or beside wfctl with "npm install @wfctl/provider-${provider}", or name the directory that holds it with --plugin-dir or WFCTL_PLUGIN_DIR`,
    },
  );
}
