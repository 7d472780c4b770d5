import type * as grpc from "@grpc/grpc-js";
import { encodeReplyTrailers, type LiveObject } from "@wfctl/contract";
import type { Caller } from "../calls/call.ts";
import { callerOf } from "./caller.ts";
import type { Runtime } from "./runtime.ts";
import { statusOf } from "./status.ts";

export interface Reply<Message> {
  readonly message: Message;
  readonly trailers?: grpc.Metadata;
}

/** A unary handler around one operation: caller in, status and trailers out. */
export function answerUnary<Request, Response>(
  runtime: Runtime,
  run: (request: Request, caller: Caller) => Promise<Reply<Response>>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const answer = async (): Promise<Reply<Response>> => run(call.request, callerFor(runtime, call));
    answer().then(
      ({ message, trailers }) => callback(null, message, trailers),
      (error: unknown) => callback(toStatusObject(error)),
    );
  };
}

/** A server stream around one generator. */
export function answerStream<Request, Response>(
  runtime: Runtime,
  run: (request: Request, caller: Caller) => AsyncIterable<Response>,
): grpc.handleServerStreamingCall<Request, Response> {
  return (call) => {
    const pump = async (): Promise<void> => {
      const caller = callerFor(runtime, call);
      for await (const message of run(call.request, caller)) {
        if (caller.signal.aborted) return;
        if (!call.write(message)) {
          await new Promise((resolve) => call.once("drain", resolve).once("cancelled", resolve));
        }
      }
      call.end();
    };
    pump().catch((error: unknown) => call.emit("error", toStatusObject(error)));
  };
}

/** What an extended host learns of an object beside its outputs. Others get nothing that they would not read. */
export function objectReply<Message>(message: Message, object: LiveObject, caller: Caller): Reply<Message> {
  return caller.extended ? { message, trailers: encodeReplyTrailers(object) } : { message };
}

function callerFor(
  runtime: Runtime,
  call: grpc.ServerUnaryCall<unknown, unknown> | grpc.ServerWritableStream<unknown, unknown>,
): Caller {
  return callerOf(call, (clientToken, message, waiting, limited) =>
    runtime.progress.emit({ clientToken, message, waiting, limited }),
  );
}

function toStatusObject(error: unknown): Partial<grpc.StatusObject> {
  const { code, message, trailers } = statusOf(error);
  return { code, details: message, metadata: trailers };
}
