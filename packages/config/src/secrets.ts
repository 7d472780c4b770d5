import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";
import { checkStores, storeUses, type StoreEntry } from "./check-stores.ts";
import { child, type FieldReader } from "./fields.ts";
import type { GeneratorEntry } from "./generated-secrets.ts";
import type { StackFile } from "./read-files.ts";
import type { Reporter, Spot } from "./reporter.ts";
import { describe } from "./source/describe.ts";
import type { SecretsConfig } from "./stack.ts";

const secretsKeys: ReadonlySet<string> = new Set([
  "provider",
  "config",
  "defaultStore",
  "entries",
  "generate",
  "rotation",
]);
const entryKeys: ReadonlySet<string> = new Set(["name", "description", "store", "rotation"]);
const generatorKeys: ReadonlySet<string> = new Set(["key", "type", "length", "source", "name", "store"]);
const storeKeys: ReadonlySet<string> = new Set(["provider", "config"]);

/** Joins `secrets` and `secretStores` over all files: entries by name, generators by key, stores by name, the rest key by key. */
export function readSecrets(
  files: readonly StackFile[],
  fields: FieldReader,
  reporter: Reporter,
): {
  readonly secrets: SecretsConfig;
  readonly generators: readonly GeneratorEntry[];
  /** Where each store is written. */
  readonly storeSpots: ReadonlyMap<string, Spot>;
} {
  const settings: Record<string, Json> = {};
  const written = new Map<string, StoreEntry>();
  const uses: ReturnType<typeof storeUses> = [];
  let main: StoreEntry | undefined;
  const stores = new Map<string, JsonObject>();
  const entries = new Map<string, GeneratorEntry>();
  const generators = new Map<string, GeneratorEntry>();
  for (const { source, root } of files) {
    const top: Spot = { file: source, path: [] };
    const secrets = fields.mapping(root, top, "secrets") ?? {};
    const spot = child(top, "secrets");
    fields.checkKeys(secrets, spot, "in secrets", secretsKeys);
    fields.text(secrets, spot, "provider");
    fields.text(secrets, spot, "defaultStore");
    fields.mapping(secrets, spot, "config");
    if (typeof secrets["provider"] === "string") {
      main ??= { name: secrets["provider"], provider: secrets["provider"], config: secrets["config"], spot };
    }
    for (const key of ["provider", "config", "defaultStore", "rotation"]) {
      const value = secrets[key];
      if (value !== undefined && value !== null) settings[key] ??= value;
    }
    const before = new Set(entries.keys());
    readNamed(secrets, spot, "entries", "name", entryKeys, entries, fields, reporter);
    const fileEntries = [...entries.values()].filter(({ key }) => !before.has(key));
    readNamed(secrets, spot, "generate", "key", generatorKeys, generators, fields, reporter);
    for (const [name, value] of Object.entries(fields.mapping(root, top, "secretStores") ?? {})) {
      const place = child(top, "secretStores", name);
      if (!isJsonObject(value)) {
        reporter.report(place, {
          summary: `The secret store "${name}" is ${describe(value)}, expected a mapping`,
          hint: "Write provider: … below it",
        });
        continue;
      }
      fields.checkKeys(value, place, "in a secret store", storeKeys);
      fields.text(value, place, "provider");
      fields.mapping(value, place, "config");
      if (stores.has(name)) continue;
      stores.set(name, value);
      written.set(name, { name, provider: value["provider"], config: value["config"], spot: place });
    }
    uses.push(...storeUses(secrets, spot, fileEntries, fields));
  }
  if (main !== undefined && !written.has(main.name)) written.set(main.name, main);
  if (entries.size > 0) settings["entries"] = [...entries.values()].map(({ value }) => value);
  if (generators.size > 0) settings["generate"] = [...generators.values()].map(({ value }) => value);
  const secrets = {
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
    ...(stores.size === 0 ? {} : { stores: Object.fromEntries(stores) }),
    declared: [...new Set([...entries.keys(), ...[...generators].flatMap(([key, { value }]) => namesOf(key, value))])],
  };
  checkStores([...written.values()], uses, secrets, reporter);
  const storeSpots = new Map([...written].map(([name, { spot }]) => [name, spot]));
  return { secrets, generators: [...generators.values()], storeSpots };
}

/** A credential of a provider becomes two secrets; every other generator makes the one of its key. */
function namesOf(key: string, generator: JsonObject): string[] {
  return generator["type"] === "provider_credential" ? [`${key}_access_key`, `${key}_secret_key`] : [key];
}

function readNamed(
  secrets: JsonObject,
  spot: Spot,
  list: string,
  key: string,
  known: ReadonlySet<string>,
  into: Map<string, GeneratorEntry>,
  fields: FieldReader,
  reporter: Reporter,
): void {
  const here = new Set<string>();
  for (const [index, item] of (fields.list(secrets, spot, list) ?? []).entries()) {
    const place = child(spot, list, index);
    if (!isJsonObject(item)) {
      reporter.report(place, {
        summary: `An item of "${list}" is ${describe(item)}, expected a mapping`,
        hint: `Write - ${key}: …`,
      });
      continue;
    }
    fields.checkKeys(item, place, `in secrets.${list}`, known);
    const name = fields.text(item, place, key);
    if (name === undefined || name === "") {
      if (typeof item[key] === "string" || item[key] === undefined || item[key] === null) {
        reporter.report(place, {
          summary: `An item of "${list}" has no ${key}`,
          hint: `Write ${key}: with the secret's name`,
        });
      }
      continue;
    }
    if (here.has(name)) {
      reporter.report(child(place, key), {
        summary: `"${list}" has the ${key} "${name}" twice`,
        hint: "Keep one of the two",
      });
    }
    here.add(name);
    if (!into.has(name)) into.set(name, { key: name, value: item, spot: place });
  }
}
