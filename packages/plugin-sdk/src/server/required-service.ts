import { create } from "@bufbuild/protobuf";
import {
  bytesToObject,
  configHash,
  decodeHints,
  encodeChange,
  encodeSizing,
  encodeState,
  iac,
  jsonToBytes,
  decodeRef,
  decodeSpec,
  requiredPlanVersion,
  type Ref,
  type ServiceHandlers,
} from "@wfctl/contract";
import type { Caller, ReportedObject } from "../calls/call.ts";
import { defaultInstance } from "../calls/instances.ts";
import { missingObject } from "../calls/operations.ts";
import { appliedConfigKey } from "../schema/compare.ts";
import { hideSecrets } from "./driver-service.ts";
import { answerUnary } from "./rpc.ts";
import { newPlanId, type Runtime } from "./runtime.ts";

/** `IaCProviderRequired`: all ten rpcs. */
export function requiredService(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderRequired> {
  const { provider, operations, instances } = runtime;
  return {
    initialize: answerUnary(runtime, async (request) => {
      const config = bytesToObject(request.configJson, "InitializeRequest.config_json") ?? {};
      await instances.open(defaultInstance, config);
      return { message: create(iac.InitializeResponseSchema) };
    }),
    name: answerUnary(runtime, async () => ({ message: create(iac.NameResponseSchema, { name: provider.name }) })),
    version: answerUnary(runtime, async () => ({
      message: create(iac.VersionResponseSchema, { version: provider.version }),
    })),
    capabilities: answerUnary(runtime, async () => ({
      message: create(iac.CapabilitiesResponseSchema, {
        capabilities: provider.resources.map((resource) => ({
          resourceType: resource.type,
          tier: resource.tier ?? 1,
          operations: ["create", "read", "update", "delete", ...(resource.scale === undefined ? [] : ["scale"])],
        })),
        canonicalKeys: [...(provider.canonicalKeys ?? [])],
        computePlanVersion: requiredPlanVersion,
      }),
    })),
    plan: answerUnary(runtime, async (request, caller) => ({
      message: create(iac.PlanResponseSchema, { plan: await makePlan(runtime, request, caller) }),
    })),
    destroy: answerUnary(runtime, async (request, caller) => ({
      message: create(iac.DestroyResponseSchema, {
        result: await destroy(runtime, request.refs.map(decodeRef), caller),
      }),
    })),
    status: answerUnary(runtime, async (request, caller) => ({
      message: create(iac.StatusResponseSchema, { statuses: await readStatuses(runtime, request.refs, caller) }),
    })),
    import: answerUnary(runtime, async (request, caller) => {
      const object = await operations.importObject(request.resourceType, request.providerId, caller);
      if (object === undefined) {
        throw missingObject(request.resourceType, {
          name: "",
          type: request.resourceType,
          providerId: request.providerId,
        });
      }
      return { message: create(iac.ImportResponseSchema, { state: importedState(runtime, object) }) };
    }),
    resolveSizing: answerUnary(runtime, async (request) => {
      const resource = operations.resource(request.resourceType);
      const hints = request.hints === undefined ? undefined : decodeHints(request.hints);
      const sizing = resource.sizing?.({ size: request.size, hints });
      const message = sizing === undefined ? {} : { sizing: encodeSizing(sizing) };
      return { message: create(iac.ResolveSizingResponseSchema, message) };
    }),
    bootstrapStateBackend: answerUnary(runtime, async (request, caller) => {
      const config = bytesToObject(request.configJson, "BootstrapStateBackendRequest.config_json") ?? {};
      const result = await operations.withContext(caller, async (context) =>
        provider.bootstrapStateBackend?.(config, context),
      );
      const message = result === undefined ? {} : { result: { ...result, envVars: { ...result.envVars } } };
      return { message: create(iac.BootstrapStateBackendResponseSchema, message) };
    }),
  };
}

/** Creates and changes in the order of the wish, then deletes in the opposite order of the record. */
async function makePlan(runtime: Runtime, request: iac.PlanRequest, caller: Caller): Promise<iac.IaCPlan> {
  const actions: iac.PlanAction[] = [];
  const currentByName = new Map(request.current.map((state) => [state.name, state]));
  const desiredNames = new Set(request.desired.map(({ name }) => name));
  for (const message of request.desired) {
    const spec = decodeSpec(message);
    const hash = configHash(spec.config);
    const current = currentByName.get(spec.name);
    if (current === undefined) {
      actions.push(create(iac.PlanActionSchema, { action: "create", resource: message, resolvedConfigHash: hash }));
      continue;
    }
    const known = {
      providerId: current.providerId,
      outputs: bytesToObject(current.outputsJson, "ResourceState.outputs_json") ?? {},
      inputs: bytesToObject(current.appliedConfigJson, "ResourceState.applied_config_json"),
    };
    const diff = hideSecrets(await runtime.operations.diff(spec.type, spec, known, caller));
    if (!diff.needsUpdate && !diff.needsReplace) continue;
    const action = diff.needsReplace ? "replace" : "update";
    const changes = diff.changes.map(encodeChange);
    actions.push(
      create(iac.PlanActionSchema, { action, resource: message, current, changes, resolvedConfigHash: hash }),
    );
  }
  for (const state of request.current.toReversed()) {
    if (desiredNames.has(state.name)) continue;
    const resource = { name: state.name, type: state.type, dependsOn: state.dependencies };
    actions.push(create(iac.PlanActionSchema, { action: "delete", resource, current: state }));
  }
  return create(iac.IaCPlanSchema, { id: newPlanId(), actions, schemaVersion: 1 });
}

/** The refs come in no useful order: what fails is tried again as long as another round removes something. */
async function destroy(runtime: Runtime, refs: readonly Ref[], caller: Caller): Promise<iac.DestroyResult> {
  const destroyed: string[] = [];
  let left = [...refs];
  for (;;) {
    const failed: { ref: Ref; error: string }[] = [];
    for (const ref of left) {
      try {
        await runtime.operations.delete(ref.type, ref, caller);
        destroyed.push(ref.name);
      } catch (error) {
        failed.push({ ref, error: error instanceof Error ? error.message : String(error) });
      }
    }
    if (failed.length === 0 || failed.length === left.length || caller.signal.aborted) {
      const errors = failed.map(({ ref, error }) => ({ resource: ref.name, action: "delete", error }));
      return create(iac.DestroyResultSchema, { destroyed, errors });
    }
    left = failed.map(({ ref }) => ref);
  }
}

/** No refs means everything that can be listed. */
async function readStatuses(
  runtime: Runtime,
  messages: readonly iac.ResourceRef[],
  caller: Caller,
): Promise<iac.ResourceStatus[]> {
  const { provider, operations } = runtime;
  const statuses: iac.ResourceStatus[] = [];
  if (messages.length === 0) {
    for (const { type } of provider.resources.filter((resource) => resource.list !== undefined)) {
      for (const object of await operations.list(type, caller)) statuses.push(statusMessage(object));
    }
    return statuses;
  }
  for (const ref of messages.map(decodeRef)) {
    const object = await operations.read(ref.type, ref, caller);
    statuses.push(
      object === undefined
        ? create(iac.ResourceStatusSchema, { ...ref, status: "unknown" })
        : statusMessage({ ...object, name: ref.name }),
    );
  }
  return statuses;
}

function statusMessage(object: ReportedObject): iac.ResourceStatus {
  return create(iac.ResourceStatusSchema, {
    name: object.name,
    type: object.type,
    providerId: object.providerId,
    status: object.status,
    outputsJson: jsonToBytes(publicOutputs(object), "ResourceStatus.outputs_json"),
  });
}

/** A record as hosts save it without a look: it holds no secret. */
function importedState(runtime: Runtime, object: ReportedObject): iac.ResourceState {
  const { [appliedConfigKey]: applied, ...outputs } = publicOutputs(object);
  const config = bytesToObject(jsonToBytes(applied), "ResourceState.applied_config_json");
  return encodeState({
    id: object.name === "" ? object.providerId : object.name,
    name: object.name === "" ? object.providerId : object.name,
    type: object.type,
    provider: runtime.provider.name,
    providerRef: "",
    providerId: object.providerId,
    configHash: configHash(config),
    ...(config === undefined ? {} : { appliedConfig: config }),
    appliedConfigSource: "adoption",
    outputs,
    dependencies: [],
  });
}

function publicOutputs(object: ReportedObject) {
  return Object.fromEntries(Object.entries(object.outputs).filter(([key]) => !object.sensitive.includes(key)));
}
