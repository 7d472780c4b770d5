import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { encodeCallContext, toProviderError, unaryCall, type CallContext } from "@wfctl/contract";
import type { ProviderError } from "@wfctl/model";
import { Problem } from "../scenario.ts";
import type { RawPlugin } from "./raw-plugin.ts";

/** How one call ended. */
export type Ended<T> =
  | { readonly ok: true; readonly response: T; readonly trailers: grpc.Metadata }
  | {
      readonly ok: false;
      readonly code: number;
      readonly message: string;
      readonly trailers: grpc.Metadata;
      readonly error: ProviderError;
    };

export interface CallOptions {
  /** @default 60000 */
  readonly timeoutMs?: number;
  /** Our metadata; without it the call is what a host of upstream sends. */
  readonly context?: CallContext;
}

/** Makes one call. Rejects only with a `Problem`, where the answer cannot be read at all. */
export async function call<I extends DescMessage, O extends DescMessage>(
  plugin: RawPlugin,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  { timeoutMs = 60_000, context = {} }: CallOptions = {},
): Promise<Ended<MessageShape<O>>> {
  try {
    const options = { deadline: Date.now() + timeoutMs, metadata: encodeCallContext(context) };
    return { ok: true, ...(await unaryCall(plugin.client, method, request, options)) };
  } catch (thrown) {
    const { code, details, metadata } = thrown as Partial<grpc.ServiceError>;
    if (typeof code !== "number")
      throw new Problem(`${method.name} answered with what cannot be read: ${String(thrown)}`);
    return {
      ok: false,
      code,
      message: details ?? "",
      trailers: metadata ?? new grpc.Metadata(),
      error: toProviderError(thrown),
    };
  }
}

/** The response of a call that has to succeed. */
export function responseOf<T>(name: string, ended: Ended<T>): T {
  if (ended.ok) return ended.response;
  throw new Problem(`${name} failed with ${describeStatus(ended)}; it should succeed`);
}

export function describeStatus({ code, message }: { code: number; message: string }): string {
  return `${grpc.status[code] ?? code} ${JSON.stringify(message.slice(0, 300))}`;
}
