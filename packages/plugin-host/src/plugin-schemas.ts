import { bytesToObject, type ext } from "@wfctl/contract";
import type { TypeTraits } from "@wfctl/engine";
import type { JsonObject } from "@wfctl/model";

/** What a plugin says of its resource types before any call. */
export interface PluginSchemas {
  readonly types: ReadonlyMap<string, TypeTraits>;
  readonly digest: string;
  readonly configSchema: JsonObject | undefined;
  readonly clientTokens: boolean;
  readonly ownLimits: boolean;
  /** The identity follows from the configuration alone. */
  readonly stableIdentity: boolean;
  /** Read of at least one type gives live inputs. */
  readonly readsInputs: boolean;
}

/** Throws a `WireFormatError` where a schema is no JSON object. */
export function readSchemas(reply: ext.ListResourceTypesResponse): PluginSchemas {
  return {
    types: new Map(reply.types.map((type) => [type.type, readTraits(type)])),
    digest: reply.schemaDigest,
    configSchema: bytesToObject(
      reply.provider?.configSchemaJson ?? new Uint8Array(),
      "ProviderTraits.config_schema_json",
    ),
    clientTokens: reply.provider?.clientTokens ?? false,
    ownLimits: reply.provider?.ownLimits ?? false,
    stableIdentity: reply.provider?.stableIdentity ?? false,
    readsInputs: reply.types.some((type) => type.readsInputs),
  };
}

function readTraits(type: ext.ResourceType): TypeTraits {
  const schema = bytesToObject(type.inputSchemaJson, "ResourceType.input_schema_json");
  const outputs = bytesToObject(type.outputSchemaJson, "ResourceType.output_schema_json");
  const timeouts = {
    ...(type.createTimeoutMs === 0 ? {} : { create: type.createTimeoutMs }),
    ...(type.readTimeoutMs === 0 ? {} : { read: type.readTimeoutMs }),
    ...(type.updateTimeoutMs === 0 ? {} : { update: type.updateTimeoutMs }),
    ...(type.deleteTimeoutMs === 0 ? {} : { delete: type.deleteTimeoutMs }),
  };
  const typicalMs = {
    ...(type.typicalCreateMs === 0 ? {} : { create: type.typicalCreateMs }),
    ...(type.typicalUpdateMs === 0 ? {} : { update: type.typicalUpdateMs }),
    ...(type.typicalDeleteMs === 0 ? {} : { delete: type.typicalDeleteMs }),
  };
  return {
    createFirst: type.createFirst,
    convergentCreate: type.convergentCreate,
    lookup: type.lookup,
    reversibleUpdate: !type.irreversibleUpdate,
    writeOnly: type.writeOnly,
    sensitiveInputs: type.sensitiveInputs,
    sensitiveOutputs: type.sensitiveOutputs,
    forceNew: type.forceNew,
    timeouts,
    typicalMs,
    ...(type.settleMs === 0 ? {} : { settleMs: type.settleMs }),
    ...(schema === undefined ? {} : { schema }),
    ...(outputs === undefined ? {} : { outputs }),
  };
}

/**
 * Traits of a type: undefined where the plugin lists its types and not this one. Plugins that list nothing support all
 * types, with default traits.
 */
export function traitsOf(
  type: string,
  schemas: PluginSchemas | undefined,
  resourceTypes: readonly string[],
): TypeTraits | undefined {
  if (schemas !== undefined && schemas.types.size > 0) return schemas.types.get(type);
  return resourceTypes.length === 0 || resourceTypes.includes(type) ? {} : undefined;
}

/** Resource types that the plugin names, by its schemas or else by its capabilities. */
export function listTypes(schemas: PluginSchemas | undefined, resourceTypes: readonly string[]): readonly string[] {
  return schemas !== undefined && schemas.types.size > 0 ? [...schemas.types.keys()] : resourceTypes;
}
