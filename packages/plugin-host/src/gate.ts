import { accessSync, constants, statSync } from "node:fs";

import { WfctlError } from "@wfctl/model";

import { computePlanVersion, engineCompatVersion } from "./engine-compat.ts";
import type { FoundPlugin } from "./lookup.ts";
import { compareVersions, parseVersion, type Version } from "./version.ts";

/**
 * Refuses a plugin before it is launched, so that no refused plugin ever sees a credential.
 * Throws `PLUGIN_VERSION`, `PLUGIN_ENGINE` or `PLUGIN_START`.
 */
export function checkManifestGate(found: FoundPlugin): void {
  checkPlanVersion(found);
  checkEngineVersion(found);
  checkExecutable(found);
}

/** The command that brings a newer plugin: a package beside wfctl is npm's to upgrade. */
export function upgradeHint(plugin: FoundPlugin["plugin"]): string {
  const beside = packageBeside(plugin);
  return beside === undefined ? `Run: wfctl plugin upgrade ${plugin.folder}` : `Run: npm install ${beside}@latest`;
}

/** Name of the package that a plugin beside wfctl is. */
function packageBeside({ bundled, directory }: FoundPlugin["plugin"]): string | undefined {
  return bundled ? /\/node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(directory)?.[1] : undefined;
}

/** `"aws" 1.2.3`. */
export function pluginTitle({ manifest }: FoundPlugin): string {
  return `"${manifest.name}" ${manifest.version}`;
}

/** Absent or empty: what the plugin says at run time decides. */
function checkPlanVersion(found: FoundPlugin): void {
  const declared = found.manifest.computePlanVersion;
  if (declared === "" || declared === computePlanVersion) return;
  throw new WfctlError(
    "PLUGIN_VERSION",
    `Plugin ${pluginTitle(found)} was not started: iacProvider.computePlanVersion in ${found.plugin.manifestPath} is "${declared}" and must be "${computePlanVersion}"`,
    { hint: upgradeHint(found.plugin) },
  );
}

function checkEngineVersion(found: FoundPlugin): void {
  const needed = found.manifest.minEngineVersion;
  if (needed === undefined) return;
  if (compareVersions(parseVersion(needed) as Version, parseVersion(engineCompatVersion) as Version) <= 0) return;
  throw new WfctlError(
    "PLUGIN_ENGINE",
    `Plugin ${pluginTitle(found)} was not started: minEngineVersion is ${needed} and this wfctl is compatible with engine ${engineCompatVersion}`,
    { hint: newerHostHint(found.plugin) },
  );
}

/** The plugin is the newer of the two: what is beside wfctl is released with it, and upgraded with it. */
function newerHostHint(plugin: FoundPlugin["plugin"]): string {
  const beside = packageBeside(plugin);
  if (beside !== undefined) return `Run: npm install wfctl@latest ${beside}@latest`;
  return `Run: npm install wfctl@latest. Or install a release of the plugin that needs engine ${engineCompatVersion} or less: wfctl plugin upgrade ${plugin.folder} SOURCE`;
}

function checkExecutable(found: FoundPlugin): void {
  const { executable } = found.plugin;
  const entry = statSync(executable, { throwIfNoEntry: false });
  let problem: string | undefined;
  if (entry === undefined) problem = "is missing";
  else if (entry.isDirectory()) problem = "is a directory and must be a file";
  else if (!entry.isFile()) problem = "is not a file";
  else if (!isExecutable(executable)) problem = `is not executable (mode ${(entry.mode & 0o777).toString(8)})`;
  if (problem === undefined) return;
  throw new WfctlError(
    "PLUGIN_START",
    `Plugin ${pluginTitle(found)} was not started: its executable ${executable} ${problem}`,
    {
      hint: `Install the plugin again. ${upgradeHint(found.plugin)}`,
    },
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
