import { create } from "@bufbuild/protobuf";
import {
  bytesToObject,
  decodeRef,
  decodeSpec,
  encodeDiff,
  encodeOutput,
  iac,
  toTimestamp,
  type Ref,
  type ServiceHandlers,
  type Spec,
} from "@wfctl/contract";
import type { Comparison } from "../author/define-resource.ts";
import { missingObject } from "../calls/operations.ts";
import { answerUnary, objectReply } from "./rpc.ts";
import type { Runtime } from "./runtime.ts";

/** `ResourceDriver`: one rpc for each operation. */
export function driverService(runtime: Runtime): ServiceHandlers<typeof iac.ResourceDriver> {
  const { operations } = runtime;
  return {
    create: answerUnary(runtime, async (request, caller) => {
      const object = await operations.create(request.resourceType, specOf(request.spec), caller);
      return objectReply(create(iac.ResourceCreateResponseSchema, { output: encodeOutput(object) }), object, caller);
    }),
    read: answerUnary(runtime, async (request, caller) => {
      const ref = refOf(request.ref, request.resourceType);
      const object = await operations.read(request.resourceType, ref, caller);
      if (object === undefined) throw missingObject(request.resourceType, ref);
      return objectReply(create(iac.ResourceReadResponseSchema, { output: encodeOutput(object) }), object, caller);
    }),
    update: answerUnary(runtime, async (request, caller) => {
      const ref = refOf(request.ref, request.resourceType);
      const object = await operations.update(request.resourceType, ref, specOf(request.spec), caller);
      return objectReply(create(iac.ResourceUpdateResponseSchema, { output: encodeOutput(object) }), object, caller);
    }),
    delete: answerUnary(runtime, async (request, caller) => {
      await operations.delete(request.resourceType, refOf(request.ref, request.resourceType), caller);
      return { message: create(iac.ResourceDeleteResponseSchema) };
    }),
    diff: answerUnary(runtime, async (request, caller) => {
      const { current } = request;
      const known = {
        providerId: current?.providerId ?? "",
        outputs: bytesToObject(current?.outputsJson ?? new Uint8Array(), "ResourceOutput.outputs_json") ?? {},
        inputs: undefined,
      };
      const diff = await operations.diff(request.resourceType, specOf(request.desired), known, caller);
      return { message: create(iac.ResourceDiffResponseSchema, { result: encodeDiff(hideSecrets(diff)) }) };
    }),
    scale: answerUnary(runtime, async (request, caller) => {
      const ref = refOf(request.ref, request.resourceType);
      const object = await operations.scale(request.resourceType, ref, request.replicas, caller);
      return objectReply(create(iac.ResourceScaleResponseSchema, { output: encodeOutput(object) }), object, caller);
    }),
    healthCheck: answerUnary(runtime, async (request, caller) => {
      const ref = refOf(request.ref, request.resourceType);
      const { healthy, message } = await operations.health(request.resourceType, ref, caller);
      return { message: create(iac.ResourceHealthCheckResponseSchema, { result: { healthy, message } }) };
    }),
    sensitiveKeys: answerUnary(runtime, async (request) => {
      const keys = operations.resource(request.resourceType).sensitiveOutputs ?? [];
      return { message: create(iac.SensitiveKeysResponseSchema, { keys: [...keys] as string[] }) };
    }),
    troubleshoot: answerUnary(runtime, async (request, caller) => {
      const ref = refOf(request.ref, request.resourceType);
      const reports = await operations.troubleshoot(request.resourceType, ref, request.failureMsg, caller);
      const diagnostics = reports.map(({ id, phase, cause, at, detail }) => {
        const time = toTimestamp(at?.toISOString(), "Diagnostic.at");
        return { id, phase, cause, detail, ...(time === undefined ? {} : { at: time }) };
      });
      return { message: create(iac.TroubleshootResponseSchema, { diagnostics }) };
    }),
  };
}

/** Values of secret paths never travel in a diff. */
export function hideSecrets(diff: Required<Comparison>): Required<Comparison> {
  const changes = diff.changes.map((change) =>
    change.sensitive === true
      ? {
          ...change,
          ...(change.old === undefined ? {} : { old: "(sensitive)" }),
          ...(change.new === undefined ? {} : { new: "(sensitive)" }),
        }
      : change,
  );
  return { ...diff, changes };
}

function specOf(message: iac.ResourceSpec | undefined): Spec {
  return decodeSpec(message ?? create(iac.ResourceSpecSchema));
}

export function refOf(message: iac.ResourceRef | undefined, type: string): Ref {
  return message === undefined ? { name: "", type, providerId: "" } : decodeRef(message);
}
