import { isExpression, isJsonObject, type Json, type JsonObject, type Value } from "@wfctl/model";
import { child } from "./fields.ts";
import type { Spot } from "./reporter.ts";
import type { EnvironmentEntry } from "./sections.ts";
import type { ValueReader } from "./variables/value-reader.ts";

/** What an environment at the top gives to resources that do not say otherwise. */
export interface EnvironmentDefaults {
  readonly region?: Value;
  readonly provider?: string;
  /** For `env_vars` of container services. */
  readonly variables?: JsonObject;
  /** Where the default of a path inside `config` is written. */
  readonly spotOf: (path: readonly (string | number)[]) => Spot | undefined;
}

export function readDefaults(entry: EnvironmentEntry, values: ValueReader): EnvironmentDefaults {
  const { spot, value } = entry;
  const region = value["region"];
  const provider = value["provider"];
  const written = value["envVars"];
  const variables: Record<string, Json> = {};
  for (const [key, member] of Object.entries(isJsonObject(written) ? written : {})) {
    if (member === null || typeof member === "object") continue;
    // Variables of a process are text.
    variables[key] = typeof member === "string" ? values.read(member, child(spot, "envVars", key)) : String(member);
  }
  return {
    ...(typeof region === "string" ? { region: values.read(region, child(spot, "region")) } : {}),
    ...(typeof provider === "string" ? { provider } : {}),
    ...(Object.keys(variables).length === 0 ? {} : { variables }),
    spotOf(path) {
      const [first, second] = path;
      if (first === "env_vars" && typeof second === "string") {
        return Object.hasOwn(variables, second) ? child(spot, "envVars", second) : undefined;
      }
      return first === "region" || first === "provider" ? child(spot, first) : undefined;
    },
  };
}

/** The config with what the environment gives where the resource has nothing. Unchanged where it gives nothing. */
export function fillDefaults(config: JsonObject, type: string, defaults: EnvironmentDefaults): JsonObject {
  const added: Record<string, Json> = {};
  if (config["region"] === undefined && defaults.region !== undefined) added["region"] = defaults.region;
  if (config["provider"] === undefined && config["iac_provider"] === undefined && defaults.provider !== undefined) {
    added["provider"] = defaults.provider;
  }
  if (type === "infra.container_service" && defaults.variables !== undefined) {
    const own = config["env_vars"] ?? {};
    if (isJsonObject(own) && !isExpression(own)) added["env_vars"] = { ...defaults.variables, ...own };
  }
  return Object.keys(added).length === 0 ? config : { ...config, ...added };
}
