import type * as grpc from "@grpc/grpc-js";
import {
  bytesToObject,
  decodeDiff,
  decodeDriverObject,
  decodeFailureTrailers,
  decodeOutput,
  decodeReplyTrailers,
  encodeCallContext,
  ext,
  iac,
  toProviderError,
  unaryCall,
  type DiffReply,
  type LiveObject,
} from "@wfctl/contract";
import type { JsonObject, ProviderErrorClass } from "@wfctl/model";
import type { Plugin } from "./start-plugin.ts";

/** How a call of the driver failed. */
class DriveError extends Error {
  readonly class: ProviderErrorClass;
  readonly partialId: string | undefined;

  constructor(failure: grpc.ServiceError) {
    super(failure.details);
    this.class = toProviderError(failure).class;
    this.partialId = decodeFailureTrailers(failure.metadata).partial?.providerId;
  }
}

export interface CallMeta {
  readonly token?: string;
  readonly owner?: string;
  readonly run?: string;
  readonly timeoutMs?: number;
}

/** The operations of one resource type, over the wire. Failures are `DriveError`s. */
export interface Driver {
  create(name: string, config: JsonObject, meta?: CallMeta): Promise<LiveObject>;
  /** Undefined where the object does not exist. */
  read(name: string, id: string): Promise<LiveObject | undefined>;
  update(name: string, id: string, config: JsonObject, meta?: CallMeta): Promise<LiveObject>;
  delete(name: string, id: string, meta?: CallMeta): Promise<void>;
  /** What a plan would say of a live object. */
  diff(name: string, config: JsonObject, live: LiveObject): Promise<DiffReply>;
  lookup(name: string, token: string): Promise<LiveObject | undefined>;
  list(): Promise<LiveObject[]>;
  import(id: string): Promise<LiveObject | undefined>;
  sizing(size: string): Promise<JsonObject>;
  scale(name: string, id: string, replicas: number): Promise<LiveObject>;
  health(name: string, id: string): Promise<{ healthy: boolean; message: string }>;
  setOwner(name: string, id: string, owner: string): Promise<void>;
  getOwner(name: string, id: string): Promise<string>;
}

const json = (value: JsonObject): Uint8Array => Buffer.from(JSON.stringify(value));

