import { isExpression, isJsonObject, type Json, type JsonObject } from "@wfctl/model";
import { child, type FieldReader } from "./fields.ts";
import { storeNames, type GeneratorEntry } from "./generated-secrets.ts";
import type { Reporter, Spot } from "./reporter.ts";
import { describe } from "./source/describe.ts";
import type { SecretsConfig } from "./stack.ts";

interface StoreKeys {
  readonly known: readonly string[];
  /** Without another source than the stack file. */
  readonly required?: string;
}

const aws: StoreKeys = { known: ["region", "access_key_id", "secret_access_key", "session_token", "endpoint"] };
const github: StoreKeys = { known: ["repo", "token_env", "environment", "endpoint"], required: "repo" };
/** What each kind of secret store takes as its configuration. */
const storeKeys: ReadonlyMap<string, StoreKeys> = new Map([
  ["file", { known: ["path"], required: "path" }],
  ["env", { known: ["prefix"] }],
  ["vault", { known: ["address", "token", "mount_path", "namespace"] }],
  ["aws", aws],
  ["aws-secrets-manager", aws],
  ["github", github],
  ["github-actions", github],
  ["keychain", { known: ["service"], required: "service" }],
]);

/** A secret store as written, and the place of its configuration. */
export interface StoreEntry {
  readonly name: string;
  readonly provider: Json | undefined;
  readonly config: Json | undefined;
  readonly spot: Spot;
}

/** Reports stores that cannot be opened as they are written, and names of stores that there are none of. */
export function checkStores(
  stores: readonly StoreEntry[],
  uses: readonly { readonly store: string; readonly by: string; readonly spot: Spot }[],
  secrets: SecretsConfig,
  reporter: Reporter,
): void {
  for (const store of stores) checkStore(store, reporter);
  const names = storeNames(secrets);
  for (const { store, by, spot } of uses) {
    if (names.includes(store)) continue;
    reporter.report(spot, {
      summary: `The secret store "${store}" of ${by} is not known`,
      hint: reporter.hintFor(store, names, "Declare it under secretStores:"),
    });
  }
}

function checkStore({ name, provider, config, spot }: StoreEntry, reporter: Reporter): void {
  if (typeof provider !== "string") {
    if (provider !== undefined && provider !== null) return;
    reporter.report(spot, {
      summary: `The secret store "${name}" does not say which provider it has`,
      hint: `Write provider: and one of ${[...storeKeys.keys()].join(", ")}`,
    });
    return;
  }
  const keys = storeKeys.get(provider);
  if (keys === undefined) {
    reporter.report(child(spot, "provider"), {
      summary: `The secret store provider "${provider}" is not known`,
      hint: reporter.hintFor(provider, storeKeys.keys(), `Known are ${[...storeKeys.keys()].join(", ")}`),
    });
    return;
  }
  if (config !== undefined && config !== null && !isJsonObject(config)) return;
  const settings: JsonObject = isJsonObject(config) ? config : {};
  for (const [key, value] of Object.entries(settings)) {
    if (!keys.known.includes(key)) {
      reporter.report(child(spot, "config", key), {
        summary: `The key "${key}" is not known in the config of a secret store of ${provider}`,
        hint: reporter.hintFor(key, keys.known, `Known are ${keys.known.join(", ")}`),
        part: { key: true },
      });
    } else if (value !== null && typeof value !== "string" && !isExpression(value)) {
      reporter.report(child(spot, "config", key), {
        summary: `"${key}" is ${describe(value)}, expected text`,
        hint: `Write ${key}: "…"`,
      });
    }
  }
  const { required } = keys;
  const given = required === undefined ? "" : settings[required];
  if (required === undefined || (given !== undefined && given !== null && given !== "")) return;
  reporter.report(spot, {
    summary: `The secret store "${name}" of ${provider} has no ${required}`,
    hint: `Write config: {${required}: …}`,
  });
}

/** Names of stores that stand in the file: where generated secrets go by default, and where declared ones are read. */
export function storeUses(
  secrets: JsonObject,
  spot: Spot,
  entries: Iterable<GeneratorEntry>,
  fields: FieldReader,
): { readonly store: string; readonly by: string; readonly spot: Spot }[] {
  const uses: { readonly store: string; readonly by: string; readonly spot: Spot }[] = [];
  const fallback = secrets["defaultStore"];
  if (typeof fallback === "string" && fallback !== "") {
    uses.push({ store: fallback, by: "secrets.defaultStore", spot: child(spot, "defaultStore") });
  }
  for (const { key, value, spot: place } of entries) {
    const store = fields.text(value, place, "store");
    if (store !== undefined && store !== "") {
      uses.push({ store, by: `the secret "${key}"`, spot: child(place, "store") });
    }
  }
  return uses;
}
