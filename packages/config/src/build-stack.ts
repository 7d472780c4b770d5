import {
  pointerToPath,
  type DesiredResource,
  type ProviderModule,
  type SourceLocation,
  type Value,
} from "@wfctl/model";
import { reportCircles } from "./report-circles.ts";
import { sortModules, type ModuleDrafts } from "./sort-modules.ts";
import { child, type FieldReader } from "./fields.ts";
import { defaultStackName } from "./find-stack-file.ts";
import {
  draftGenerators,
  secretsModule,
  secretsProvider,
  storeNames,
  type GeneratorEntry,
} from "./generated-secrets.ts";
import { readImportRequests } from "./import-requests.ts";
import { createLinker, type Linker, type LinkPlace, type Names } from "./link.ts";
import { readMoved } from "./moved.ts";
import { defaultEnvironment } from "./names.ts";
import { readOutputs } from "./outputs.ts";
import { chooseProvider, reportNoProvider, tableProviders, type ProviderDraft } from "./providers.ts";
import type { ModuleDraft, ResourceFields } from "./read-module.ts";
import type { Reporter, Spot } from "./reporter.ts";
import type { ModuleEntry, Sections } from "./sections.ts";
import { show, type SourceFile } from "./source/source-file.ts";
import type { SecretsConfig, StackConfig, StateModule } from "./stack.ts";
import type { ChosenVariables } from "./variables/choose-values.ts";
import { listVariables } from "./variables/list-variables.ts";
import type { ValueReader } from "./variables/value-reader.ts";

export interface StackParts {
  readonly sections: Sections;
  readonly secrets: SecretsConfig;
  readonly generators: readonly GeneratorEntry[];
  /** Where each secret store is written. */
  readonly storeSpots: ReadonlyMap<string, Spot>;
  readonly variables: ChosenVariables;
  readonly values: ValueReader;
  readonly sources: readonly SourceFile[];
  readonly environments: readonly string[];
  /** Undefined where none could be chosen. */
  readonly environment: string | undefined;
  /** False where names cannot be checked, because files or the environment are missing. */
  readonly linkable: boolean;
}

/** Turns the joined sections into a stack. What it returns is of use only where no error was reported. */
export function buildStack(
  parts: StackParts,
  env: Readonly<Record<string, string | undefined>> | undefined,
  fields: FieldReader,
  reporter: Reporter,
): StackConfig {
  const { sections, secrets, sources } = parts;
  const environment = parts.environment ?? defaultEnvironment;
  const { values } = parts;
  const drafts = sortModules(sections, parts.environment, values, fields, reporter);
  const entry = sections.environments.get(environment);
  const generated = draftGenerators(parts.generators, secrets, entry, fields, reporter);
  const names = nameModules(drafts, generated.drafts, environment, reporter);
  const linker = parts.linkable
    ? createLinker(names, { env, declared: new Set(secrets.declared), generated: generated.references }, reporter)
    : undefined;
  if (parts.linkable && !sections.hasModules) {
    const main = sources[0];
    if (main !== undefined) {
      const hint = "Write modules: with a list; an empty list is a stack without resources";
      reporter.report({ file: main, path: [] }, { summary: "The configuration has no modules", hint });
    }
  }
  const resources = buildResources(drafts, generated.drafts, names, linker, environment, reporter);
  const providers = drafts.providers
    .filter(({ draft }) => !draft.leftOut)
    .map((provider) => buildProvider(provider, linker));
  if (generated.drafts.length > 0 || storeNames(secrets).length > 0) {
    const module = secretsModule(secrets, entry, environment);
    providers.push(buildSecretsProvider(module, sources[0], parts.storeSpots, values, linker));
  }
  const state = buildState(drafts.states, linker, fields, reporter);
  const outputs = readOutputs(sections, linker, values, fields, reporter);
  return {
    name: sections.name ?? defaultName(sources[0], reporter),
    ...(sections.name === undefined ? { nameIsDefault: true as const } : {}),
    environment,
    environments: parts.environments,
    resources,
    providers,
    ...(state === undefined ? {} : { state }),
    ...(sections.onFailure === undefined ? {} : { onFailure: sections.onFailure }),
    moved: readMoved(sections, linker === undefined ? undefined : names, fields, reporter),
    imports: readImportRequests(sections, linker === undefined ? undefined : names, { values, fields, reporter }),
    ...(outputs === undefined ? {} : { outputs }),
    secrets,
    ...listVariables(parts.variables),
    autoBootstrap: sections.autoBootstrap,
    files: sources.map((source) => source.path),
    locate: createLocate(drafts),
  };
}

