import { decodeCallContext, requestKeys } from "@wfctl/contract";
import type * as grpc from "@grpc/grpc-js";
import type { Caller } from "../calls/call.ts";

type Call = grpc.ServerUnaryCall<unknown, unknown> | grpc.ServerWritableStream<unknown, unknown>;

/** Who makes an rpc of its own, from its metadata and its deadline. */
export function callerOf(
  call: Call,
  onProgress: (clientToken: string, message: string, waiting: boolean, limited: boolean) => void,
): Caller {
  const context = decodeCallContext(call.metadata);
  const controller = new AbortController();
  call.on("cancelled", () => controller.abort());
  const clientToken = context.clientToken ?? "";
  return {
    instance: context.instance ?? "",
    run: context.run ?? "",
    clientToken,
    owner: context.owner ?? "",
    priority: Number(call.metadata.get("wfctl-priority")[0] ?? 0) || 0,
    deadline: toMs(call.getDeadline()),
    signal: controller.signal,
    extended: Object.values(requestKeys).some((key) => key.startsWith("wfctl-") && call.metadata.get(key).length > 0),
    onProgress: (message, waiting, limited = false) => onProgress(clientToken, message, waiting, limited),
  };
}

function toMs(deadline: grpc.Deadline): number | undefined {
  const ms = typeof deadline === "number" ? deadline : deadline.getTime();
  return Number.isFinite(ms) ? ms : undefined;
}
