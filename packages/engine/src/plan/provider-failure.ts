import { ProviderError, WfctlError, type DesiredResource, type ErrorCode, type ProviderErrorClass } from "@wfctl/model";

/** The outcome code of a provider error, class by class. */
export const providerErrorCodes: Readonly<Record<ProviderErrorClass, ErrorCode>> = {
  validation: "VALIDATION",
  unauthorized: "UNAUTHORIZED",
  forbidden: "FORBIDDEN",
  image_missing: "IMAGE_MISSING",
  already_exists: "ALREADY_EXISTS",
  not_found: "NOT_FOUND",
  unsupported: "UNSUPPORTED",
  rate_limited: "RATE_LIMITED",
  transient: "TRANSIENT",
  unknown: "PROVIDER_ERROR",
  deadline: "TRANSIENT",
  cancelled: "INTERRUPTED",
  plugin_exit: "PLUGIN_EXITED",
  bad_reply: "BAD_RESULT",
};

/** What a failed call means for a command that was only asking. */
export function describeProviderFailure(
  action: string,
  resource: Pick<DesiredResource, "name" | "type">,
  thrown: unknown,
): WfctlError {
  if (thrown instanceof WfctlError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const code = thrown instanceof ProviderError ? providerErrorCodes[thrown.class] : "INTERNAL";
  return new WfctlError(code, `Cannot ${action} "${resource.name}" (${resource.type}): ${text}`, {
    address: resource.name,
    cause: thrown,
  });
}
