import type { DesiredResource, JsonObject, TemplatePart } from "@wfctl/model";

/** A wanted resource of type `infra.item` in module `cloud`, each part replaceable. */
export function wanted(name: string, config: JsonObject = {}, parts: Partial<DesiredResource> = {}): DesiredResource {
  return {
    name,
    type: "infra.item",
    provider: "cloud",
    config,
    dependsOn: [],
    protected: false,
    lifecycle: {},
    timeouts: {},
    adoptExisting: false,
    existing: false,
    ...parts,
  };
}

/** `${resource.path}` as a whole value. */
export function ref(resource: string, path: string): JsonObject {
  return { $expr: [{ resource, path }] };
}

/** `${NAME}` as a whole value. */
export function env(name: string): JsonObject {
  return { $expr: [{ env: name }] };
}

/** Text with references in it. */
export function text(...parts: readonly TemplatePart[]): JsonObject {
  return { $expr: parts as never };
}
