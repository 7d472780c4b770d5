import { boundExpressions } from "@wfctl/config";
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
): ResolvedVariables {
  const evaluated = evaluate(module.config, { env, bounded: boundExpressions(), output: () => undefined });
  const [missing] = evaluated.unresolved;
  if (missing !== undefined) {
    throw new WfctlError(
      "REFERENCE_UNRESOLVED",
      `Cannot configure "${module.name}": ${explain(missing.part)} (config${missing.pointer})`,
      { address: module.name, hint: hintFor(missing.part) },
    );
  }
  const config = evaluated.value as JsonObject;
  const secrets = evaluated.sensitive.map((pointer) => getAtPointer(config, pointer));
  return { config, secrets: secrets.filter((value) => typeof value === "string") };
}

function explain(part: string): string {
  if (part.startsWith("${{")) return part;
  return part.startsWith("var.")
    ? `the variable ${part.slice(4)} has no value`
    : `the environment variable ${part} is not set`;
}

function hintFor(part: string): string {
  if (part.startsWith("${{")) return "Correct the expression";
  return part.startsWith("var.")
    ? `Write --var ${part.slice(4)}=…, or set WFCTL_VAR_${part.slice(4)}`
    : `Set ${part} and run again`;
}
