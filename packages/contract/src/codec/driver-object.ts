import { create } from "@bufbuild/protobuf";
import type { JsonObject, ResourceOutput } from "@wfctl/model";
import * as ext from "../gen/wfctl/ext/v1/ext_pb.ts";
import { createdFromWire, createdToWire } from "./enums.ts";
import { bytesToObject, jsonToBytes } from "./json.ts";
import { decodeHints, type Spec } from "./resource.ts";
import { fromTimestamp, toTimestamp } from "./timestamp.ts";

/** What a driver reports of one live object: the outputs, and what only plugins with our extensions say. */
export interface LiveObject extends ResourceOutput {
  /** Live inputs. */
  readonly inputs?: JsonObject;
  /** Ownership mark found on the object. */
  readonly owner?: string;
  /** The call itself created the object (true), found it (false), or did not say. */
  readonly created?: boolean;
  /** ISO 8601: from when on the object should be looked at again. */
  readonly revisitAt?: string;
}

/** What a call had already made when it failed. */
export interface PartialObject {
  readonly providerId: string;
  readonly outputs: JsonObject;
}

export function encodeDriverObject(object: LiveObject): ext.DriverObject {
  const live = encodeLiveState(object);
  return create(ext.DriverObjectSchema, {
    name: object.name,
    type: object.type,
    providerId: object.providerId,
    outputsJson: jsonToBytes(object.outputs, "DriverObject.outputs_json"),
    sensitive: [...object.sensitive],
    status: object.status,
    ...(live === undefined ? {} : { live }),
    created: createdToWire(object.created),
  });
}

/** As `decodeOutput`. */
export function decodeDriverObject(message: ext.DriverObject): LiveObject {
  const outputs = bytesToObject(message.outputsJson, "DriverObject.outputs_json") ?? {};
  const created = createdFromWire(message.created, "DriverObject.created");
  return {
    name: message.name,
    type: message.type,
    providerId: message.providerId,
    outputs,
    sensitive: [...new Set(message.sensitive)].filter((key) => Object.hasOwn(outputs, key)).toSorted(),
    status: message.status,
    ...decodeLiveState(message.live),
    ...(created === undefined ? {} : { created }),
  };
}

/** Undefined where the object says nothing of the kind. */
export function encodeLiveState(object: Pick<LiveObject, "inputs" | "owner" | "revisitAt">): ext.LiveState | undefined {
  if (object.inputs === undefined && object.owner === undefined && object.revisitAt === undefined) return undefined;
  const revisitAt = toTimestamp(object.revisitAt, "LiveState.revisit_at");
  return create(ext.LiveStateSchema, {
    inputsJson: jsonToBytes(object.inputs, "LiveState.inputs_json"),
    owner: object.owner ?? "",
    ...(revisitAt === undefined ? {} : { revisitAt }),
  });
}

export function decodeLiveState(
  message: ext.LiveState | undefined,
): Pick<LiveObject, "inputs" | "owner" | "revisitAt"> {
  if (message === undefined) return {};
  const inputs = bytesToObject(message.inputsJson, "LiveState.inputs_json");
  const revisitAt = fromTimestamp(message.revisitAt, "LiveState.revisit_at");
  return {
    ...(inputs === undefined ? {} : { inputs }),
    ...(message.owner === "" ? {} : { owner: message.owner }),
    ...(revisitAt === undefined ? {} : { revisitAt }),
  };
}

export function encodePartial(partial: PartialObject): ext.PartialResult {
  return create(ext.PartialResultSchema, {
    providerId: partial.providerId,
    outputsJson: jsonToBytes(partial.outputs, "PartialResult.outputs_json"),
  });
}

/** A partial result without a provider id says nothing. */
export function decodePartial(message: ext.PartialResult | undefined): PartialObject | undefined {
  if (message === undefined || message.providerId === "") return undefined;
  return {
    providerId: message.providerId,
    outputs: bytesToObject(message.outputsJson, "PartialResult.outputs_json") ?? {},
  };
}

/** The fields of a `DriverRequest` that a spec fills. */
export function driverRequestSpec(spec: Spec) {
  return {
    resourceType: spec.type,
    name: spec.name,
    configJson: jsonToBytes(spec.config, "DriverRequest.config_json"),
    size: spec.size ?? "",
    ...(spec.hints === undefined ? {} : { hints: create(ext.DriverHintsSchema, { ...spec.hints }) }),
    dependsOn: [...spec.dependsOn],
  };
}

export function decodeDriverRequestSpec(request: ext.DriverRequest): Spec {
  return {
    name: request.name,
    type: request.resourceType,
    config: bytesToObject(request.configJson, "DriverRequest.config_json") ?? {},
    ...(request.size === "" ? {} : { size: request.size }),
    ...(request.hints === undefined ? {} : { hints: decodeHints(request.hints) }),
    dependsOn: request.dependsOn,
  };
}
