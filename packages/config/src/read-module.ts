import { isExpression, isJsonObject, type JsonObject, type LifecycleOptions, type Timeouts } from "@wfctl/model";
import { fillDefaults, type EnvironmentDefaults } from "./environment-defaults.ts";
import { child, createFieldReader, type FieldReader, type TextItem } from "./fields.ts";
import { modulePattern, moduleEnvironmentKeys, moduleKeys } from "./names.ts";
import { readLifecycle, readTimeouts } from "./read-lifecycle.ts";
import type { Reporter, Spot } from "./reporter.ts";
import type { ModuleEntry } from "./sections.ts";
import { describe } from "./source/describe.ts";
import { mergeValues } from "./values.ts";
import type { ValueReader } from "./variables/value-reader.ts";

/** A module of ours in the chosen environment: overlays merged, texts read as expressions, nothing linked yet. */
export interface ModuleDraft {
  readonly entry: ModuleEntry;
  /** The name in the chosen environment. */
  readonly name: string;
  readonly config: JsonObject;
  /** The environment leaves the module out. */
  readonly leftOut: boolean;
  /** Where a path inside `config` is written: overlay, base, or what an environment fills in. */
  readonly spotOf: (path: readonly (string | number)[]) => Spot;
}

export interface ResourceFields {
  readonly protected: boolean;
  readonly adoptExisting: boolean;
  readonly existing: boolean;
  readonly lifecycle: LifecycleOptions;
  readonly timeouts: Timeouts;
  readonly size?: string;
  /** `depends_on` and `dependsOn`; `strict` ones must name resources. */
  readonly dependsOn: readonly {
    readonly name: string;
    readonly path: readonly (string | number)[];
    readonly strict: boolean;
  }[];
  readonly provider?: { readonly name: string; readonly key: string };
}

const moduleKeySet: ReadonlySet<string> = new Set(moduleKeys);
const environmentKeySet: ReadonlySet<string> = new Set(moduleEnvironmentKeys);
const misplacedKeys = new Map([
  ["depends_on", "Write it under config, or write dependsOn here"],
  ["size", "Write it under config"],
  ["provider", "Write it under config"],
  ["iac_provider", "Write it under config"],
]);

/** Reads name, config and environment overlays of a module. `environment` is undefined where none could be chosen. */
export function draftModule(
  entry: ModuleEntry,
  environment: string | undefined,
  defaults: EnvironmentDefaults | undefined,
  values: ValueReader,
  fields: FieldReader,
  reporter: Reporter,
): ModuleDraft {
  const { spot, value } = entry;
  const reader = entry.scope?.values ?? values;
  fields.checkKeys(value, spot, "in a module", moduleKeySet, misplacedKeys);
  if (!modulePattern.test(entry.name)) {
    reporter.report(child(spot, "name"), {
      summary: `The module name "${entry.name}" cannot be used: expected letters, digits, ".", "_" and "-", at most 128`,
      hint: "State is kept under this name",
    });
  }
  const base = readConfig(value, spot, fields, reader);
  const environments = fields.mapping(value, spot, "environments") ?? {};
  let config = base;
  let name = entry.name;
  let leftOut = false;
  let overlay: JsonObject | undefined;
  for (const [key, settings] of Object.entries(environments)) {
    const place = child(spot, "environments", key);
    if (settings !== null && !isJsonObject(settings)) {
      const summary = `The environment "${key}" is ${describe(settings)}, expected a mapping or null`;
      reporter.report(place, { summary, hint: "null leaves the module out of this environment" });
      continue;
    }
    if (settings === null) {
      leftOut ||= key === environment;
      continue;
    }
    fields.checkKeys(settings, place, "in an environment of a module", environmentKeySet, misplacedKeys);
    const overlayConfig = readConfig(settings, place, fields, reader);
    const provider = fields.text(settings, place, "provider");
    if (key !== environment) continue;
    overlay = settings;
    config = mergeValues(provider === undefined ? config : { ...config, provider }, overlayConfig);
    if (entry.type.startsWith("infra.")) {
      const renamed = readRename(overlayConfig, place, reporter);
      const prefix = entry.scope === undefined ? "" : entry.name.slice(0, entry.name.lastIndexOf(".") + 1);
      if (renamed !== undefined) name = `${prefix}${renamed}`;
    }
  }
  const overlaySpot = environment === undefined ? spot : child(spot, "environments", environment);
  const isResource = entry.type.startsWith("infra.");
  if (isResource && defaults !== undefined) config = fillDefaults(config, entry.type, defaults);
  if (isResource && value["protected"] === true && config["protected"] !== true)
    config = { ...config, protected: true };

  const spotOf = (path: readonly (string | number)[]): Spot => {
    if (overlay !== undefined) {
      const written = child(overlaySpot, "config", ...path);
      if (path.length > 0 && written.file.has(written.path)) return written;
      if (path.length === 1 && path[0] === "provider" && typeof overlay["provider"] === "string")
        return child(overlaySpot, "provider");
    }
    const written = child(spot, "config", ...path);
    if (written.file.has(written.path)) return written;
    return (isResource ? defaults?.spotOf(path) : undefined) ?? written;
  };
  return { entry, name, config, leftOut, spotOf };
}

