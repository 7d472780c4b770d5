export * as ext from "./gen/wfctl/ext/v1/ext_pb.ts";
export * as health from "./gen/grpc/health/v1/health_pb.ts";
export * as iac from "./gen/workflow/plugin/external/iac/iac_pb.ts";
export * as lifecycle from "./gen/workflow/plugin/external/iac/iac_lifecycle_pb.ts";
export * as plugin from "./gen/workflow/plugin/v1/plugin_pb.ts";
export * as goPluginBroker from "./gen/plugin/grpc_broker_pb.ts";
export * as goPluginController from "./gen/plugin/grpc_controller_pb.ts";
export * as goPluginStdio from "./gen/plugin/grpc_stdio_pb.ts";

export {
  applyResultToJson,
  decodeApplyResult,
  encodeApplyResult,
  type DecodeApplyResultOptions,
} from "./apply-result.ts";
export { MalformedReplyError, unaryCall, UnsendableRequestError, wasAnswered, type RpcOptions } from "./client.ts";
export * from "./codec/diff.ts";
export * from "./codec/drift.ts";
export * from "./codec/driver-object.ts";
export { type EnumCodec, type WordOf } from "./codec/enum-codec.ts";
export * from "./codec/enums.ts";
export { goJson } from "./codec/go-json.ts";
export * from "./codec/hashes.ts";
export * from "./codec/json.ts";
export * from "./codec/resource.ts";
export * from "./codec/secret-name.ts";
export * from "./codec/state.ts";
export * from "./codec/timestamp.ts";
export * from "./codec/trailers.ts";
export { providerErrorFromStatus, toProviderError } from "./errors/from-status.ts";
export { sniffClass } from "./errors/sentinels.ts";
export { statusFromError, unsupportedTypeStatus, type CallStatus } from "./errors/to-status.ts";
export * from "./handshake.ts";
export * from "./metadata.ts";
export * from "./names.ts";
export { methodPath, serveService, toGrpcService, type ServiceHandlers } from "./services.ts";
export { openBidiCall, serverStreamCall, type BidiCall } from "./streams.ts";
