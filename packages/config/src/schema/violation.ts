import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";

/** One way in which a value does not fit a schema. Certain: nothing that is not known yet can mend it. */
export interface Violation {
  readonly path: readonly (string | number)[];
  /** Follows the name of the value: `is text, expected a number`. */
  readonly text: string;
  readonly hint?: string;
  /** A key that the schema does not know: the last step of the path. */
  readonly unknownKey?: { readonly known: readonly string[] };
  /** A key that must be there and is not. */
  readonly missingKey?: string;
  /** A word that is none of these. */
  readonly word?: { readonly found: string; readonly known: readonly string[] };
}

export interface Verdict {
  readonly violations: readonly Violation[];
  /** True where the fit depends on values that are known only later. */
  readonly unsure: boolean;
}

export const fits: Verdict = { violations: [], unsure: false };
export const unsure: Verdict = { violations: [], unsure: true };

export function joinVerdicts(verdicts: readonly Verdict[]): Verdict {
  const [only] = verdicts;
  if (only !== undefined && verdicts.length === 1) return only;
  return {
    violations: verdicts.flatMap((verdict) => verdict.violations),
    unsure: verdicts.some((verdict) => verdict.unsure),
  };
}

export type Subschema = JsonObject | boolean;

export function isSubschema(value: unknown): value is Subschema {
  return typeof value === "boolean" || isJsonObject(value);
}

/** The schemas of a keyword that maps names to schemas. */
export function subschemas(value: Json | undefined): [string, Subschema][] {
  if (!isJsonObject(value)) return [];
  return Object.entries(value).filter((entry): entry is [string, Subschema] => isSubschema(entry[1]));
}

export function subschemaList(value: Json | undefined): Subschema[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isSubschema) : [];
}