/** Reads what the host needs to know of a resource: the module's own keys and the reserved ones in its config. */
export function readResourceFields(draft: ModuleDraft, reporter: Reporter): ResourceFields {
  const { entry, config } = draft;
  const { spot, value } = entry;
  const module = createFieldReader(reporter);
  const inConfig = createFieldReader(reporter, (_, key) => draft.spotOf([key]));
  const adoptModule = module.boolean(value, spot, "adopt_existing") ?? false;
  const adoptConfig = inConfig.boolean(config, spot, "adopt_existing") ?? false;
  const protectedModule = module.boolean(value, spot, "protected") ?? false;
  const protectedConfig = protectedModule || (inConfig.boolean(config, spot, "protected") ?? false);
  const existing = module.boolean(value, spot, "existing") ?? false;
  if (existing && (adoptModule || adoptConfig)) {
    reporter.report(child(spot, "existing"), {
      summary: '"existing" and "adopt_existing" exclude each other: the first only reads, the second takes over',
      hint: "Keep one of the two",
    });
  }
  const size = inConfig.text(config, spot, "size");
  const providerKey = ["iac_provider", "provider"].find((key) => config[key] !== undefined && config[key] !== null);
  const provider = providerKey === undefined ? undefined : inConfig.text(config, spot, providerKey);
  const inOrder = (
    items: readonly TextItem[],
    path: readonly string[],
    strict: boolean,
  ): ResourceFields["dependsOn"][number][] =>
    items.map(({ text, index }) => ({ name: entry.scope?.resolve(text) ?? text, path: [...path, index], strict }));
  module.texts(value, spot, "satisfies");
  return {
    protected: protectedConfig,
    adoptExisting: adoptModule || adoptConfig,
    existing,
    lifecycle: readLifecycle(value, spot, module),
    timeouts: readTimeouts(value, spot, module, reporter),
    ...(size === undefined ? {} : { size }),
    dependsOn: [
      ...inOrder(inConfig.texts(config, spot, "depends_on"), ["config", "depends_on"], true),
      ...inOrder(module.texts(value, spot, "dependsOn"), ["dependsOn"], false),
    ],
    ...(provider === undefined || providerKey === undefined ? {} : { provider: { name: provider, key: providerKey } }),
  };
}

function readConfig(parent: JsonObject, spot: Spot, fields: FieldReader, values: ValueReader): JsonObject {
  const config = fields.mapping(parent, spot, "config");
  return config === undefined ? {} : (values.read(config, child(spot, "config")) as JsonObject);
}

function readRename(overlay: JsonObject, place: Spot, reporter: Reporter): string | undefined {
  const name = overlay["name"];
  if (name === undefined || name === null) return undefined;
  if (typeof name === "string" && modulePattern.test(name)) return name;
  const found = typeof name === "string" ? `"${name}"` : isExpression(name) ? "a reference" : describe(name);
  reporter.report(child(place, "config", "name"), {
    summary: `The name of the resource in this environment is ${found}, expected letters, digits, ".", "_" and "-", at most 128`,
    hint: "Write the name itself: state is kept under it",
  });
  return undefined;
}
