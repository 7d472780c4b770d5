import { Metadata, status } from "@grpc/grpc-js";
import type { ProviderError, ProviderErrorClass } from "@wfctl/model";
import { encodeFailureTrailers } from "../codec/trailers.ts";
import { sentinels, withoutSentinels } from "./sentinels.ts";

/** How a plugin ends a failed call. `trailers` holds what `error.partial` and `error.retryAfterMs` say. */
export interface CallStatus {
  readonly code: number;
  readonly message: string;
  readonly trailers: Metadata;
}

/** Characters. Percent-encoded it must stay below what peers accept as headers. */
const maxMessageLength = 2000;

const codes: Readonly<Record<ProviderErrorClass, number>> = {
  validation: status.INVALID_ARGUMENT,
  unauthorized: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  image_missing: status.FAILED_PRECONDITION,
  already_exists: status.ALREADY_EXISTS,
  not_found: status.NOT_FOUND,
  unsupported: status.UNIMPLEMENTED,
  rate_limited: status.RESOURCE_EXHAUSTED,
  transient: status.UNAVAILABLE,
  deadline: status.DEADLINE_EXCEEDED,
  cancelled: status.CANCELLED,
  unknown: status.UNKNOWN,
  plugin_exit: status.INTERNAL,
  bad_reply: status.INTERNAL,
};

/**
 * The status that tells every host, upstream's too, the class of the error: by its code and by the sentinel that the
 * message starts with. No other sentinel is left in the message; a very long one is cut.
 */
export function statusFromError(error: ProviderError): CallStatus {
  const { class: errorClass, partial, retryAfterMs } = error;
  const details = {
    ...(partial === undefined ? {} : { partial }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  return {
    code: codes[errorClass],
    message: statusMessage(errorClass, error.message),
    trailers: encodeFailureTrailers(details),
  };
}

/** For a call that names a resource type without a driver. */
export function unsupportedTypeStatus(resourceType: string): CallStatus {
  const message =
    resourceType === "" ? "resource_type is required" : `unsupported resource type ${JSON.stringify(resourceType)}`;
  return {
    code: resourceType === "" ? status.INVALID_ARGUMENT : status.NOT_FOUND,
    message: cut(withoutSentinels(message)),
    trailers: new Metadata(),
  };
}

function statusMessage(errorClass: ProviderErrorClass, message: string): string {
  // By code alone: hosts treat the sentinel as their own word for it.
  const sentinel = errorClass === "unsupported" ? undefined : sentinels.find(([named]) => named === errorClass)?.[1];
  if (sentinel === undefined) return cut(withoutSentinels(message));
  const prefix = `${sentinel}: `;
  const rest = withoutSentinels(message.startsWith(prefix) ? message.slice(prefix.length) : message);
  // Upstream's host polls on after these words only.
  const words = errorClass === "transient" && !/503|service unavailable/i.test(rest) ? "service unavailable: " : "";
  return cut(`${prefix}${words}${rest}`);
}

function cut(message: string): string {
  const text = message.toWellFormed();
  return text.length <= maxMessageLength ? text : `${text.slice(0, maxMessageLength - 1).toWellFormed()}…`;
}
