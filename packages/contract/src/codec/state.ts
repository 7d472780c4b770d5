import { create } from "@bufbuild/protobuf";
import type { JsonObject } from "@wfctl/model";
import * as iac from "../gen/workflow/plugin/external/iac/iac_pb.ts";
import { bytesToObject, jsonToBytes, WireFormatError } from "./json.ts";
import { fromTimestamp, toTimestamp } from "./timestamp.ts";

/** Upstream's record of one resource, as `Import` and plans carry it. Times are ISO 8601; absent ones are unknown. */
export interface WireState {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly provider: string;
  readonly providerRef: string;
  readonly providerId: string;
  readonly configHash: string;
  readonly appliedConfig?: JsonObject;
  /** Empty on old records; they count as adopted. */
  readonly appliedConfigSource: "apply" | "adoption" | "";
  readonly outputs: JsonObject;
  readonly dependencies: readonly string[];
  readonly createdAt?: string;
  readonly updatedAt?: string;
  readonly lastDriftCheck?: string;
}

export function encodeState(state: WireState): iac.ResourceState {
  const createdAt = toTimestamp(state.createdAt, "ResourceState.created_at");
  const updatedAt = toTimestamp(state.updatedAt, "ResourceState.updated_at");
  const lastDriftCheck = toTimestamp(state.lastDriftCheck, "ResourceState.last_drift_check");
  return create(iac.ResourceStateSchema, {
    id: state.id,
    name: state.name,
    type: state.type,
    provider: state.provider,
    providerRef: state.providerRef,
    providerId: state.providerId,
    configHash: state.configHash,
    appliedConfigJson: jsonToBytes(state.appliedConfig, "ResourceState.applied_config_json"),
    appliedConfigSource: state.appliedConfigSource,
    outputsJson: jsonToBytes(state.outputs, "ResourceState.outputs_json"),
    dependencies: [...state.dependencies],
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(updatedAt === undefined ? {} : { updatedAt }),
    ...(lastDriftCheck === undefined ? {} : { lastDriftCheck }),
  });
}

export function decodeState(message: iac.ResourceState): WireState {
  const appliedConfig = bytesToObject(message.appliedConfigJson, "ResourceState.applied_config_json");
  const createdAt = fromTimestamp(message.createdAt, "ResourceState.created_at");
  const updatedAt = fromTimestamp(message.updatedAt, "ResourceState.updated_at");
  const lastDriftCheck = fromTimestamp(message.lastDriftCheck, "ResourceState.last_drift_check");
  return {
    id: message.id,
    name: message.name,
    type: message.type,
    provider: message.provider,
    providerRef: message.providerRef,
    providerId: message.providerId,
    configHash: message.configHash,
    ...(appliedConfig === undefined ? {} : { appliedConfig }),
    appliedConfigSource: readSource(message.appliedConfigSource),
    outputs: bytesToObject(message.outputsJson, "ResourceState.outputs_json") ?? {},
    dependencies: message.dependencies,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(updatedAt === undefined ? {} : { updatedAt }),
    ...(lastDriftCheck === undefined ? {} : { lastDriftCheck }),
  };
}

function readSource(text: string): WireState["appliedConfigSource"] {
  if (text === "apply" || text === "adoption" || text === "") return text;
  throw new WireFormatError("ResourceState.applied_config_source", 'should be "apply", "adoption" or empty');
}

/** A record of a state backend. Unlike `WireState` its times are RFC 3339 text, given and kept as they are. */
export interface BackendState {
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

/** On this service alone an object that is not there travels as `null`. */
export function encodeBackendState(state: BackendState): iac.IaCState {
  return create(iac.IaCStateSchema, {
    ...state,
    dependencies: [...state.dependencies],
    outputsJson: jsonToBytes(state.outputs ?? null, "IaCState.outputs_json"),
    configJson: jsonToBytes(state.config ?? null, "IaCState.config_json"),
  });
}

/** On this service alone an empty object reads as none, as upstream's readers have it. */
export function decodeBackendState(message: iac.IaCState): BackendState {
  const outputs = bytesToObject(message.outputsJson, "IaCState.outputs_json");
  const config = bytesToObject(message.configJson, "IaCState.config_json");
  return {
    resourceId: message.resourceId,
    resourceType: message.resourceType,
    provider: message.provider,
    providerRef: message.providerRef,
    providerId: message.providerId,
    configHash: message.configHash,
    status: message.status,
    ...(isEmpty(outputs) ? {} : { outputs }),
    ...(isEmpty(config) ? {} : { config }),
    dependencies: message.dependencies,
    createdAt: message.createdAt,
    updatedAt: message.updatedAt,
    error: message.error,
  };
}

function isEmpty(object: JsonObject | undefined): object is undefined {
  return object === undefined || Object.keys(object).length === 0;
}
