import { statusFromError, unsupportedTypeStatus, WireFormatError, type CallStatus } from "@wfctl/contract";
import * as grpc from "@grpc/grpc-js";
import { ProviderError } from "@wfctl/model";
import { ProviderFailure } from "../author/failure.ts";
import { CallRefusal } from "../calls/refusal.ts";

/** How a call ends that failed, whatever made it fail. */
export interface FailedCall extends CallStatus {
  readonly error: ProviderError | undefined;
}

export function statusOf(thrown: unknown): FailedCall {
  if (thrown instanceof CallRefusal) return { ...refusalStatus(thrown), error: undefined };
  const error = toProviderError(thrown);
  return { ...statusFromError(error), error };
}

function toProviderError(thrown: unknown): ProviderError {
  if (thrown instanceof ProviderError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ProviderFailure(thrown instanceof WireFormatError ? "validation" : "unknown", message, { cause: thrown });
}

function refusalStatus(refusal: CallRefusal): CallStatus {
  switch (refusal.reason) {
    case "type_missing":
      return unsupportedTypeStatus("");
    case "type_unknown":
      return unsupportedTypeStatus(refusal.subject);
    case "not_configured":
      return { code: grpc.status.FAILED_PRECONDITION, message: refusal.message, trailers: new grpc.Metadata() };
    case "not_implemented":
      return { code: grpc.status.UNIMPLEMENTED, message: refusal.message, trailers: new grpc.Metadata() };
  }
}
