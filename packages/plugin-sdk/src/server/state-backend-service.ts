import { create } from "@bufbuild/protobuf";
import { bytesToObject, decodeBackendState, encodeBackendState, iac, type ServiceHandlers } from "@wfctl/contract";
import { ProviderFailure } from "../author/failure.ts";
import type { StateBackend } from "../author/define-provider.ts";
import { CallRefusal } from "../calls/refusal.ts";
import { answerUnary } from "./rpc.ts";
import type { Runtime } from "./runtime.ts";

/** `IaCStateBackend`, for upstream hosts. */
export function stateBackendService(runtime: Runtime): ServiceHandlers<typeof iac.IaCStateBackend> {
  const backend = runtime.provider.stateBackend!;
  let configured = false;
  const ready = (): StateBackend => {
    if (configured) return backend;
    throw new CallRefusal(
      "not_configured",
      "",
      `The state backend of provider ${runtime.provider.name} is not configured`,
    );
  };
  return {
    configure: answerUnary(runtime, async (request) => {
      if (!backend.names.includes(request.backendName)) {
        const known = backend.names.join(", ");
        throw new ProviderFailure("validation", `No state backend "${request.backendName}", only ${known}`);
      }
      await backend.configure(
        request.backendName,
        bytesToObject(request.configJson, "ConfigureRequest.config_json") ?? {},
      );
      configured = true;
      return { message: create(iac.ConfigureResponseSchema) };
    }),
    getState: answerUnary(runtime, async (request) => {
      const state = await ready().get(request.resourceId);
      const message = state === undefined ? { exists: false } : { exists: true, state: encodeBackendState(state) };
      return { message: create(iac.GetStateResponseSchema, message) };
    }),
    saveState: answerUnary(runtime, async (request) => {
      await ready().save(decodeBackendState(request.state ?? create(iac.IaCStateSchema)));
      return { message: create(iac.SaveStateResponseSchema) };
    }),
    listStates: answerUnary(runtime, async (request) => {
      const states = await ready().list(request.filter);
      return { message: create(iac.ListStatesResponseSchema, { states: states.map(encodeBackendState) }) };
    }),
    deleteState: answerUnary(runtime, async (request) => {
      await ready().delete(request.resourceId);
      return { message: create(iac.DeleteStateResponseSchema) };
    }),
    lock: answerUnary(runtime, async (request) => {
      await ready().lock(request.resourceId);
      return { message: create(iac.LockResponseSchema) };
    }),
    unlock: answerUnary(runtime, async (request) => {
      await ready().unlock(request.resourceId);
      return { message: create(iac.UnlockResponseSchema) };
    }),
    listBackendNames: answerUnary(runtime, async () => ({
      message: create(iac.ListBackendNamesResponseSchema, { backendNames: [...backend.names] }),
    })),
  };
}
