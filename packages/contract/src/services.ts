import {
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type DescService,
  type MessageShape,
} from "@bufbuild/protobuf";
import type * as grpc from "@grpc/grpc-js";

/** `/<package>.<Service>/<Method>`. */
export function methodPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** The message's bytes, shared with no one. */
export function serialize<D extends DescMessage>(schema: D, message: MessageShape<D>): Buffer {
  const bytes = toBinary(schema, message);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * A grpc-js service definition with one entry per rpc, keyed by the rpc's name; handlers may be given under that name
 * or with a small first letter.
 */
export function toGrpcService(service: DescService): grpc.ServiceDefinition {
  const definition: Record<string, grpc.MethodDefinition<unknown, unknown>> = {};
  for (const method of service.methods) {
    definition[method.name] = {
      path: methodPath(method),
      originalName: method.localName,
      requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
      responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
      requestSerialize: (message) => serialize(method.input, message as MessageShape<DescMessage>),
      requestDeserialize: (bytes) => fromBinary(method.input, bytes),
      responseSerialize: (message) => serialize(method.output, message as MessageShape<DescMessage>),
      responseDeserialize: (bytes) => fromBinary(method.output, bytes),
    };
  }
  return definition;
}

type MethodShape = { methodKind: DescMethod["methodKind"]; input: DescMessage; output: DescMessage };
type Handler<M> = M extends {
  methodKind: infer Kind;
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? Kind extends "unary"
    ? grpc.handleUnaryCall<MessageShape<I>, MessageShape<O>>
    : Kind extends "server_streaming"
      ? grpc.handleServerStreamingCall<MessageShape<I>, MessageShape<O>>
      : Kind extends "client_streaming"
        ? grpc.handleClientStreamingCall<MessageShape<I>, MessageShape<O>>
        : grpc.handleBidiStreamingCall<MessageShape<I>, MessageShape<O>>
  : never;

/** grpc-js handlers of a service, by rpc name with a small first letter. */
export type ServiceHandlers<S extends DescService> = {
  [K in keyof S["method"]]: S["method"][K] extends MethodShape ? Handler<S["method"][K]> : never;
};

/** Adds a service to a server. An rpc without a handler answers UNIMPLEMENTED. */
export function serveService<S extends DescService>(
  server: grpc.Server,
  service: S,
  handlers: Partial<ServiceHandlers<S>>,
): void {
  server.addService(toGrpcService(service), handlers as grpc.UntypedServiceImplementation);
}
