import { loadStack, type StackConfig } from "@wfctl/config";
import { WfctlError, type Diagnostic, type ErrorCode } from "@wfctl/model";
import type { StackArguments } from "../arguments/shared-flags.ts";
import type { Context } from "../context.ts";
import type { View } from "../views/view.ts";
import { withDeclaredSecrets } from "./read-secrets.ts";

/**
 * Reads the stack file. Throws one error that carries everything that is wrong, each with its place.
 * `needsVariables` false passes over variables that have no value: the command reads no resource's config.
 */
export async function loadConfig(
  args: StackArguments,
  context: Context,
  view: Pick<View, "warnings">,
  options: { readonly needsVariables: boolean },
): Promise<StackConfig> {
  const { stack, diagnostics } = await loadStack({
    cwd: context.cwd,
    ...(args.config === undefined ? {} : { path: args.config }),
    ...(args.environment === undefined ? {} : { environment: args.environment }),
    ...(options.needsVariables ? { env: context.env } : {}),
    checkPrograms: options.needsVariables,
    variables: {
      env: context.env,
      files: args.varFiles ?? [],
      assignments: args.vars ?? [],
      required: options.needsVariables,
    },
  });
  if (stack === undefined) throw toError(diagnostics);
  view.warnings(diagnostics);
  return options.needsVariables ? withDeclaredSecrets(stack, context) : stack;
}

function toError(diagnostics: readonly Diagnostic[]): WfctlError {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  const [first] = errors;
  const codes = new Set(errors.map(codeOfWhole));
  const [only] = codes.size === 1 ? codes : [];
  if (
    first !== undefined &&
    errors.length === 1 &&
    first.code !== "CONFIG_INVALID" &&
    first.source?.line === undefined
  ) {
    return new WfctlError(codeOfWhole(first), first.summary, first.hint === undefined ? {} : { hint: first.hint });
  }
  const found = errors.length === 1 ? "1 error" : `${errors.length} errors`;
  return new WfctlError(only ?? "CONFIG_INVALID", `Cannot read the stack: its configuration has ${found}`, {
    diagnostics,
  });
}

/** Of the stack, to which a finding belongs. What a stack file names and is not there leaves the stack file where it is. */
function codeOfWhole({ code, path }: Diagnostic): ErrorCode {
  return code === "CONFIG_NOT_FOUND" && path !== undefined ? "CONFIG_INVALID" : code;
}
