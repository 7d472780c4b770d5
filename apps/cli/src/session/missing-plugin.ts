import type { StackConfig } from "@wfctl/config";
import type { Diagnostic, WfctlError } from "@wfctl/model";

/** A plugin that cannot be had, at the module that needs it. */
export function missingPlugin(
  module: Pick<StackConfig["providers"][number], "name" | "source">,
  error: WfctlError,
): Diagnostic {
  return {
    severity: "error",
    code: error.code,
    summary: error.message,
    address: module.name,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(module.source === undefined ? {} : { source: module.source }),
  };
}
