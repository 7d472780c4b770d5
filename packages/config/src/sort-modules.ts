import { classifyType } from "./classify-type.ts";
import { readDefaults, type EnvironmentDefaults } from "./environment-defaults.ts";
import { moduleEnvironments } from "./environments.ts";
import { child, type FieldReader } from "./fields.ts";
import { readProvider, type ProviderDraft } from "./providers.ts";
import { draftModule, readResourceFields, type ModuleDraft, type ResourceFields } from "./read-module.ts";
import type { Reporter } from "./reporter.ts";
import type { ModuleEntry, Sections } from "./sections.ts";
import type { ValueReader } from "./variables/value-reader.ts";

/** Modules by what they are. */
export interface ModuleDrafts {
  readonly resources: readonly { readonly draft: ModuleDraft; readonly fields: ResourceFields }[];
  readonly providers: readonly ProviderDraft[];
  readonly states: readonly ModuleDraft[];
  /** Modules of upstream's application engine. */
  readonly others: readonly ModuleEntry[];
  readonly byName: ReadonlyMap<string, ModuleEntry>;
}

/** Reads every module of ours for the chosen environment and checks its shape. */
export function sortModules(
  sections: Sections,
  environment: string | undefined,
  values: ValueReader,
  fields: FieldReader,
  reporter: Reporter,
): ModuleDrafts {
  const defaults = readAllDefaults(sections, environment, values);
  const resources: { draft: ModuleDraft; fields: ResourceFields }[] = [];
  const providers: ProviderDraft[] = [];
  const states: ModuleDraft[] = [];
  const others: ModuleEntry[] = [];
  for (const entry of sections.modules) {
    const reading = classifyType(entry.type);
    if ("summary" in reading) {
      reporter.report(child(entry.spot, "type"), reading);
      others.push(entry);
      continue;
    }
    if (reading.kind === "other") {
      others.push(entry);
      continue;
    }
    warnOfUndeclared(entry, sections, reporter);
    const draft = draftModule(entry, environment, defaults, values, fields, reporter);
    if (reading.kind === "resource") resources.push({ draft, fields: readResourceFields(draft, reporter) });
    else if (reading.kind === "provider") providers.push(readProvider(draft, reporter));
    else states.push(draft);
  }
  return {
    resources,
    providers,
    states,
    others,
    byName: new Map(sections.modules.map((entry) => [entry.name, entry])),
  };
}

/** Reads the defaults of all environments, so that a text that cannot be read shows in each of them. */
function readAllDefaults(
  sections: Sections,
  environment: string | undefined,
  values: ValueReader,
): EnvironmentDefaults | undefined {
  let chosen: EnvironmentDefaults | undefined;
  for (const [name, entry] of sections.environments) {
    const defaults = readDefaults(entry, values);
    if (name === environment) chosen = defaults;
  }
  return chosen;
}

/** Where environments are declared at the top, one that only a module knows is most likely misspelt. */
function warnOfUndeclared(entry: ModuleEntry, sections: Sections, reporter: Reporter): void {
  if (sections.environments.size === 0) return;
  for (const name of moduleEnvironments(entry)) {
    if (sections.environments.has(name)) continue;
    reporter.report(child(entry.spot, "environments", name), {
      severity: "warning",
      summary: `The environment "${name}" is not declared at the top`,
      hint: reporter.hintFor(name, sections.environments.keys(), "Declare it under environments: at the top"),
      part: { key: true },
    });
  }
}
