import { createHash } from "node:crypto";
import { canonicalJson, type Json, type JsonObject } from "@wfctl/model";
import type { Provider } from "../author/define-provider.ts";
import type { Resource } from "../author/define-resource.ts";
import { toJsonSchema } from "./json-schema.ts";

/** What a planner may know of a type before any call. */
export interface TypeDescription {
  readonly type: string;
  readonly description: string;
  readonly input: JsonObject;
  readonly outputs: JsonObject;
  readonly forceNew: readonly string[];
  readonly sensitiveInputs: readonly string[];
  readonly writeOnly: readonly string[];
  readonly sensitiveOutputs: readonly string[];
  readonly createFirst: boolean;
  readonly convergentCreate: boolean;
  readonly lookup: boolean;
  readonly irreversibleUpdate: boolean;
  readonly settleMs: number;
  readonly timeouts: {
    readonly create: number;
    readonly read: number;
    readonly update: number;
    readonly delete: number;
  };
  /** 0 where nothing is said. */
  readonly typicalMs: { readonly create: number; readonly update: number; readonly delete: number };
}

export function describeType(resource: Resource<unknown>): TypeDescription {
  const { create = 0, read = 0, update = 0, delete: remove = 0 } = resource.timeouts ?? {};
  const { typicalMs = {} } = resource;
  return {
    type: resource.type,
    description: resource.description,
    input: toJsonSchema(resource.input),
    outputs: toJsonSchema(resource.outputs),
    forceNew: [...(resource.forceNew ?? [])],
    sensitiveInputs: [...(resource.sensitiveInputs ?? [])],
    writeOnly: [...(resource.writeOnly ?? [])],
    sensitiveOutputs: [...(resource.sensitiveOutputs ?? [])],
    createFirst: resource.createFirst ?? false,
    convergentCreate: resource.convergentCreate ?? false,
    lookup: resource.lookup !== undefined,
    irreversibleUpdate: resource.irreversibleUpdate ?? false,
    settleMs: resource.settleMs ?? 0,
    timeouts: { create, read, update, delete: remove },
    typicalMs: { create: typicalMs.create ?? 0, update: typicalMs.update ?? 0, delete: typicalMs.delete ?? 0 },
  };
}

/** Changes when any type's behaviour towards the planner does: not with how long calls take. */
export function schemaDigest(types: readonly TypeDescription[]): string {
  const behaviour = types.map(({ typicalMs: _, ...rest }) => rest);
  return createHash("sha256")
    .update(canonicalJson(behaviour as unknown as Json))
    .digest("hex");
}

/** True where a call repeated with its client token has one effect. */
export function honoursClientTokens(provider: Provider): boolean {
  return provider.clientTokens ?? provider.resources.every((type) => type.convergentCreate === true);
}
