import { boundExpressions, type StackConfig } from "@wfctl/config";
import { evaluate } from "@wfctl/engine";
import { getAtPointer, WfctlError, type JsonObject, type SourceLocation, type Value } from "@wfctl/model";

export interface ResolvedVariables {
  readonly config: JsonObject;
  /** Texts that came from the environment. */
  readonly secrets: readonly string[];
}

/** The configuration of a provider or state module with its environment variables filled in. Throws where one is not set. */
export function resolveVariables(
  module: {
    readonly name: string;
    readonly config: { readonly [key: string]: Value };
    readonly source?: SourceLocation;
  },
  env: Readonly<Record<string, string | undefined>>,
  secrets?: StackConfig["secrets"],
): ResolvedVariables {
  const evaluated = evaluate(module.config, { env, bounded: boundExpressions(), output: () => undefined });
  const [missing] = evaluated.unresolved;
  if (missing !== undefined) {
    const { why, hint } = secrets?.missing?.get(missing.part) ?? explain(missing.part);
    const message = `Cannot configure "${module.name}": ${why} (config${missing.pointer})`;
    throw new WfctlError("REFERENCE_UNRESOLVED", message, { address: module.name, hint });
  }
  const config = evaluated.value as JsonObject;
  const texts = evaluated.sensitive.map((pointer) => getAtPointer(config, pointer));
  return { config, secrets: texts.filter((value) => typeof value === "string") };
}

function explain(part: string): { readonly why: string; readonly hint: string } {
  if (part.startsWith("${{")) return { why: part, hint: "Correct the expression" };
  if (!part.startsWith("var.")) {
    return { why: `the environment variable ${part} is not set`, hint: `Set ${part} and run again` };
  }
  const name = part.slice(4);
  return { why: `the variable ${name} has no value`, hint: `Write --var ${name}=…, or set WFCTL_VAR_${name}` };
}
