import { fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import * as ext from "../gen/wfctl/ext/v1/ext_pb.ts";
import { requestKeys, trailerKeys } from "../metadata.ts";
import {
  decodeLiveState,
  decodePartial,
  encodeLiveState,
  encodePartial,
  type LiveObject,
  type PartialObject,
} from "./driver-object.ts";
import { WireFormatError } from "./json.ts";

/** Bytes of one binary trailer. Peers limit all headers together, many to 64 KiB, and a reply beyond it is lost whole. */
const maxTrailerBytes = 16 * 1024;

/** What accompanies a ResourceDriver call beside its request. */
export interface CallContext {
  readonly clientToken?: string;
  readonly owner?: string;
  readonly run?: string;
  readonly instance?: string;
  readonly traceparent?: string;
}

export function encodeCallContext(context: CallContext): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const name of Object.keys(requestKeys) as (keyof CallContext)[]) {
    const value = context[name];
    if (value !== undefined && value !== "") metadata.set(requestKeys[name], encodeText(value));
  }
  return metadata;
}

export function decodeCallContext(metadata: grpc.Metadata): CallContext {
  const context: { -readonly [K in keyof CallContext]: CallContext[K] } = {};
  for (const name of Object.keys(requestKeys) as (keyof CallContext)[]) {
    const [value] = metadata.get(requestKeys[name]);
    if (typeof value === "string") context[name] = decodeText(value, requestKeys[name]);
  }
  return context;
}

/** Trailers of a ResourceDriver call that succeeded. Inputs that are too large for a trailer are left out. */
export function encodeReplyTrailers(
  object: Pick<LiveObject, "created" | "inputs" | "owner" | "revisitAt">,
): grpc.Metadata {
  const trailers = new grpc.Metadata();
  if (object.created !== undefined) trailers.set(trailerKeys.created, String(object.created));
  const live = encodeLiveState(object);
  if (live === undefined) return trailers;
  let bytes = toBinary(ext.LiveStateSchema, live);
  if (bytes.byteLength > maxTrailerBytes)
    bytes = toBinary(ext.LiveStateSchema, { ...live, inputsJson: new Uint8Array(0) });
  trailers.set(trailerKeys.live, Buffer.from(bytes));
  return trailers;
}

/** What the trailers add to the object of the reply; nothing where the plugin sends none. */
export function decodeReplyTrailers(
  trailers: grpc.Metadata,
): Pick<LiveObject, "created" | "inputs" | "owner" | "revisitAt"> {
  const [created] = trailers.get(trailerKeys.created);
  const live = binaryTrailer(trailers, trailerKeys.live);
  return {
    ...(created === "true" || created === "false" ? { created: created === "true" } : {}),
    ...(live === undefined
      ? {}
      : decodeLiveState(readTrailer(trailerKeys.live, () => fromBinary(ext.LiveStateSchema, live)))),
  };
}

/** What a failed call says beside its status. */
export interface FailureDetails {
  readonly partial?: PartialObject;
  readonly retryAfterMs?: number;
}

/** Trailers of a ResourceDriver call that failed. Outputs of a partial result that are too large are left out, its id never. */
export function encodeFailureTrailers(details: FailureDetails): grpc.Metadata {
  const trailers = new grpc.Metadata();
  if (details.retryAfterMs !== undefined) trailers.set(trailerKeys.retryAfter, String(Math.ceil(details.retryAfterMs)));
  if (details.partial === undefined) return trailers;
  const partial = encodePartial(details.partial);
  let bytes = toBinary(ext.PartialResultSchema, partial);
  if (bytes.byteLength > maxTrailerBytes) {
    bytes = toBinary(ext.PartialResultSchema, { ...partial, outputsJson: new Uint8Array(0) });
  }
  trailers.set(trailerKeys.partial, Buffer.from(bytes));
  return trailers;
}

export function decodeFailureTrailers(trailers: grpc.Metadata): FailureDetails {
  const [retryAfter] = trailers.get(trailerKeys.retryAfter);
  const bytes = binaryTrailer(trailers, trailerKeys.partial);
  const partial =
    bytes === undefined
      ? undefined
      : decodePartial(readTrailer(trailerKeys.partial, () => fromBinary(ext.PartialResultSchema, bytes)));
  return {
    ...(typeof retryAfter === "string" && /^\d{1,9}$/.test(retryAfter) ? { retryAfterMs: Number(retryAfter) } : {}),
    ...(partial === undefined ? {} : { partial }),
  };
}

function binaryTrailer(trailers: grpc.Metadata, key: string): Buffer | undefined {
  const [value] = trailers.get(key);
  return typeof value === "string" ? undefined : value;
}

function readTrailer<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new WireFormatError(key, "does not decode");
  }
}

/** HTTP/2 carries visible ASCII only. */
function encodeText(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x7e]|%/gu, encodeURIComponent);
}

function decodeText(text: string, key: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new WireFormatError(key, "is not percent-encoded text");
  }
}
