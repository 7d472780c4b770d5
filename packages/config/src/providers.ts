import { child, createFieldReader } from "./fields.ts";
import type { ModuleDraft, ResourceFields } from "./read-module.ts";
import type { Reporter } from "./reporter.ts";
import { listNames } from "./suggest.ts";

/** An `iac.provider` module in the chosen environment. */
export interface ProviderDraft {
  readonly draft: ModuleDraft;
  /** Name that plugins advertise; empty where the module does not say. */
  readonly plugin: string;
}

/** The provider modules of a stack, by what is asked of them. */
export interface ProviderTable {
  readonly byName: ReadonlyMap<string, ProviderDraft>;
  /** Those that the environment does not leave out. */
  readonly active: readonly ProviderDraft[];
}

export function tableProviders(providers: readonly ProviderDraft[]): ProviderTable {
  return {
    byName: new Map(providers.map((provider) => [provider.draft.name, provider])),
    active: providers.filter((provider) => !provider.draft.leftOut),
  };
}

export function readProvider(draft: ModuleDraft, reporter: Reporter): ProviderDraft {
  const { spot } = draft.entry;
  const fields = createFieldReader(reporter, (_, key) => draft.spotOf([key]));
  const plugin = fields.text(draft.config, spot, "provider") ?? "";
  const written = draft.config["provider"];
  if (plugin === "" && (written === undefined || written === null || written === "")) {
    reporter.report(spot, {
      summary: `The provider module "${draft.name}" does not say which provider it is`,
      hint: "Write config: {provider: aws}, with the name of the provider",
    });
  }
  return { draft, plugin };
}

/** Decides which provider module a resource uses. Undefined, with a diagnostic, where that cannot be told. */
export function chooseProvider(
  resource: ModuleDraft,
  wanted: ResourceFields["provider"],
  { byName, active }: ProviderTable,
  environment: string,
  reporter: Reporter,
): string | undefined {
  if (wanted === undefined) {
    const [only, second] = active;
    if (only !== undefined && second === undefined) return only.draft.name;
    const names = active.map((provider) => provider.draft.name);
    reporter.report(resource.entry.spot, {
      address: resource.name,
      pointer: "",
      summary:
        names.length === 0
          ? `The resource "${resource.name}" has no provider: the environment "${environment}" leaves all of them out`
          : `The resource "${resource.name}" does not say which provider it uses, there are ${listNames(names)}`,
      hint:
        names.length === 0
          ? "Keep a provider module in this environment"
          : `Write config: {provider: ${names[0] ?? ""}}`,
    });
    return undefined;
  }
  const found = byName.get(wanted.name);
  if (found !== undefined && !found.draft.leftOut) return found.draft.name;
  const names = active.map((provider) => provider.draft.name);
  const ofPlugin = active.filter((provider) => provider.plugin === wanted.name).map((provider) => provider.draft.name);
  reporter.report(resource.spotOf([wanted.key]), {
    address: resource.name,
    pointer: `/config/${wanted.key}`,
    summary:
      found === undefined
        ? `The provider "${wanted.name}" is not known, expected the name of an iac.provider module`
        : `The provider "${wanted.name}" is left out of the environment "${environment}"`,
    hint:
      ofPlugin.length > 0
        ? `Write ${wanted.key}: ${ofPlugin[0] ?? ""}, the name of the module`
        : reporter.hintFor(wanted.name, names, "Write the name of an iac.provider module"),
  });
  return undefined;
}

/** Says once that a stack with resources has no provider module at all. */
export function reportNoProvider(first: ModuleDraft, reporter: Reporter): void {
  reporter.report(child(first.entry.spot), {
    address: first.name,
    pointer: "",
    summary: "There are resources but no provider module",
    hint: "Add a module with type: iac.provider and config: {provider: <name>}, such as aws, gcp, azure, digitalocean or local",
  });
}
