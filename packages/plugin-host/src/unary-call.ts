import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type * as grpc from "@grpc/grpc-js";
import { encodeCallContext, toProviderError, unaryCall } from "@wfctl/contract";
import type { CallOptions } from "@wfctl/engine";

import { callContext, cancelledCall, isLate, lateCall } from "./drivers.ts";

export interface UnaryReply<O extends DescMessage> {
  readonly response: MessageShape<O>;
  readonly trailers: grpc.Metadata;
}

/** One call with the bounds and the context that the engine gives. Rejects with a `ProviderError`. */
export async function callUnary<I extends DescMessage, O extends DescMessage>(
  client: grpc.Client,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  options: CallOptions,
): Promise<UnaryReply<O>> {
  const { signal, timeoutMs } = options;
  if (signal?.aborted) throw cancelledCall(method.name);
  const deadline = Date.now() + timeoutMs;
  try {
    const metadata = encodeCallContext({
      ...callContext(options),
      ...(options.priority === undefined ? {} : { priority: String(options.priority) }),
    });
    return await unaryCall(client, method, request, {
      metadata,
      deadline,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (thrown) {
    const error = toProviderError(thrown);
    const late = isLate(error, deadline);
    // An answer tells more than the bound that it ran into. That the bound was reached is no answer: servers say so while
    // their handler still works.
    if (error.answered && !(late && error.class === "deadline")) throw error;
    if (signal?.aborted) throw cancelledCall(method.name);
    throw late ? lateCall(method.name, timeoutMs) : error;
  }
}
