import { create } from "@bufbuild/protobuf";
import type { JsonObject, ResourceHints, ResourceOutput } from "@wfctl/model";
import * as iac from "../gen/workflow/plugin/external/iac/iac_pb.ts";
import { bytesToObject, jsonToBytes } from "./json.ts";

/** What is wanted of one resource, references resolved. */
export interface Spec {
  readonly name: string;
  readonly type: string;
  readonly config: JsonObject;
  readonly size?: string;
  readonly hints?: ResourceHints;
  readonly dependsOn: readonly string[];
}

/** Where one object is. An empty provider id asks the driver to find it by name and type. */
export interface Ref {
  readonly name: string;
  readonly type: string;
  readonly providerId: string;
}

export interface Sizing {
  readonly instanceType: string;
  readonly specs: JsonObject;
}

/** A config that is an empty object travels as `{}`; only a delete in a plan has none at all. */
export function encodeSpec(spec: Spec): iac.ResourceSpec {
  return create(iac.ResourceSpecSchema, {
    name: spec.name,
    type: spec.type,
    configJson: jsonToBytes(spec.config, "ResourceSpec.config_json"),
    size: spec.size ?? "",
    ...(spec.hints === undefined ? {} : { hints: encodeHints(spec.hints) }),
    dependsOn: [...spec.dependsOn],
  });
}

/** No config reads as an empty object. */
export function decodeSpec(message: iac.ResourceSpec): Spec {
  return {
    name: message.name,
    type: message.type,
    config: bytesToObject(message.configJson, "ResourceSpec.config_json") ?? {},
    ...(message.size === "" ? {} : { size: message.size }),
    ...(message.hints === undefined ? {} : { hints: decodeHints(message.hints) }),
    dependsOn: message.dependsOn,
  };
}

export function encodeHints(hints: ResourceHints): iac.ResourceHints {
  return create(iac.ResourceHintsSchema, { ...hints });
}

export function decodeHints(message: Pick<iac.ResourceHints, "cpu" | "memory" | "storage">): ResourceHints {
  const { cpu, memory, storage } = message;
  return {
    ...(cpu === "" ? {} : { cpu }),
    ...(memory === "" ? {} : { memory }),
    ...(storage === "" ? {} : { storage }),
  };
}

export function encodeRef(ref: Ref): iac.ResourceRef {
  return create(iac.ResourceRefSchema, { name: ref.name, type: ref.type, providerId: ref.providerId });
}

export function decodeRef(message: iac.ResourceRef): Ref {
  return { name: message.name, type: message.type, providerId: message.providerId };
}

export function encodeOutput(output: ResourceOutput): iac.ResourceOutput {
  return create(iac.ResourceOutputSchema, {
    name: output.name,
    type: output.type,
    providerId: output.providerId,
    outputsJson: jsonToBytes(output.outputs, "ResourceOutput.outputs_json"),
    sensitive: Object.fromEntries(output.sensitive.map((key) => [key, true])),
    status: output.status,
  });
}

/**
 * Name and type stay empty where the plugin left them out: the caller fills them in or refuses a mismatch.
 * `sensitive` holds the marked keys that the outputs have, sorted.
 */
export function decodeOutput(message: iac.ResourceOutput): ResourceOutput {
  const outputs = bytesToObject(message.outputsJson, "ResourceOutput.outputs_json") ?? {};
  return {
    name: message.name,
    type: message.type,
    providerId: message.providerId,
    outputs,
    sensitive: Object.keys(message.sensitive)
      .filter((key) => message.sensitive[key] === true && Object.hasOwn(outputs, key))
      .toSorted(),
    status: message.status,
  };
}

export function encodeSizing(sizing: Sizing): iac.ProviderSizing {
  return create(iac.ProviderSizingSchema, {
    instanceType: sizing.instanceType,
    specsJson: jsonToBytes(sizing.specs, "ProviderSizing.specs_json"),
  });
}

/** An absent message: nothing to merge. */
export function decodeSizing(message: iac.ProviderSizing | undefined): Sizing | undefined {
  if (message === undefined) return undefined;
  return {
    instanceType: message.instanceType,
    specs: bytesToObject(message.specsJson, "ProviderSizing.specs_json") ?? {},
  };
}
