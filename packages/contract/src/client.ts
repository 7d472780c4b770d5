import {
  create,
  fromBinary,
  type DescMessage,
  type DescMethod,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { methodPath, serialize } from "./services.ts";

export interface RpcOptions {
  readonly metadata?: grpc.Metadata;
  /** Point in time: a Date, or milliseconds since 1970. None by default. */
  readonly deadline?: grpc.Deadline;
  /** Cancels the call. A call whose signal is aborted already is not sent. */
  readonly signal?: AbortSignal;
}

/** The server ended the call with success, but what it sent is no reply: bytes that do not decode, or none. */
export class MalformedReplyError extends Error {
  /** As in the call's path, such as `/workflow.plugin.external.iac.ResourceDriver/Create`. */
  readonly path: string;

  constructor(path: string, reason: string, cause?: unknown) {
    super(`Reply of ${path} cannot be read: ${reason}`, cause === undefined ? undefined : { cause });
    this.name = "MalformedReplyError";
    this.path = path;
  }
}

/** The request does not fit the contract, such as a number beyond 32 bits; nothing was sent. */
export class UnsendableRequestError extends Error {
  constructor(path: string, cause: unknown) {
    super(`Request of ${path} cannot be encoded`, { cause });
    this.name = "UnsendableRequestError";
  }
}

/**
 * One call, one reply, and the trailers beside it.
 * Rejects with a grpc-js `ServiceError` (CANCELLED when the signal aborts), a `MalformedReplyError` or an
 * `UnsendableRequestError`.
 * A server that sends two messages is waited for until the deadline: give one.
 */
export async function unaryCall<I extends DescMessage, O extends DescMessage>(
  client: grpc.Client,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  options: RpcOptions = {},
): Promise<{ response: MessageShape<O>; trailers: grpc.Metadata }> {
  const path = methodPath(method as DescMethod);
  const { signal } = options;
  const bytes = encodeRequest(method.input, request, path);
  if (signal?.aborted) throw cancelledBeforeSending(path);
  return new Promise((resolve, reject) => {
    const decoder = new ReplyDecoder(method.output, path);
    let response: MessageShape<O> | undefined;
    let failure: grpc.ServiceError | undefined;
    const call = client.makeUnaryRequest(
      path,
      keepBytes,
      decoder.decode,
      bytes,
      options.metadata ?? new grpc.Metadata(),
      callOptions(options),
      (error, value) => {
        if (error === null) response = value;
        else failure = error;
      },
    );
    const abort = (): void => call.cancel();
    signal?.addEventListener("abort", abort, { once: true });
    // grpc-js ends every call with exactly one status, after the callback.
    call.on("status", (status: grpc.StatusObject) => {
      signal?.removeEventListener("abort", abort);
      if (decoder.malformed !== undefined) reject(decoder.malformed);
      else if (response !== undefined) resolve({ response, trailers: status.metadata });
      else if (status.code === grpc.status.OK) reject(new MalformedReplyError(path, "no message came with it"));
      else reject(failure);
    });
  });
}

/** Encodes before grpc-js does, which would report a failure as an INTERNAL status. Throws an `UnsendableRequestError`. */
export function encodeRequest<I extends DescMessage>(schema: I, request: MessageInitShape<I>, path: string): Buffer {
  try {
    return serialize(schema, create(schema, request));
  } catch (error) {
    throw new UnsendableRequestError(path, error);
  }
}

export function keepBytes(bytes: Buffer): Buffer {
  return bytes;
}

export function callOptions(options: RpcOptions): grpc.CallOptions {
  return options.deadline === undefined ? {} : { deadline: options.deadline };
}

/** Decodes the messages of one call and keeps what went wrong: grpc-js itself reports it as INTERNAL, like a server's own error. */
export class ReplyDecoder<O extends DescMessage> {
  malformed: MalformedReplyError | undefined;
  readonly #schema: O;
  readonly #path: string;

  constructor(schema: O, path: string) {
    this.#schema = schema;
    this.#path = path;
  }

  readonly decode = (bytes: Buffer): MessageShape<O> => {
    try {
      return fromBinary(this.#schema, bytes);
    } catch (error) {
      this.malformed = new MalformedReplyError(
        this.#path,
        error instanceof Error ? error.message : String(error),
        error,
      );
      throw this.malformed;
    }
  };
}

/** Codes that grpc-js never makes up for a call that it could not carry. */
const serverOnlyCodes: ReadonlySet<number> = new Set([
  grpc.status.INVALID_ARGUMENT,
  grpc.status.NOT_FOUND,
  grpc.status.ALREADY_EXISTS,
  grpc.status.FAILED_PRECONDITION,
  grpc.status.ABORTED,
  grpc.status.OUT_OF_RANGE,
]);

/**
 * True where the status of a failed call is known to come from the server; false where the client made it, and in doubt.
 * A server's status carries at least its content type, unless the server sent headers or messages before it.
 */
export function wasAnswered(error: grpc.ServiceError): boolean {
  const [contentType] = error.metadata.get("content-type");
  if (typeof contentType === "string") return contentType.startsWith("application/grpc");
  return serverOnlyCodes.has(error.code) || Object.keys(error.metadata.getMap()).length > 0;
}

function cancelledBeforeSending(path: string): grpc.ServiceError {
  const details = `Call of ${path} was cancelled before it was sent`;
  return Object.assign(new Error(`${grpc.status.CANCELLED} CANCELLED: ${details}`), {
    code: grpc.status.CANCELLED,
    details,
    metadata: new grpc.Metadata(),
  });
}
