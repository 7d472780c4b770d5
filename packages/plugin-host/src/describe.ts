import type { LoadedPlugin } from "./load.ts";
import type { ProviderDescription } from "./options.ts";
import { listTypes, traitsOf } from "./plugin-schemas.ts";

/** What a loaded plugin says of itself. A plugin that answers `Capabilities` only with a configuration lists no types yet. */
export function describeLoaded(provider: string, loaded: LoadedPlugin): ProviderDescription {
  const { schemas, capabilities = [], subject, version } = loaded;
  return {
    provider,
    plugin: subject.plugin,
    version,
    directory: subject.directory,
    resourceTypes: listTypes(schemas, capabilities),
    configSchema: schemas?.configSchema,
    schemaDigest: schemas?.digest ?? "",
    traits: (type) => traitsOf(type, schemas, capabilities),
  };
}
