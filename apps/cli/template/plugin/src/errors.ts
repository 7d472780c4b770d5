import { ProviderFailure, type FailureClass } from "@wfctl/plugin-sdk";
import { ApiError } from "./api.ts";

/** Statuses after which nothing has changed, for certain. */
const classes: Readonly<Record<number, FailureClass>> = {
  400: "validation",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  409: "already_exists",
  429: "rate_limited",
  503: "transient",
};

/** What a failed call to the cloud means to the host. Anything that is not known stays `unknown`: the host looks for itself. */
export function refused(error: unknown): never {
  if (!(error instanceof ApiError)) throw error;
  throw new ProviderFailure(classes[error.status] ?? "unknown", error.message, { cause: error });
}