function nameModules(
  drafts: ModuleDrafts,
  generated: readonly ModuleDraft[],
  environment: string,
  reporter: Reporter,
): Names {
  const resources = new Map<string, ModuleDraft>();
  const renamed = new Map<string, string>();
  const leftOut = new Set<string>();
  const others = new Map(drafts.others.map((entry) => [entry.name, entry.type]));
  for (const draft of [...drafts.providers.map((provider) => provider.draft), ...drafts.states]) {
    others.set(draft.name, draft.entry.type);
  }
  for (const { draft } of drafts.resources) {
    if (draft.leftOut) {
      leftOut.add(draft.entry.name);
      continue;
    }
    const taken =
      resources.get(draft.name)?.entry ?? (others.has(draft.name) ? drafts.byName.get(draft.name) : undefined);
    if (taken !== undefined) {
      reportClash(draft, taken, resources.get(draft.name), environment, reporter);
      continue;
    }
    resources.set(draft.name, draft);
    if (draft.name !== draft.entry.name) renamed.set(draft.entry.name, draft.name);
  }
  for (const draft of generated) {
    const taken = resources.get(draft.name)?.entry;
    if (taken === undefined) resources.set(draft.name, draft);
    else reportClash(draft, taken, undefined, environment, reporter);
  }
  return { resources, renamed, leftOut, others, environment };
}

/** Two modules can only share a name where an environment renames one of them: that one is to blame. */
function reportClash(
  draft: ModuleDraft,
  taken: ModuleEntry,
  holder: ModuleDraft | undefined,
  environment: string,
  reporter: Reporter,
): void {
  const blamed = draft.name === draft.entry.name && holder !== undefined ? holder : draft;
  const other = blamed === draft ? taken : draft.entry;
  reporter.report(blamed.spotOf(["name"]), {
    summary: `The name "${draft.name}" is used twice in the environment "${environment}", also at ${show(other.spot.file.locate([...other.spot.path, "name"]))}`,
    hint: "Choose another config.name for this environment",
  });
}

function buildResources(
  drafts: ModuleDrafts,
  generated: readonly ModuleDraft[],
  names: Names,
  linker: Linker | undefined,
  environment: string,
  reporter: Reporter,
): DesiredResource[] {
  if (linker === undefined) return [];
  const active = drafts.resources.filter(({ draft }) => !draft.leftOut);
  const first = active[0];
  const noProvider = first !== undefined && drafts.providers.length === 0;
  if (noProvider) reportNoProvider(first.draft, reporter);
  const providers = tableProviders(drafts.providers);
  const edges = new Map<string, Set<string>>();
  const resources = active.map(({ draft, fields }) => {
    const place = placeOf(draft);
    const references = new Set<string>();
    const config = linker.link(draft.config, place, references) as DesiredResource["config"];
    const dependsOn = new Set<string>();
    for (const { name, path, strict } of fields.dependsOn) {
      const inside = names.resources.has(name) ? [] : resourcesOf(name, names);
      if (inside.length > 0) {
        for (const resource of inside) dependsOn.add(resource);
        continue;
      }
      const resolved = linker.resolveDependency(name, strict, dependencyPlace(draft, path), path.slice(1));
      if (resolved !== undefined) dependsOn.add(resolved);
    }
    edges.set(draft.name, new Set([...dependsOn, ...references]));
    const provider = noProvider ? undefined : chooseProvider(draft, fields.provider, providers, environment, reporter);
    return buildResource(draft, fields, config, [...dependsOn], provider ?? "");
  });
  const secrets = generated.map((draft) => buildGenerated(draft, linker, edges));
  reportCircles(edges, names, reporter);
  return [...resources, ...secrets];
}

/** Resources of a component. */
function resourcesOf(component: string, names: Names): string[] {
  return [...names.resources.keys()].filter((name) => name.startsWith(`${component}.`));
}

/** A secret that is made in the run, as a resource of the built-in provider. */
function buildGenerated(draft: ModuleDraft, linker: Linker, edges: Map<string, Set<string>>): DesiredResource {
  const references = new Set<string>();
  const config = linker.link(draft.config, placeOf(draft), references) as DesiredResource["config"];
  edges.set(draft.name, references);
  return {
    name: draft.name,
    type: draft.entry.type,
    provider: secretsProvider,
    config,
    dependsOn: [],
    protected: false,
    lifecycle: {},
    timeouts: {},
    adoptExisting: false,
    existing: false,
    source: draft.entry.spot.file.locate(draft.entry.spot.path),
  };
}

