import { compute, ExpressionError } from "@wfctl/expressions";
import type { ComputedPart, Json, JsonObject, Reference } from "@wfctl/model";
import type { Resolved, Scope } from "./evaluate.ts";

/** The value of a reference; undefined where it is not known (yet). */
export function resolveReference(reference: Reference, scope: Scope): Resolved | undefined {
  if ("env" in reference) {
    const value = scope.env[reference.env];
    return value === undefined ? undefined : { value, sensitive: true };
  }
  return scope.output(reference.resource, reference.path);
}

/** As the user names it: `NAME`, `db.host`. */
export function referenceText(reference: Reference): string {
  return "env" in reference ? reference.env : `${reference.resource}.${reference.path}`;
}

const variablePrefix = "var.";
const envPrefix = "env.";
/** A value that a secret store holds: known where it is used, not here. */
const routedPrefix = "secret_ref://";

/**
 * The value of a computed part, as secret as anything that it refers to. Where references have no value, all of them are
 * missing; where it cannot be evaluated, `missing` says why.
 */
export function computePart(part: ComputedPart, scope: Scope): Resolved | { readonly missing: readonly string[] } {
  const variables: Record<string, Json> = { ...part.variables };
  const env: Record<string, Json> = {};
  const outputs: Record<string, Record<string, Json>> = {};
  const missing: string[] = [];
  let sensitive = false;
  for (const reference of part.refs) {
    const resolved = resolveReference(reference, scope);
    if (resolved === undefined) {
      missing.push(referenceText(reference));
      continue;
    }
    sensitive ||= resolved.sensitive;
    if (typeof resolved.value === "string" && resolved.value.startsWith(routedPrefix)) {
      return {
        missing: [
          `\${{${part.computed}}}: ${referenceText(reference)} is kept in a secret store, and cannot be computed with`,
        ],
      };
    }
    if (reference.as?.startsWith(variablePrefix) === true)
      variables[reference.as.slice(variablePrefix.length)] = resolved.value;
    else if (reference.as?.startsWith(envPrefix) === true) env[reference.as.slice(envPrefix.length)] = resolved.value;
    else if (!("env" in reference))
      (outputs[reference.as ?? reference.resource] ??= {})[reference.key ?? reference.path] = resolved.value;
    else if (reference.env.startsWith(variablePrefix))
      variables[reference.env.slice(variablePrefix.length)] = resolved.value;
    else env[reference.env] = resolved.value;
  }
  if (missing.length > 0) return { missing };
  try {
    return {
      value: compute(part.computed, { variables, env, outputs: outputs as Record<string, JsonObject> }, scope.bounded),
      sensitive,
    };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { missing: [`\${{${part.computed}}}: ${error.message}`] };
  }
}
