import { create } from "@bufbuild/protobuf";
import {
  bytesToObject,
  encodeDriverObject,
  ext,
  extServices,
  jsonToBytes,
  type ServiceHandlers,
} from "@wfctl/contract";
import { ProviderFailure } from "../author/failure.ts";
import { defaultInstance } from "../calls/instances.ts";
import { CallRefusal } from "../calls/refusal.ts";
import { describeType, honoursClientTokens, schemaDigest, type TypeDescription } from "../schema/describe.ts";
import { toJsonSchema } from "../schema/json-schema.ts";
import { serve, type ServedService } from "./optional-services.ts";
import { answerUnary } from "./rpc.ts";
import type { CallReport, Runtime } from "./runtime.ts";
import { sessionService } from "./session-service.ts";

/** The services of our own package. */
export function extensionServices(runtime: Runtime): ServedService[] {
  const lookup = runtime.provider.resources.some((resource) => resource.lookup !== undefined);
  return [
    serve(extServices.ProviderIdentity, identityService(runtime)),
    serve(extServices.ResourceSchemas, schemaService(runtime)),
    ...(lookup ? [serve(extServices.ClientTokens, tokenService(runtime))] : []),
    serve(extServices.Configurations, configurationService(runtime)),
    serve(extServices.RunControl, runService(runtime)),
    serve(extServices.DriverSession, sessionService(runtime)),
  ];
}

function identityService(runtime: Runtime): ServiceHandlers<typeof ext.ProviderIdentity> {
  return {
    getIdentity: answerUnary(runtime, async (_request, caller) => {
      const instance = runtime.instances.get(caller.instance);
      if (instance === undefined) {
        throw new CallRefusal(
          "not_configured",
          caller.instance,
          `Provider ${runtime.provider.name} is not initialised`,
        );
      }
      const { identity, labels } = await instance.identity();
      return { message: create(ext.GetIdentityResponseSchema, { identity, labels: { ...labels } }) };
    }),
  };
}

function schemaService(runtime: Runtime): ServiceHandlers<typeof ext.ResourceSchemas> {
  const { provider } = runtime;
  return {
    listResourceTypes: answerUnary(runtime, async () => {
      const types = provider.resources.map(describeType);
      const message = create(ext.ListResourceTypesResponseSchema, {
        types: types.map(typeMessage),
        schemaDigest: schemaDigest(types),
        provider: {
          configSchemaJson: jsonToBytes(toJsonSchema(provider.config)),
          clientTokens: honoursClientTokens(provider),
          ownLimits: provider.limits !== undefined,
          stableIdentity: provider.stableIdentity === true,
        },
      });
      return { message };
    }),
  };
}

function typeMessage(type: TypeDescription): ext.ResourceType {
  return create(ext.ResourceTypeSchema, {
    type: type.type,
    description: type.description,
    inputSchemaJson: jsonToBytes(type.input),
    outputSchemaJson: jsonToBytes(type.outputs),
    forceNew: [...type.forceNew],
    sensitiveInputs: [...type.sensitiveInputs],
    writeOnly: [...type.writeOnly],
    sensitiveOutputs: [...type.sensitiveOutputs],
    createFirst: type.createFirst,
    convergentCreate: type.convergentCreate,
    lookup: type.lookup,
    irreversibleUpdate: type.irreversibleUpdate,
    settleMs: type.settleMs,
    createTimeoutMs: type.timeouts.create,
    readTimeoutMs: type.timeouts.read,
    updateTimeoutMs: type.timeouts.update,
    deleteTimeoutMs: type.timeouts.delete,
    typicalCreateMs: type.typicalMs.create,
    typicalUpdateMs: type.typicalMs.update,
    typicalDeleteMs: type.typicalMs.delete,
    readsInputs: true,
  });
}

function tokenService(runtime: Runtime): ServiceHandlers<typeof ext.ClientTokens> {
  return {
    lookup: answerUnary(runtime, async (request, caller) => {
      const query = { token: request.clientToken, name: request.name, owner: request.owner };
      const object = await runtime.operations.lookup(request.resourceType, query, { ...caller, extended: true });
      const message = object === undefined ? { found: false } : { found: true, object: encodeDriverObject(object) };
      return { message: create(ext.LookupResponseSchema, message) };
    }),
  };
}

function configurationService(runtime: Runtime): ServiceHandlers<typeof ext.Configurations> {
  const { instances } = runtime;
  return {
    open: answerUnary(runtime, async (request) => {
      if (request.instance === defaultInstance) {
        throw new ProviderFailure("validation", "A configuration needs a name of its own");
      }
      const config = bytesToObject(request.configJson, "OpenConfigurationRequest.config_json") ?? {};
      const instance = await instances.open(request.instance, config);
      const { identity } = await instance.identity();
      return { message: create(ext.OpenConfigurationResponseSchema, { identity }) };
    }),
    close: answerUnary(runtime, async (request) => {
      await instances.close(request.instance);
      return { message: create(ext.CloseConfigurationResponseSchema) };
    }),
  };
}

function runService(runtime: Runtime): ServiceHandlers<typeof ext.RunControl> {
  return {
    stop: answerUnary(runtime, async (request, caller) => {
      runtime.runs.stop(request.run, caller.instance);
      return { message: create(ext.StopResponseSchema) };
    }),
    watchProgress(call) {
      const forget = runtime.progress.listen(({ clientToken, message, waiting, limited }: CallReport) => {
        call.write(create(ext.CallProgressSchema, { clientToken, progress: { message, waiting, limited } }));
      });
      call.on("cancelled", forget);
      call.on("error", forget);
      runtime.ending.addEventListener("abort", () => {
        forget();
        call.end();
      });
    },
  };
}