function buildSecretsProvider(
  module: Omit<ProviderModule, "source">,
  main: SourceFile | undefined,
  storeSpots: ReadonlyMap<string, Spot>,
  values: ValueReader,
  linker: Linker | undefined,
): ProviderModule {
  if (main === undefined || linker === undefined) return module;
  const spot = { file: main, path: ["secrets"] };
  const spotOf = ([stores, name, ...rest]: readonly (string | number)[]): Spot => {
    const store = stores === "stores" && typeof name === "string" ? storeSpots.get(name) : undefined;
    return store === undefined ? spot : child(store, ...rest);
  };
  const config = values.read(module.config, spot);
  const linked = linker.link(config, {
    address: module.name,
    root: ["config"],
    spotOf,
    variablesOnly: "in the configuration of a secret store",
  });
  return { ...module, config: linked as ProviderModule["config"] };
}

function buildResource(
  draft: ModuleDraft,
  fields: ResourceFields,
  config: DesiredResource["config"],
  dependsOn: readonly string[],
  provider: string,
): DesiredResource {
  return {
    name: draft.name,
    type: draft.entry.type,
    provider,
    config,
    ...(fields.size === undefined ? {} : { size: fields.size }),
    dependsOn,
    protected: fields.protected,
    lifecycle: fields.lifecycle,
    timeouts: fields.timeouts,
    adoptExisting: fields.adoptExisting,
    existing: fields.existing,
    source: sourceOf(draft),
  };
}

function buildProvider({ draft, plugin }: ProviderDraft, linker: Linker | undefined): ProviderModule {
  const config = linkVariables(draft, linker, "in the configuration of a provider");
  return { name: draft.name, provider: plugin, config, source: sourceOf(draft) };
}

function buildState(
  states: readonly ModuleDraft[],
  linker: Linker | undefined,
  fields: FieldReader,
  reporter: Reporter,
): StateModule | undefined {
  const [state, second] = states.filter((draft) => !draft.leftOut);
  if (state === undefined) return undefined;
  if (second !== undefined) {
    const first = show(state.entry.spot.file.locate([...state.entry.spot.path, "name"]));
    reporter.report(child(second.entry.spot, "name"), {
      summary: `"${second.name}" is a second module of type iac.state, first at ${first}`,
      hint: "Keep one; an environment set to null leaves a module out",
    });
  }
  const config = linkVariables(state, linker, "in the configuration of the state");
  const backend = fields.text(state.config, child(state.entry.spot, "config"), "backend");
  return { name: state.name, backend: backend ?? "filesystem", config, source: sourceOf(state) };
}

function linkVariables(
  draft: ModuleDraft,
  linker: Linker | undefined,
  variablesOnly: string,
): { readonly [key: string]: Value } {
  if (linker === undefined) return draft.config;
  return linker.link(draft.config, { ...placeOf(draft), variablesOnly }) as { readonly [key: string]: Value };
}

function placeOf(draft: ModuleDraft): LinkPlace {
  return { address: draft.name, root: ["config"], spotOf: draft.spotOf };
}

function dependencyPlace(draft: ModuleDraft, path: readonly (string | number)[]): LinkPlace {
  const inConfig = path[0] === "config";
  return {
    address: draft.name,
    root: path.slice(0, 1),
    spotOf: (rest) => (inConfig ? draft.spotOf(rest) : child(draft.entry.spot, ...path.slice(0, 1), ...rest)),
  };
}

function sourceOf(draft: ModuleDraft): SourceLocation {
  const { file, path } = draft.entry.spot;
  return file.locateItem("modules", Number(path[1]));
}

function defaultName(main: SourceFile | undefined, reporter: Reporter): string {
  const name = main === undefined ? "" : defaultStackName(main.path);
  if (name === "" && main !== undefined) {
    reporter.report(
      { file: main, path: [] },
      { summary: "The stack has no name: its folder gives none", hint: "Write name: at the top of the file" },
    );
  }
  return name;
}

function createLocate(drafts: ModuleDrafts): StackConfig["locate"] {
  const all = [
    ...drafts.resources.map((resource) => resource.draft),
    ...drafts.providers.map((provider) => provider.draft),
    ...drafts.states,
  ];
  let byName: Map<string, ModuleDraft> | undefined;
  return (address, pointer = "", at = "value") => {
    byName ??= new Map(all.map((draft) => [draft.name, draft]));
    const draft = byName.get(address);
    if (draft === undefined) return undefined;
    const [first, ...rest] = pointerToPath(pointer);
    const spot = first === "config" ? draft.spotOf(rest) : child(draft.entry.spot, ...pointerToPath(pointer));
    return spot.file.locate(spot.path, { key: at === "key" });
  };
}
