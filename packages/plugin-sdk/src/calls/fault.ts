import { ProviderError, type JsonObject } from "@wfctl/model";
import { ProviderFailure } from "../author/failure.ts";

/** What a call may have made before it failed. */
export interface Partial {
  readonly providerId: string;
  readonly outputs: JsonObject;
}

/** The one conversion of what a handler throws. */
export function toFailure(thrown: unknown, signal: AbortSignal, partial: Partial | undefined): ProviderError {
  const failure = classify(thrown, signal);
  const made = failure.partial ?? partial;
  if (made === failure.partial) return failure;
  return new ProviderError(failure.class, failure.message, {
    cause: failure,
    ...(failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
    ...(made === undefined ? {} : { partial: { providerId: made.providerId, outputs: made.outputs } }),
  });
}

function classify(thrown: unknown, signal: AbortSignal): ProviderError {
  if (thrown instanceof ProviderError) return thrown;
  // Whatever a handler makes of the abort, the abort is why it ended.
  if (signal.aborted && signal.reason instanceof ProviderError) return signal.reason;
  if (signal.aborted) return new ProviderFailure("cancelled", "The call was cancelled", { cause: thrown });
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ProviderFailure("unknown", message, { cause: thrown });
}
