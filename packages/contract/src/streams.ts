import { once } from "node:events";
import {
  type DescMessage,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { callOptions, encodeRequest, keepBytes, ReplyDecoder, type RpcOptions } from "./client.ts";
import { methodPath } from "./services.ts";

/**
 * One request, many replies; the request is sent at once. Reading throws a grpc-js `ServiceError` or a
 * `MalformedReplyError` when the stream fails, after the replies before it. Leaving the loop, or aborting the signal,
 * cancels the call. To be read once.
 */
export function serverStreamCall<I extends DescMessage, O extends DescMessage>(
  client: grpc.Client,
  method: DescMethodServerStreaming<I, O>,
  request: MessageInitShape<I>,
  options: RpcOptions = {},
): AsyncGenerator<MessageShape<O>, void, undefined> {
  const path = methodPath(method as DescMethod);
  const decoder = new ReplyDecoder(method.output, path);
  const call = client.makeServerStreamRequest(
    path,
    keepBytes,
    decoder.decode,
    encodeRequest(method.input, request, path),
    options.metadata ?? new grpc.Metadata(),
    callOptions(options),
  );
  return readReplies(call, decoder, cancelOnAbort(call, options.signal));
}

/** A stream in both directions. */
export interface BidiCall<I extends DescMessage, O extends DescMessage> {
  /**
   * Sends one message. Resolves when the stream takes more; a call that has ended drops the message.
   * Rejects with an `UnsendableRequestError`, and only with it; the stream goes on.
   */
  send(message: MessageInitShape<I>): Promise<void>;
  /** Closes the sending side; replies still come. */
  end(): void;
  cancel(): void;
  /** As `serverStreamCall`. To be read once. */
  readonly replies: AsyncGenerator<MessageShape<O>, void, undefined>;
}

/** Opens a stream in both directions. An aborted signal cancels it. */
export function openBidiCall<I extends DescMessage, O extends DescMessage>(
  client: grpc.Client,
  method: DescMethodBiDiStreaming<I, O>,
  options: RpcOptions = {},
): BidiCall<I, O> {
  const path = methodPath(method as DescMethod);
  const decoder = new ReplyDecoder(method.output, path);
  const call = client.makeBidiStreamRequest(
    path,
    keepBytes,
    decoder.decode,
    options.metadata ?? new grpc.Metadata(),
    callOptions(options),
  );
  // Ends the wait of `send` when the call ends before the stream drains.
  const ended = new AbortController();
  call.once("status", () => ended.abort());
  return {
    async send(message) {
      if (ended.signal.aborted || call.write(encodeRequest(method.input, message, path))) return;
      await once(call, "drain", { signal: ended.signal }).catch((error: unknown) => {
        if (!ended.signal.aborted) throw error;
      });
    },
    end: () => call.end(),
    cancel: () => call.cancel(),
    replies: readReplies(call, decoder, cancelOnAbort(call, options.signal)),
  };
}

type ReadableCall<O extends DescMessage> =
  | grpc.ClientReadableStream<MessageShape<O>>
  | grpc.ClientDuplexStream<Buffer, MessageShape<O>>;

/** Returns what stops the watching. */
function cancelOnAbort(call: ReadableCall<DescMessage>, signal: AbortSignal | undefined): () => void {
  // A failure is told where the replies are read; without a listener an unread one would end the process.
  call.on("error", () => {});
  const abort = (): void => call.cancel();
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  const stop = (): void => signal?.removeEventListener("abort", abort);
  call.once("status", stop);
  return stop;
}

async function* readReplies<O extends DescMessage>(
  call: ReadableCall<O>,
  decoder: ReplyDecoder<O>,
  stopWatching: () => void,
): AsyncGenerator<MessageShape<O>, void, undefined> {
  try {
    for await (const reply of call) yield reply as MessageShape<O>;
  } catch (error) {
    throw decoder.malformed ?? error;
  } finally {
    stopWatching();
    call.cancel();
  }
}
