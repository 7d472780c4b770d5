export * as ext from "./gen/wfctl/ext/v1/ext_pb.ts";
export * as health from "./gen/grpc/health/v1/health_pb.ts";
export * as iac from "./gen/workflow/plugin/external/iac/iac_pb.ts";
export * as lifecycle from "./gen/workflow/plugin/external/iac/iac_lifecycle_pb.ts";
export * as plugin from "./gen/workflow/plugin/v1/plugin_pb.ts";
export * as goPluginBroker from "./gen/plugin/grpc_broker_pb.ts";
export * as goPluginController from "./gen/plugin/grpc_controller_pb.ts";
export * as goPluginStdio from "./gen/plugin/grpc_stdio_pb.ts";

export { MalformedReplyError, unaryCall, wasAnswered, type RpcOptions } from "./client.ts";
export * from "./handshake.ts";
export * from "./metadata.ts";
export * from "./names.ts";
export { methodPath, serveService, toGrpcService, type ServiceHandlers } from "./services.ts";
export { openBidiCall, serverStreamCall, type BidiCall } from "./streams.ts";
