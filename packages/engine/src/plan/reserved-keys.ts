import type { Json, JsonObject } from "@wfctl/model";

/** Keys of a resource's config that the host reads. They travel to the provider as upstream sends them, and decide nothing there. */
export const reservedKeys: ReadonlySet<string> = new Set([
  "provider",
  "iac_provider",
  "size",
  "depends_on",
  "protected",
  "adopt_existing",
]);

export function withoutReserved(config: JsonObject): JsonObject {
  const copy: Record<string, Json> = {};
  for (const [key, value] of Object.entries(config)) if (!reservedKeys.has(key)) copy[key] = value;
  return copy;
}
