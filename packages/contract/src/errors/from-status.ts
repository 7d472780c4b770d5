import { status } from "@grpc/grpc-js";
import type * as grpc from "@grpc/grpc-js";
import { definiteClasses, ProviderError, type ProviderErrorClass } from "@wfctl/model";
import { MalformedReplyError, UnsendableRequestError, wasAnswered } from "../client.ts";
import { WireFormatError } from "../codec/json.ts";
import { decodeFailureTrailers, type FailureDetails } from "../codec/trailers.ts";
import { classFromSentinel } from "./sentinels.ts";

/**
 * The error that a status stands for. A sentinel in the message decides, then the code; words alone never do, so an
 * UNKNOWN status without a sentinel is of class `unknown`: see `sniffClass`.
 * A definite class needs an answer of the server or a sentinel: without either the class is `unknown`.
 */
export function providerErrorFromStatus(
  code: number,
  message: string,
  options: FailureDetails & {
    /** The status is known to come from the plugin, not from the client's own transport. */
    readonly answered: boolean;
    readonly cause?: unknown;
  },
): ProviderError {
  return new ProviderError(
    classify(code, message, options.answered),
    message === "" ? statusName(code) : message,
    options,
  );
}

/** The same for anything that a call of this package throws. What is no gRPC error at all is of class `unknown`, not answered. */
export function toProviderError(thrown: unknown): ProviderError {
  if (thrown instanceof ProviderError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof MalformedReplyError || thrown instanceof WireFormatError) {
    return new ProviderError("bad_reply", message, { answered: false, cause: thrown });
  }
  if (thrown instanceof UnsendableRequestError) {
    return new ProviderError("validation", message, { answered: false, cause: thrown });
  }
  if (!isServiceError(thrown)) return new ProviderError("unknown", message, { answered: false, cause: thrown });
  const answered = wasAnswered(thrown);
  return providerErrorFromStatus(thrown.code, thrown.details, {
    ...readDetails(thrown.metadata),
    answered,
    cause: thrown,
  });
}

function classify(code: number, message: string, answered: boolean): ProviderErrorClass {
  const named = classFromSentinel(message);
  if (named !== undefined) return named;
  if (code === status.RESOURCE_EXHAUSTED && isAboutSize(message)) return classifySize(message, answered);
  const byCode = classFromCode(code, message);
  return answered || !(definiteClasses as readonly string[]).includes(byCode) ? byCode : "unknown";
}

function classFromCode(code: number, message: string): ProviderErrorClass {
  switch (code) {
    case status.NOT_FOUND:
      return isAboutDriver(message) ? "unsupported" : "not_found";
    case status.ALREADY_EXISTS:
      return "already_exists";
    case status.RESOURCE_EXHAUSTED:
      return "rate_limited";
    case status.UNAVAILABLE:
      return "transient";
    case status.DEADLINE_EXCEEDED:
      return "deadline";
    case status.CANCELLED:
      return "cancelled";
    case status.UNAUTHENTICATED:
      return "unauthorized";
    case status.PERMISSION_DENIED:
      return "forbidden";
    case status.INVALID_ARGUMENT:
    case status.FAILED_PRECONDITION:
      return "validation";
    case status.UNIMPLEMENTED:
      return "unsupported";
    default:
      return "unknown";
  }
}

/** Plugins answer NOT_FOUND both for an object that is gone and for a resource type that they do not know. */
function isAboutDriver(message: string): boolean {
  return /unsupported resource[ _]?type|unknown resource[ _]?type|no (?:resource )?driver\b|driver not found/i.test(
    message,
  );
}

function isAboutSize(message: string): boolean {
  return /message larger than max|message with a size larger than/i.test(message);
}

/** A request that was too large was read by no driver; a reply that was too large is a lost answer. */
function classifySize(message: string, answered: boolean): ProviderErrorClass {
  return answered || /\bsend\b/i.test(message) ? "validation" : "bad_reply";
}

/** Details that do not decode are dropped: the status is the answer. */
function readDetails(trailers: grpc.Metadata): FailureDetails {
  try {
    return decodeFailureTrailers(trailers);
  } catch {
    return {};
  }
}

function isServiceError(thrown: unknown): thrown is grpc.ServiceError {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "number" && "metadata" in thrown;
}

function statusName(code: number): string {
  return `The call ended with status ${status[code] ?? code}`;
}
