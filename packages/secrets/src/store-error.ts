import { WfctlError } from "@wfctl/model";

/** A store that cannot do what was asked. `why` must not hold a secret. */
export function storeError(label: string, action: string, why: string, hint: string, cause?: unknown): WfctlError {
  return new WfctlError("STORE_UNAVAILABLE", `Cannot ${action} in the secret store ${label}: ${why}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
