import { pathToPointer, type Diagnostic, type JsonObject, type SourceLocation, type Value } from "@wfctl/model";
import { hostConfigKeys } from "../names.ts";
import { suggestHint } from "../suggest.ts";
import { otherName } from "./other-names.ts";
import { evaluate } from "./evaluate.ts";
import type { Violation } from "./violation.ts";

export interface ValidateOptions {
  /** Name of the resource. */
  readonly address?: string;
  /** Type of the resource, for messages. */
  readonly type?: string;
  /** Place of a pointer inside the address: `(pointer, at) => stack.locate(name, pointer, at)`. */
  readonly locate?: (pointer: string, at: "key" | "value") => SourceLocation | undefined;
  /** Dotted paths whose values are never shown. */
  readonly sensitive?: readonly string[];
}

const freeKeys: ReadonlySet<string> = new Set(hostConfigKeys);

/**
 * Checks the config of a resource against the JSON Schema of its type. Values that are known only after apply are not
 * judged, keys that the host reads itself (`provider`, `size`, `region`, …) need not be in the schema, and keys that
 * nobody knows are errors where the schema says `additionalProperties: false`.
 */
export function validateAgainstSchema(
  config: { readonly [key: string]: Value },
  schema: JsonObject,
  options: ValidateOptions = {},
): Diagnostic[] {
  const sensitive = (options.sensitive ?? []).map((path) => path.split("."));
  const isHidden = (path: Violation["path"]): boolean => {
    const names = path.filter((step) => typeof step === "string");
    return sensitive.some(
      (hidden) => hidden.length <= names.length && hidden.every((step, index) => step === names[index]),
    );
  };
  const { violations } = evaluate(schema, config, [], { root: schema, freeKeys, isHidden, following: new Set() });
  return violations.map((violation) => toDiagnostic(violation, options));
}

function toDiagnostic(violation: Violation, options: ValidateOptions): Diagnostic {
  const pointer = `/config${pathToPointer(violation.path)}`;
  const source = options.locate?.(pointer, violation.unknownKey === undefined ? "value" : "key");
  const hint = hintOf(violation);
  return {
    severity: "error",
    code: "CONFIG_INVALID",
    summary: summaryOf(violation, options),
    ...(hint === undefined ? {} : { hint }),
    ...(options.address === undefined ? {} : { address: options.address }),
    path: pointer,
    ...(source === undefined ? {} : { source }),
  };
}

function summaryOf(violation: Violation, options: ValidateOptions): string {
  const last = violation.path.findLast((step) => typeof step === "string");
  const type = options.type === undefined ? "the config" : `the config of ${options.type}`;
  if (violation.unknownKey !== undefined) return `The key "${last}" is not known in ${type}`;
  if (last === undefined) return `${type.charAt(0).toUpperCase()}${type.slice(1)} ${violation.text}`;
  return typeof violation.path.at(-1) === "number"
    ? `An item of "${last}" ${violation.text}`
    : `"${last}" ${violation.text}`;
}

function hintOf(violation: Violation): string | undefined {
  if (violation.unknownKey !== undefined) {
    const known = [...new Set(violation.unknownKey.known)];
    const key = String(violation.path.at(-1));
    // Below the top the same words mean other things.
    const other = violation.path.length === 1 ? otherName(key, known) : undefined;
    const near = suggestHint(key, known, `Known are ${known.join(", ")}`);
    if (near.startsWith("Did") || other === undefined) return near;
    return `Other clouds call it "${key}": here it is "${other}"`;
  }
  if (violation.word !== undefined) {
    const near = suggestHint(violation.word.found, violation.word.known, "");
    return near.startsWith("Did") ? near : "Write one of them";
  }
  if (violation.missingKey !== undefined) return `Add ${violation.missingKey}: with a value`;
  return violation.hint;
}
