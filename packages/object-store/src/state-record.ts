type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** One record of upstream's state, as its hosts hand it over. */
export interface StateRecord {
  readonly resourceId: string;
  readonly resourceType: string;
  readonly provider: string;
  readonly providerRef: string;
  readonly providerId: string;
  readonly configHash: string;
  readonly status: string;
  readonly outputs?: JsonObject;
  readonly config?: JsonObject;
  readonly dependencies: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly error: string;
}

const texts = {
  resource_id: "resourceId",
  resource_type: "resourceType",
  provider: "provider",
  provider_ref: "providerRef",
  provider_id: "providerId",
  config_hash: "configHash",
  status: "status",
  created_at: "createdAt",
  updated_at: "updatedAt",
  error: "error",
} as const;

/** The record as upstream's plugins write it into an object; empty optional members are left out, as they do. */
export function recordToText(record: StateRecord): string {
  const shown: Record<string, Json> = {};
  for (const [key, member] of Object.entries(texts)) {
    const value = record[member];
    if (
      value !== "" ||
      ["resource_id", "resource_type", "provider", "status", "created_at", "updated_at"].includes(key)
    )
      shown[key] = value;
  }
  shown["outputs"] = record.outputs ?? null;
  shown["config"] = record.config ?? null;
  if (record.dependencies.length > 0) shown["dependencies"] = record.dependencies;
  return `${JSON.stringify(shown, null, 2)}\n`;
}

/** The record in an object, or undefined where it holds none. */
export function recordFromText(text: string): StateRecord | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(found) || typeof found["resource_id"] !== "string") return undefined;
  const members: Record<string, string> = {};
  for (const [key, member] of Object.entries(texts)) {
    const value = found[key];
    members[member] = typeof value === "string" ? value : "";
  }
  const { outputs, config, dependencies } = found;
  return {
    ...(members as unknown as Omit<StateRecord, "dependencies">),
    ...(isObject(outputs) ? { outputs } : {}),
    ...(isObject(config) ? { config } : {}),
    dependencies: Array.isArray(dependencies) ? dependencies.filter((each) => typeof each === "string") : [],
  };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