export function drive(plugin: () => Plugin, type: string): Driver {
  const call = async <Value>(
    work: (options: { metadata: grpc.Metadata; deadline: number }) => Promise<Value>,
    { token, owner = "lineage/test", run = "run", timeoutMs = 60_000 }: CallMeta = {},
  ): Promise<Value> => {
    try {
      const context = { run, owner, ...(token === undefined ? {} : { clientToken: token }) };
      return await work({ metadata: encodeCallContext(context), deadline: Date.now() + timeoutMs });
    } catch (error) {
      throw error instanceof Error && "details" in error ? new DriveError(error as grpc.ServiceError) : error;
    }
  };
  const orNone = async <Value>(work: Promise<Value>): Promise<Value | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof DriveError && error.class === "not_found") return undefined;
      throw error;
    }
  };
  const { method } = iac.ResourceDriver;
  const refOf = (name: string, providerId: string) => ({ name, type, providerId });
  const specOf = (name: string, config: JsonObject) => ({ name, type, configJson: json(config) });
  return {
    create: (name, config, meta) =>
      call(async (options) => {
        const request = { resourceType: type, spec: specOf(name, config) };
        const { response, trailers } = await unaryCall(plugin().client, method.create, request, options);
        return { ...decodeOutput(response.output!), ...decodeReplyTrailers(trailers) };
      }, meta),
    read: (name, id) =>
      orNone(
        call(async (options) => {
          const request = { resourceType: type, ref: refOf(name, id) };
          const { response, trailers } = await unaryCall(plugin().client, method.read, request, options);
          const live = { ...decodeOutput(response.output!), ...decodeReplyTrailers(trailers) };
          if (live.inputs !== undefined) return live;
          // Inputs that are too long for a trailer come to a host without our extensions.
          const plain = await unaryCall(plugin().client, method.read, request, { deadline: options.deadline });
          const { applied_config: inputs = {}, ...outputs } = decodeOutput(plain.response.output!).outputs;
          return { ...live, outputs, inputs: inputs as JsonObject };
        }),
      ),
    update: (name, id, config, meta) =>
      call(async (options) => {
        const request = { resourceType: type, ref: refOf(name, id), spec: specOf(name, config) };
        const { response, trailers } = await unaryCall(plugin().client, method.update, request, options);
        return { ...decodeOutput(response.output!), ...decodeReplyTrailers(trailers) };
      }, meta),
    async delete(name, id, meta) {
      await call(
        (options) => unaryCall(plugin().client, method.delete, { resourceType: type, ref: refOf(name, id) }, options),
        meta,
      );
    },
    diff: (name, config, live) =>
      call(async (options) => {
        const request = {
          resourceType: type,
          desired: specOf(name, config),
          current: { name, type, providerId: live.providerId, outputsJson: json(withInputs(live)) },
        };
        const { response } = await unaryCall(plugin().client, method.diff, request, options);
        return decodeDiff(response.result);
      }),
    lookup: (name, token) =>
      call(async (options) => {
        const request = { resourceType: type, clientToken: token, name };
        const { response } = await unaryCall(plugin().client, ext.ClientTokens.method.lookup, request, options);
        return response.found ? decodeDriverObject(response.object!) : undefined;
      }),
    list: () =>
      call(async (options) => {
        const rpc = iac.IaCProviderEnumerator.method.enumerateAll;
        const { response } = await unaryCall(plugin().client, rpc, { resourceType: type }, options);
        return response.outputs.map(decodeOutput);
      }),
    import: (id) =>
      orNone(
        call(async ({ deadline }) => {
          const rpc = iac.IaCProviderRequired.method.import;
          const request = { resourceType: type, providerId: id };
          // Without our metadata, as an upstream host asks: the inputs come as the applied configuration.
          const { response } = await unaryCall(plugin().client, rpc, request, { deadline });
          const { state } = response;
          return {
            name: state?.name ?? "",
            type,
            providerId: state?.providerId ?? "",
            outputs: bytesToObject(state?.outputsJson ?? new Uint8Array(), "outputs") ?? {},
            inputs: bytesToObject(state?.appliedConfigJson ?? new Uint8Array(), "applied_config") ?? {},
            sensitive: [],
            status: "",
          };
        }),
      ),
    sizing: (size) =>
      call(async (options) => {
        const rpc = iac.IaCProviderRequired.method.resolveSizing;
        const { response } = await unaryCall(plugin().client, rpc, { resourceType: type, size }, options);
        const specs = bytesToObject(response.sizing?.specsJson ?? new Uint8Array(), "specs") ?? {};
        return { ...specs, instance_type: response.sizing?.instanceType ?? "" };
      }),
    scale: (name, id, replicas) =>
      call(async (options) => {
        const request = { resourceType: type, ref: refOf(name, id), replicas };
        const { response, trailers } = await unaryCall(plugin().client, method.scale, request, options);
        return { ...decodeOutput(response.output!), ...decodeReplyTrailers(trailers) };
      }),
    health: (name, id) =>
      call(async (options) => {
        const request = { resourceType: type, ref: refOf(name, id) };
        const { response } = await unaryCall(plugin().client, method.healthCheck, request, options);
        return { healthy: response.result?.healthy ?? false, message: response.result?.message ?? "" };
      }),
    async setOwner(name, id, owner) {
      const rpc = iac.IaCProviderOwnership.method.setOwner;
      await call((options) => unaryCall(plugin().client, rpc, { ref: refOf(name, id), owner }, options));
    },
    getOwner: (name, id) =>
      call(async (options) => {
        const rpc = iac.IaCProviderOwnership.method.getOwner;
        const { response } = await unaryCall(plugin().client, rpc, { ref: refOf(name, id) }, options);
        return response.owner;
      }),
  };
}

/** The rpc carries no inputs: they travel as hosts without our session send them. */
function withInputs({ outputs, inputs }: LiveObject): JsonObject {
  return inputs === undefined ? outputs : { ...outputs, applied_config: inputs };
}
