import { isJsonObject, type JsonObject, type ProviderModule, type Value } from "@wfctl/model";
import { child, type FieldReader } from "./fields.ts";
import type { ModuleDraft } from "./read-module.ts";
import type { Reporter, Spot } from "./reporter.ts";
import type { EnvironmentEntry } from "./sections.ts";
import type { SecretsConfig } from "./stack.ts";

/** Provider of secrets that are made in the run, and name of its module: built in, no plugin serves it. */
export const secretsProvider = "wfctl.secrets";

/** A generator as written. */
export interface GeneratorEntry {
  readonly key: string;
  readonly value: JsonObject;
  readonly spot: Spot;
}

export interface GeneratedSecrets {
  /** As modules that are no part of `modules`. */
  readonly drafts: readonly ModuleDraft[];
  /** What `${NAME}` of a generated secret refers to. */
  readonly references: ReadonlyMap<string, { readonly resource: string; readonly path: string }>;
}

const generatorTypes = [
  "random_hex",
  "random_base64",
  "random_alphanumeric",
  "provider_credential",
  "infra_output",
] as const;

/** Turns generators into resources of the graph: `secret.<key>`. */
export function draftGenerators(
  generators: readonly GeneratorEntry[],
  secrets: SecretsConfig,
  environment: EnvironmentEntry | undefined,
  fields: FieldReader,
  reporter: Reporter,
): GeneratedSecrets {
  const drafts: ModuleDraft[] = [];
  const references = new Map<string, { readonly resource: string; readonly path: string }>();
  for (const { key, value, spot } of generators) {
    const type = fields.oneOf(value, spot, "type", generatorTypes);
    if (type === undefined) {
      if (value["type"] === undefined || value["type"] === null) {
        const summary = `The generator "${key}" has no type`;
        reporter.report(spot, { summary, hint: `Write type: ${generatorTypes.join(", ")}` });
      }
      continue;
    }
    const store = chooseStore(fields.text(value, spot, "store"), secrets, environment);
    if (store !== undefined && !storeNames(secrets).includes(store)) {
      reporter.report(child(spot, "store"), {
        summary: `The secret store "${store}" of the generator "${key}" is not known`,
        hint: reporter.hintFor(store, storeNames(secrets), "Declare it under secretStores:"),
      });
    }
    const config = configOf(key, type, value, spot, fields, reporter);
    if (config === undefined) continue;
    const name = `secret.${key}`;
    const all = { ...config.values, ...(store === undefined ? {} : { store }) };
    drafts.push({
      entry: { spot, value, name, type: config.type },
      name,
      config: all,
      leftOut: false,
      spotOf: ([first]) => (first === "value" ? child(spot, "source") : spot),
    });
    if (type === "provider_credential") {
      for (const path of ["access_key", "secret_key"]) references.set(`${key}_${path}`, { resource: name, path });
    } else references.set(key, { resource: name, path: "value" });
  }
  return { drafts, references };
}

function configOf(
  key: string,
  type: (typeof generatorTypes)[number],
  value: JsonObject,
  spot: Spot,
  fields: FieldReader,
  reporter: Reporter,
): { readonly type: string; readonly values: JsonObject } | undefined {
  const source = fields.text(value, spot, "source");
  if (type === "infra_output") {
    const dot = source?.indexOf(".") ?? -1;
    if (source === undefined || dot <= 0 || dot === source.length - 1) {
      reporter.report(spot, {
        summary: `The generator "${key}" does not say which output it copies`,
        hint: "Write source: <resource>.<output>",
      });
      return undefined;
    }
    const expression: Value = { $expr: [{ resource: source.slice(0, dot), path: source.slice(dot + 1) }] };
    return { type: "secret.output", values: { key, value: expression } };
  }
  if (type === "provider_credential") {
    if (source !== "digitalocean.spaces") {
      reporter.report(source === undefined ? spot : child(spot, "source"), {
        summary: `The generator "${key}" makes ${source === undefined ? "no credential" : `credentials of "${source}"`}, expected "digitalocean.spaces"`,
        hint: "Write source: digitalocean.spaces",
      });
      return undefined;
    }
    const name = fields.text(value, spot, "name") ?? key;
    return { type: "secret.provider_credential", values: { key, source, name } };
  }
  const length = value["length"] ?? 32;
  if (typeof length !== "number" || !Number.isInteger(length) || length < 1 || length > 4096) {
    reporter.report(child(spot, "length"), {
      summary: `The length of "${key}" is no whole number from 1 to 4096`,
      hint: "Write length: 32",
    });
    return undefined;
  }
  return { type: "secret.random", values: { key, generator: type, length } };
}

/** A generator's own store, the environment's, the default one, the provider's. Undefined: the state alone keeps it. */
function chooseStore(
  own: string | undefined,
  secrets: SecretsConfig,
  environment: EnvironmentEntry | undefined,
): string | undefined {
  if (own !== undefined) return own;
  const override = environment?.value["secretsStoreOverride"];
  if (typeof override === "string") return override;
  const fallback = secrets.settings?.["defaultStore"];
  if (typeof fallback === "string") return fallback;
  const provider = secrets.settings?.["provider"];
  return typeof provider === "string" ? provider : undefined;
}

/** Stores by name: the named ones, and the one of `secrets.provider` under the provider's name. */
export function storeNames(secrets: SecretsConfig): string[] {
  const provider = secrets.settings?.["provider"];
  return [...Object.keys(secrets.stores ?? {}), ...(typeof provider === "string" ? [provider] : [])];
}

/** The module of the built-in provider: all stores, and the one that sensitive outputs of resources go to. */
export function secretsModule(
  secrets: SecretsConfig,
  environment: EnvironmentEntry | undefined,
  environmentName: string,
): Omit<ProviderModule, "source"> {
  const inEnvironment = (value: unknown): unknown => {
    if (typeof value === "string") return value.replaceAll("${WORKFLOW_ENV}", environmentName);
    if (Array.isArray(value)) return value.map(inEnvironment);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inEnvironment(member)]));
  };
  const stores: Record<string, JsonObject> = {};
  for (const [name, store] of Object.entries(secrets.stores ?? {})) {
    if (isJsonObject(store)) stores[name] = store;
  }
  const provider = secrets.settings?.["provider"];
  if (typeof provider === "string" && stores[provider] === undefined) {
    stores[provider] = { provider, config: secrets.settings?.["config"] ?? {} };
  }
  const route = provider === undefined ? undefined : chooseStore(undefined, secrets, environment);
  return {
    name: secretsProvider,
    provider: secretsProvider,
    config: inEnvironment({ stores, ...(route === undefined ? {} : { route }) }) as ProviderModule["config"],
  };
}
