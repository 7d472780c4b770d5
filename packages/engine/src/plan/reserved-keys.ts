import type { JsonObject } from "@wfctl/model";

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
  // Not by assignment: a key may be called __proto__.
  return Object.fromEntries(Object.entries(config).filter(([key]) => !reservedKeys.has(key)));
}
