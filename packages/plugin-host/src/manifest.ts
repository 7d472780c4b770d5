import { isJsonObject, type Json } from "@wfctl/model";

import {
  flag,
  getIgnoringCase,
  list,
  listOr,
  mapOf,
  number,
  object,
  requiredText,
  text,
  type ManifestViolation,
} from "./manifest-shape.ts";
import { isVersionConstraint, parseVersion } from "./version.ts";

export type { ManifestViolation } from "./manifest-shape.ts";

/** What the host needs of plugin.json. */
export interface PluginManifest {
  readonly name: string;
  readonly version: string;
  readonly author: string;
  readonly description: string;
  /** `capabilities.iacProvider.name`: what an `iac.provider` module asks for. */
  readonly providerName: string | undefined;
  readonly resourceTypes: readonly string[];
  /** `iacProvider.computePlanVersion`; empty where the plugin says it at run time only. */
  readonly computePlanVersion: string;
  readonly minEngineVersion: string | undefined;
  /** `iacServices`: full names of the services that it says it serves; empty where it does not say. */
  readonly services: readonly string[];
  /** `permissions`: what credentials must be allowed to do, by resource type, in the words of the cloud. */
  readonly permissions: Readonly<Record<string, readonly string[]>>;
}

export interface ParsedManifest {
  /** Undefined where there are violations. */
  readonly manifest: PluginManifest | undefined;
  readonly violations: readonly ManifestViolation[];
  /** As far as they can be read at all: enough to tell whether a broken manifest could be the one looked for. */
  readonly name: string | undefined;
  readonly providerName: string | undefined;
}

const texts = list(text(), "a list of texts");
const versionText = "MAJOR.MINOR.PATCH without suffix, such as 1.2.3";
const isVersion = (value: string) => parseVersion(value) !== undefined;

const typeLists = {
  moduleTypes: texts,
  stepTypes: texts,
  triggerTypes: texts,
  workflowTypes: texts,
  iacServices: texts,
  iacStateBackends: texts,
};

const manifestShape = object({
  name: requiredText("lower-case letters, digits and hyphens, beginning with a letter", (value) =>
    /^(?:[a-z]|[a-z][a-z0-9-]*[a-z0-9])$/.test(value),
  ),
  version: requiredText(versionText, isVersion),
  author: requiredText("a text that is not empty"),
  description: requiredText("a text that is not empty"),
  minEngineVersion: text(versionText, isVersion),
  license: text(),
  repository: text(),
  homepage: text(),
  tier: text(),
  type: text(),
  sampleCategory: text(),
  configMutable: flag,
  keywords: texts,
  tags: texts,
  wiringHooks: texts,
  overridableTypes: texts,
  ...typeLists,
  iacProvider: object({ computePlanVersion: text(), name: text() }),
  permissions: mapOf(texts, "an object of lists of texts, by resource type"),
  dependencies: list(
    object({
      name: requiredText("the name of a plugin"),
      constraint: requiredText("a version with one of >= <= != > < ^ ~ = before it, or none", isVersionConstraint),
    }),
  ),
  capabilities: listOr(
    object({
      name: requiredText("the name of a capability"),
      role: requiredText('"provider" or "consumer"', (value) => value === "provider" || value === "consumer"),
      priority: number,
    }),
    object({
      ...typeLists,
      resourceTypes: texts,
      cliCommands: list(object({ name: requiredText("the name of a command"), description: text() })),
      buildHooks: list(object({ event: requiredText("the name of an event"), priority: number })),
      iacProvider: object({
        name: text(),
        resourceTypes: texts,
        configSchema: object({}),
        computePlanVersion: text(),
      }),
    }),
    "an object or a list",
  ),
});

/**
 * Reads the text of a plugin.json and checks it whole: all violations, not the first one.
 * Keys are compared without case, of duplicate keys the last counts, and null is as good as absent, as Go reads them.
 */
export function parseManifest(source: string): ParsedManifest {
  let json: Json;
  try {
    json = JSON.parse(source) as Json;
  } catch (cause) {
    const found = `text that is no JSON (${cause instanceof Error ? cause.message : String(cause)})`;
    return broken([{ path: "", found, expected: "a JSON object" }]);
  }
  if (!isJsonObject(json)) {
    return broken([
      {
        path: "",
        found: json === null ? "null" : `a JSON ${Array.isArray(json) ? "list" : typeof json}`,
        expected: "a JSON object",
      },
    ]);
  }
  const name = textAt(json, "name");
  const providerName = textAt(json, "capabilities", "iacProvider", "name");
  // Of most plugins nothing but these two is ever asked.
  let checked: Pick<ParsedManifest, "manifest" | "violations"> | undefined;
  const check = (): Pick<ParsedManifest, "manifest" | "violations"> => {
    const violations: ManifestViolation[] = [];
    manifestShape(json, [], (violation) => violations.push(violation));
    return { manifest: violations.length > 0 ? undefined : readManifest(json, providerName), violations };
  };
  return {
    get manifest() {
      return (checked ??= check()).manifest;
    },
    get violations() {
      return (checked ??= check()).violations;
    },
    name,
    providerName,
  };
}

function broken(violations: readonly ManifestViolation[]): ParsedManifest {
  return { manifest: undefined, violations, name: undefined, providerName: undefined };
}

/** Only after the shape was checked. */
function readManifest(json: Json, providerName: string | undefined): PluginManifest {
  return {
    name: textAt(json, "name") ?? "",
    version: (textAt(json, "version") ?? "").replace(/^v/, ""),
    author: textAt(json, "author") ?? "",
    description: textAt(json, "description") ?? "",
    providerName,
    resourceTypes: textsAt(json, "capabilities", "iacProvider", "resourceTypes") ?? [],
    computePlanVersion: textAt(json, "iacProvider", "computePlanVersion") ?? "",
    minEngineVersion: textAt(json, "minEngineVersion")?.replace(/^v/, ""),
    services: textsAt(json, "iacServices") ?? textsAt(json, "capabilities", "iacServices") ?? [],
    permissions: readPermissions(getIgnoringCase(json, "permissions")),
  };
}

function textsAt(json: Json, ...names: string[]): string[] | undefined {
  const value = getIgnoringCase(json, ...names);
  return Array.isArray(value) ? value.filter((member) => typeof member === "string") : undefined;
}

function readPermissions(value: Json | undefined): Record<string, readonly string[]> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(Object.keys(value).map((type) => [type, textsAt(value, type) ?? []]));
}

function textAt(json: Json, ...names: string[]): string | undefined {
  const value = getIgnoringCase(json, ...names);
  return typeof value === "string" && value !== "" ? value : undefined;
}
